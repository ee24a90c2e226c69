import { variantName } from '../../model/config.ts';
import type { Config } from '../../model/config.ts';
import { cardOf, fileCardOf, ruleSentences } from '../../image/cardMetadata.ts';
import { parseModelCard } from '../../image/modelCard.ts';
import type { ModelCard } from '../../image/modelCard.ts';
import { countParameters, toNetworkWeights } from '../../weights/networkWeights.ts';
import type { NetworkWeights } from '../../weights/networkWeights.ts';
import { readWeights } from '../../weights/readWeights.ts';
import type { StateDict } from '../../weights/tensor.ts';
import type { NamedBytes } from '../../formats/volume.ts';
import type { CardText, ModelState } from '../protocol.ts';
import { text } from '../text.ts';
import type { Machine } from './device.ts';
import { fetchBytes, fetchOwn } from './files.ts';
import { UserError } from './jobs.ts';
import type { Precision } from './precision.ts';
import type { Network } from './restorer.ts';

export interface Model {
  readonly id: string;
  readonly name: string;
  readonly card: ModelCard | null;
  /** Read once, when first asked for. */
  weights(): Promise<NetworkWeights>;
  /** All that training changes, Omni-Shift in branches; of shipped models read anew each time. */
  parameters(): Promise<Parameters>;
  /** What tells these weights from all others; null until they are read. */
  version: string | null;
  state: ModelState;
}

/** Parameters under PyTorch's names, and the network that they belong to. */
export interface Parameters {
  readonly stateDict: Readonly<StateDict>;
  readonly config: Config;
}

/** The models that can be chosen: the shipped ones and those that users load. */
export interface Models {
  readonly all: readonly Model[];
  chosen: Model | null;
  add(file: NamedBytes): Promise<Model>;
  /**
   * The chosen model's network on a machine; made once, the one before it is let go.
   *
   * @param checking hears where a precision has to be checked first
   */
  network(machine: Machine, checking?: () => void): Promise<Network>;
}

/** Reads the list of shipped models and their cards; weights come when they are needed. */
export async function openModels(base: string, precision: Precision): Promise<Models> {
  const index = listOf(await (await fetchOwn(base, 'weights/index.json')).json());
  const all: Model[] = await Promise.all(
    index.map(async ({ id, card }) => {
      const parsed = parseModelCard(await (await fetchOwn(base, `weights/${card}`)).json());
      return shipped(id, parsed, base);
    }),
  );
  let current: { model: Model; machine: Machine; options: string; network: Promise<Network> } | null = null;
  const models: Models = {
    all,
    chosen: all[0] ?? null,
    async add(file) {
      const model = await loaded(file, all.length);
      all.push(model);
      return model;
    },
    async network(machine, checking) {
      const model = models.chosen;
      if (!model) throw new UserError(text.model.none);
      const asked = await precision.optionsFor(machine, model, checking);
      // Another one was chosen meanwhile.
      if (models.chosen !== model) return models.network(machine, checking);
      const options = JSON.stringify(asked);
      if (current?.model === model && current.machine === machine && current.options === options) return current.network;
      current?.network.then((old) => old.dispose(), () => undefined);
      const network = model.weights().then((weights) => machine.network(weights, asked));
      const made = { model, machine, options, network };
      current = made;
      // A failure is not kept: the next try may find the network again.
      network.catch(() => {
        if (current === made) current = null;
      });
      return network;
    },
  };
  return models;
}

function shipped(id: string, card: ModelCard, base: string): Model {
  let reading: Promise<NetworkWeights> | null = null;
  const fetched = () => fetchBytes(base, `weights/${card.file}`);
  const model: Model = {
    id,
    name: card.name,
    card,
    version: null,
    weights() {
      reading ??= fetched().then(async (bytes) => {
        model.version = await versionOf(bytes);
        const { stateDict, config } = readWeights({ name: card.file, bytes });
        model.state = { ...model.state, variant: variantName(config), parameters: countParameters(config) };
        return toNetworkWeights(stateDict, config);
      });
      reading.catch(() => {
        reading = null;
      });
      return reading;
    },
    parameters: async () => readWeights({ name: card.file, bytes: await fetched() }),
    state: { id, name: card.name, variant: card.variant, parameters: null, card: cardText(card) },
  };
  return model;
}

/**
 * Weights from a file, with the normalisation and tasks that its metadata names; without them, the paper's ranges.
 *
 * @throws WeightsError where the file is not a complete Restore-RWKV, CardError where its normalisation is damaged
 */
async function loaded(file: NamedBytes, position: number): Promise<Model> {
  const { stateDict, config, metadata } = readWeights(file);
  const known = fileCardOf(metadata);
  const weights = toNetworkWeights(stateDict, config);
  const id = `file-${position}`;
  const fileName = file.name.split('/').pop() ?? file.name;
  const variant = variantName(config);
  const card = known && cardOf(known, { file: fileName, variant });
  const name = card?.name ?? fileName;
  const state = { id, name, variant, parameters: countParameters(config), card: card && cardText(card) };
  const parameters = async () => ({ stateDict, config });
  return { id, name, card, version: await versionOf(file.bytes), weights: async () => weights, parameters, state };
}

/** Bytes of a hash that are shown: 64 bits. */
const SHOWN = 8;

/** The beginning of the file's SHA-256; its size where the page is not served securely and cannot hash. */
async function versionOf(bytes: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) return `${bytes.length} bytes`;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  return `SHA-256 ${Array.from(hash.subarray(0, SHOWN), (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function cardText(card: ModelCard): CardText {
  return {
    tasks: card.tasks,
    trained: card.training.replace(/[^.!?]$/, '$&.'),
    normalisation: ruleSentences(card).join(' '),
    data: card.data,
    licence: card.licence,
    limits: card.limits,
    measured: card.measured.map(({ modality, on, slices, rmseUnits, input, restored }) => ({
      task: text.modalities[modality],
      on,
      slices,
      units: rmseUnits,
      input,
      restored,
    })),
  };
}

function listOf(json: unknown): { id: string; card: string }[] {
  if (!Array.isArray(json)) return [];
  return json.filter(
    (entry): entry is { id: string; card: string } => typeof entry?.id === 'string' && typeof entry?.card === 'string',
  );
}
