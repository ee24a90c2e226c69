import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { plainText } from '../formats/guard.ts';
import { fileCardOf } from '../image/cardMetadata.ts';
import { parseModelCard, type ModelCard } from '../image/modelCard.ts';
import { toNetworkWeights, type NetworkWeights } from '../weights/networkWeights.ts';
import { readWeights } from '../weights/readWeights.ts';
import { sentence } from './errors.ts';
import { readInput } from './files.ts';

/** From the bundle in .cache/cli as from src/cli. */
export const SHIPPED_WEIGHTS = resolve(import.meta.dirname, '../../public/weights/light-all-in-one.safetensors');

/** As a row of a table, and in the header of a derived file. */
const LONGEST_NAME = 64;

/** A weights file, and how its network wants images. */
export interface LoadedModel {
  readonly weights: NetworkWeights;
  /** The card's name, else the one in the file's metadata, else the file's. */
  readonly name: string;
  /** The file by the start of its SHA-256. */
  readonly version: string;
  /** A modality without a rule takes the paper's range. */
  readonly normalisation: ModelCard['normalisation'];
  readonly notices: readonly string[];
}

/**
 * Reads weights, with the normalisation of the model card beside them, else of the file's own metadata, else none: the
 * paper's ranges.
 *
 * @throws WeightsError, CardError, or Node's error with its code
 */
export async function loadModel(path: string): Promise<LoadedModel> {
  const file = await readInput(path);
  const { stateDict, config, metadata } = readWeights(file);
  const { card, notices } = await cardBeside(path);
  const known = card ?? fileCardOf(metadata);
  return {
    weights: toNetworkWeights(stateDict, config),
    name: plainText(known?.name ?? file.name, LONGEST_NAME),
    version: createHash('sha256').update(file.bytes).digest('hex').slice(0, 12),
    normalisation: known?.normalisation ?? {},
    notices,
  };
}

/** The model card beside a weights file, under its name; null where there is none, or another file of that name. */
export async function cardBeside(path: string): Promise<{ card: ModelCard | null; notices: string[] }> {
  let text: string;
  try {
    text = await readFile(path.replace(/\.[^./\\]*$/, '') + '.json', 'utf8');
  } catch {
    return { card: null, notices: [] };
  }
  try {
    return { card: parseModelCard(JSON.parse(text)), notices: [] };
  } catch (error) {
    const notice = `the file beside the weights is no model card and is not used (${sentence(error)})`;
    return { card: null, notices: [notice] };
  }
}
