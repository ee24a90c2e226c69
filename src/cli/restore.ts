import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Modality, Volume } from '../formats/volume.ts';
import { parseModelCard, type ModelCard } from '../image/modelCard.ts';
import { denormalise, IDENTITY, isPicture, normalisationFor, normalise, type Normalisation } from '../image/normalise.ts';
import { crop, padToMultiple } from '../image/padding.ts';
import { sliceOf, type Slice } from '../image/slice.ts';
import { fromSuv, toSuv } from '../image/suv.ts';
import { toNetworkWeights, type NetworkWeights } from '../weights/networkWeights.ts';
import { readWeights } from '../weights/readWeights.ts';
import { modalityOption, parseVerb, required, seriesOption } from './arguments.ts';
import { deviceOption, openRestorer, type Restorer } from './devices.ts';
import { RefusedError, sentence, UsageError } from './errors.ts';
import { readInput, readVolume } from './files.ts';
import { outputAt } from './output.ts';

/** From the bundle in .cache/cli as from src/cli. */
const SHIPPED_WEIGHTS = resolve(import.meta.dirname, '../../public/weights/light-all-in-one.safetensors');

const OPTIONS = {
  out: { type: 'string' },
  weights: { type: 'string' },
  modality: { type: 'string' },
  raw: { type: 'boolean' },
  device: { type: 'string' },
  series: { type: 'string' },
  deidentify: { type: 'boolean' },
} as const;

/** `restore INPUT… --out PATH`: every slice of one volume through the network, in the input's own terms. */
export async function restore(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('restore', args, OPTIONS);
  if (positionals.length === 0) throw new UsageError('restore: name an image, or a folder of DICOM slices');
  const out = required('restore', 'out', values.out);
  const wanted = modalityOption(values.modality);
  const choice = deviceOption(values.device);
  const series = seriesOption(values.series);
  const output = await outputAt('restore', out, positionals, {
    type: values.raw ? 'float32' : 'source', dicom: !values.raw,
  });

  const read = await readVolume(positionals, series);
  output.check(read);
  const volume = !values.raw && (wanted ?? read.modality) === 'pet' ? toSuv(read) : read;
  const { weights, card, model } = await loadWeights(values.weights ?? SHIPPED_WEIGHTS);
  const normalisation = values.raw ? null : normalisationOf(volume, wanted, card);
  note(...volume.notices);
  if (normalisation) note(normalisation.sentence, ...(normalisation.notice ? [normalisation.notice] : []));

  const restorer = await openRestorer(weights, choice);
  const data = await restoreSlices(volume, normalisation, restorer);
  restorer.dispose();
  note(...await output.write(fromSuv({ ...volume, data }), { model, deidentify: values.deidentify ?? false }));
  return 0;
}

interface LoadedModel {
  readonly weights: NetworkWeights;
  readonly card: ModelCard | null;
  /** For derived files: the card's name, and the file itself by the start of its SHA-256. */
  readonly model: { readonly name: string; readonly version: string };
}

async function loadWeights(path: string): Promise<LoadedModel> {
  const file = await readInput(path);
  const { stateDict, config } = readWeights(file);
  const card = await cardBeside(path);
  const version = createHash('sha256').update(file.bytes).digest('hex').slice(0, 12);
  return { weights: toNetworkWeights(stateDict, config), card, model: { name: card?.name ?? file.name, version } };
}

/** The model card beside a weights file, under the same name; null where there is none, or another file of that name. */
async function cardBeside(path: string): Promise<ModelCard | null> {
  let text: string;
  try {
    text = await readFile(path.replace(/\.[^./\\]*$/, '') + '.json', 'utf8');
  } catch {
    return null;
  }
  try {
    return parseModelCard(JSON.parse(text));
  } catch (error) {
    note(`the file beside the weights is no model card, so the paper's ranges are taken (${sentence(error)})`);
    return null;
  }
}

function normalisationOf(volume: Volume, wanted: Modality | undefined, card: ModelCard | null): Normalisation {
  const modality = wanted ?? volume.modality;
  if (modality === null) {
    if (isPicture(volume)) return IDENTITY;
    throw new UsageError(
      `restore: ${volume.name} does not say what it is; add --modality ct, pet or mri, or --raw where it is in [0, 1]`,
    );
  }
  if (volume.modality !== null && volume.modality !== modality) {
    note(`${volume.name} says ${volume.modality.toUpperCase()}; it is taken as ${modality.toUpperCase()}`);
  }
  return normalisationFor(modality, volume, card?.normalisation[modality] ?? null);
}

/** All slices, in native units (without a normalisation: as the network gives them). */
async function restoreSlices(volume: Volume, normalisation: Normalisation | null, restorer: Restorer): Promise<Float32Array> {
  const result = new Float32Array(volume.data.length);
  const start = performance.now();
  let nonFinite = 0;
  let clamped = 0;
  for (let index = 0; index < volume.slices; index++) {
    const slice = sliceOf(volume, index);
    const input = normalisation ? normalise(slice, normalisation) : { image: rawSlice(slice, index), nonFinite: 0, clamped: 0 };
    nonFinite += input.nonFinite;
    clamped += input.clamped;
    const padded = padToMultiple(input.image, 8);
    const data = await restorer.restore(padded.data, padded.height, padded.width);
    const restored = crop({ ...padded, data }, slice.width, slice.height);
    const native = normalisation ? denormalise(restored, normalisation) : restored;
    const broken = native.data.findIndex((value) => !Number.isFinite(value));
    if (broken >= 0) {
      throw new RefusedError(`restore: slice ${index + 1} came out with ${native.data[broken]} in it; try --device wasm`);
    }
    result.set(native.data, index * slice.width * slice.height);
    progress(index + 1, volume.slices, performance.now() - start);
  }
  if (clamped > 0) note(`${clamped} voxels lay outside the network's range and were set to its nearest end`);
  if (nonFinite > 0) note(`${nonFinite} voxels were not finite and were taken as the least value`);
  return result;
}

/** A slice for `--raw`: values outside [0, 1] pass, but one NaN would spread over the whole image. */
function rawSlice(slice: Slice, index: number): Slice {
  const broken = slice.data.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return slice;
  throw new RefusedError(`restore: slice ${index + 1} holds ${slice.data[broken]}; --raw wants finite values in [0, 1]`);
}

/** On a terminal only: one line that counts slices and says the time left. */
function progress(done: number, total: number, milliseconds: number): void {
  if (!process.stderr.isTTY || total === 1) return;
  const left = Math.round((milliseconds / done) * (total - done) / 1000);
  process.stderr.write(done < total ? `\rslice ${done} of ${total}, ${left} s left\u001b[K` : '\r\u001b[K');
}

function note(...notices: readonly string[]): void {
  for (const notice of notices) process.stderr.write(`note: ${sentence(notice)}\n`);
}
