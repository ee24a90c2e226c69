import { parameters, type Config } from '../model/config.ts';
import { printable, printableShape, WeightsError } from './errors.ts';
import { CheckpointTensor, type StateDict } from './tensor.ts';

/** Parameters of which a checkpoint of this network has at least one, whatever stands before their names. */
const ANCHORS = ['patch_embed.weight', 'output.weight', 'down1_2.body.0.weight', 'reduce_chan_level3.weight'];

/** Where training scripts put the network, the best first: averaged weights, then plain ones. */
const WRAPPERS = [
  'params_ema', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema', 'state_dict', 'model_state_dict', 'params',
  'model', 'net', 'network', 'net_g', 'generator',
];

/** Dicts that are looked into; a training script's checkpoint has some ten. */
const MAX_DICTS = 10_000;

/**
 * Finds the network's tensors in whatever torch.save was given: looks through wrapping dicts (`state_dict`, `model`,
 * `params_ema`, …, nested too), takes the common prefix off the names (`module.` of DataParallel, `_orig_mod.` of
 * torch.compile, `net.` of a trainer), and leaves out what is no tensor.
 *
 * @param value Map, lists, numbers, text and CheckpointTensor
 * @throws WeightsError where there is no tensor at all
 */
export function findStateDict(value: unknown): Map<string, CheckpointTensor> {
  let fallback: Map<string, CheckpointTensor> = new Map();
  // Breadth first, so that the network comes before an optimiser's inner dicts; a pickle may hold cycles.
  const seen = new Set<unknown>([value]);
  for (const candidate of seen) {
    if (!(candidate instanceof Map) || seen.size > MAX_DICTS) continue;
    const tensors = tensorsOf(candidate);
    if ([...tensors.keys()].some((name) => ANCHORS.some((anchor) => endsWithPath(name, anchor)))) {
      return stripPrefix(tensors);
    }
    if (tensors.size > fallback.size) fallback = tensors;
    for (const [, inner] of [...candidate].sort(([a], [b]) => rank(a) - rank(b))) {
      if (inner instanceof Map) seen.add(inner);
    }
  }
  if (fallback.size > 0) return fallback;
  throw new WeightsError(
    'weights: the file holds no tensors under names; save the network with torch.save(model.state_dict(), path)',
  );
}

/**
 * Checks the tensors against `parameters(config)` and decodes those that the network needs.
 *
 * @param storedBytes bytes of tensor data in the file: what is needed cannot be more, unless a small file would be
 *   unfolded into a large network
 * @returns the parameters in the network's order, and the names of tensors that it does not have. The merged kernels
 *   `conv5x5_reparam` that checkpoints carry are stale and go unmentioned.
 * @throws WeightsError for a missing parameter, another shape, or a value that is not finite
 */
export function readStateDict(
  tensors: ReadonlyMap<string, CheckpointTensor>, config: Config, storedBytes: number,
): { stateDict: StateDict; ignored: string[] } {
  const wanted = parameters(config).map(({ name, shape }) => ({ name, shape, tensor: matching(tensors, name, shape) }));
  const needed = wanted.reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
  if (needed > storedBytes) {
    throw new WeightsError(
      `weights: the tensors take ${needed} bytes but the file stores ${storedBytes}, so they share their numbers; ` +
        'save the state_dict again from the network itself',
    );
  }
  const stateDict: StateDict = new Map();
  for (const { name, shape, tensor } of wanted) {
    const data = tensor.read();
    const at = data.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) {
      throw new WeightsError(
        `weights: ${name} holds ${data[at]} at element ${at} of ${data.length}, expected finite numbers; ` +
          'load a checkpoint from before the training diverged',
      );
    }
    stateDict.set(name, { shape, data });
  }
  const ignored = [...tensors.keys()]
    .filter((name) => !stateDict.has(name) && !name.endsWith('.omni_shift.conv5x5_reparam.weight'))
    .map(printable);
  return { stateDict, ignored };
}

function matching(
  tensors: ReadonlyMap<string, CheckpointTensor>, name: string, shape: readonly number[],
): CheckpointTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw new WeightsError(
      `weights: ${name} is missing among ${tensors.size} tensors, expected with shape ${printableShape(shape)}; ` +
        'load a complete checkpoint of Restore-RWKV',
    );
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, axis) => n !== shape[axis])) {
    throw new WeightsError(
      `weights: ${name} has shape ${printableShape(tensor.shape)}, expected ${printableShape(shape)}; ` +
        'load a checkpoint of Restore-RWKV whose parts belong together',
    );
  }
  return tensor;
}

function tensorsOf(dict: ReadonlyMap<unknown, unknown>): Map<string, CheckpointTensor> {
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, value] of dict) {
    if (typeof name === 'string' && value instanceof CheckpointTensor) tensors.set(name, value);
  }
  return tensors;
}

/** Takes off what stands before the first anchor; names without that prefix stay as they are. */
function stripPrefix(tensors: ReadonlyMap<string, CheckpointTensor>): Map<string, CheckpointTensor> {
  const names = [...tensors.keys()];
  const prefixes = ANCHORS.flatMap((anchor) =>
    names.filter((name) => endsWithPath(name, anchor)).map((name) => name.slice(0, name.length - anchor.length)),
  );
  // Several networks in one file (a generator and its average): the one with most tensors, the first if equal.
  const sizes = new Map(prefixes.map((prefix) => [prefix, names.filter((name) => name.startsWith(prefix)).length]));
  const prefix = sizes.has('') ? '' : [...sizes].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
  const stripped = new Map<string, CheckpointTensor>();
  for (const [name, tensor] of tensors) {
    stripped.set(name.startsWith(prefix) ? name.slice(prefix.length) : name, tensor);
  }
  return stripped;
}

const endsWithPath = (name: string, path: string): boolean => name === path || name.endsWith(`.${path}`);

const rank = (key: unknown): number => {
  const place = WRAPPERS.indexOf(String(typeof key === 'string' ? key : ''));
  return place < 0 ? WRAPPERS.length : place;
};
