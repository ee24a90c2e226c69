import { parameters, type Config } from '../model/config.ts';
import type { Ops } from '../model/ops.ts';
import { restoreRwkv } from '../model/restoreRwkv.ts';
import { elementCount } from '../weights/tensor.ts';
import { isTrained } from './flatParameters.ts';
import { recordSteps } from './tfjsSteps.ts';
import { divideSteps, segmentsOf, wholeSegment } from './trainedPart.ts';
import type { TrainingOptions } from './training.ts';

type Parts = TrainingOptions['parts'];

/**
 * Images that a step holds at its fullest for each one that the differentiated operators make: what they keep for their
 * gradients, then the gradients, which are let go only when all are there. Measured with our operators on wasm.
 */
const HELD = 1.15;
/** Vectors of all trained parameters that are there beside the images: state of Adam, their slices, gradients. */
const VECTORS_BESIDE_IMAGES = 6;
/** The same while the weights are changed: old and new state, gradient, intermediate results. */
const VECTORS_OF_ADAM = 9;
const FLOAT = 4;

/**
 * Bytes that a training step takes at its fullest: images between the network's operators, parameters, Adam's state.
 * From the sizes of what the recorded operators make. On a GPU more is set aside: tfjs keeps the buffers of freed tensors
 * for others of the same size, a tenth more without `recompute`, up to 2.5 times this with it.
 */
export function trainingBytes(
  config: Config, batch: number, crop: number, parts: Parts = 'all', recompute = false,
): number {
  const { trained, frozen } = parameterCounts(config, parts);
  const images = batch * crop * crop * heldPerPixel(config, parts, recompute);
  const fullest = Math.max(images + VECTORS_BESIDE_IMAGES * trained, VECTORS_OF_ADAM * trained);
  return FLOAT * Math.round(fullest + frozen);
}

/** The most crops a step for which `trainingBytes` stays within what is there; 0 where not even one does. */
export function safeBatch(
  config: Config, crop: number, bytesAvailable: number, parts: Parts = 'all', recompute = false,
): number {
  if (!(trainingBytes(config, 1, crop, parts, recompute) <= bytesAvailable)) return 0;
  const { trained, frozen } = parameterCounts(config, parts);
  const left = bytesAvailable / FLOAT - VECTORS_BESIDE_IMAGES * trained - frozen;
  return Math.max(1, Math.floor(left / (crop ** 2 * heldPerPixel(config, parts, recompute))));
}

function parameterCounts(config: Config, parts: Parts): { trained: number; frozen: number } {
  let [trained, frozen] = [0, 0];
  for (const { name, shape } of parameters(config)) {
    if (isTrained(name, parts)) trained += elementCount(shape);
    else frozen += elementCount(shape);
  }
  return { trained, frozen };
}

/** Values for each pixel of a crop that are there at once. */
function heldPerPixel(config: Config, parts: Parts, recompute: boolean): number {
  const recorded = recordSteps((ops, leaf) => restoreRwkv(ops, leaf, config, leaf('image')));
  const sizes = resultSizes(config);
  const sizeOf = new Map(recorded.steps.map(({ output }, i) => [output, sizes[i]]));
  const sum = (indices: Iterable<number>) => [...indices].reduce((total, index) => total + sizeOf.get(index)!, 0);
  const divided = divideSteps(recorded, (name) => name !== 'image' && isTrained(name, parts));
  const segments = recompute ? segmentsOf(divided) : [wholeSegment(divided)];
  const handedOn = sum(segments.slice(0, -1).map(({ result }) => result)) + sum(divided.boundary);
  return handedOn + HELD * Math.max(...segments.map(({ steps }) => sum(steps.map(({ output }) => output))));
}

/** An image in the network; of parameters, only the output channels matter. */
interface Image {
  /** Pixels for each pixel of the crop. */
  readonly area: number;
  readonly channels: number;
}

/** Values of each operator's result for each pixel of the crop, in the order in which the network runs them. */
function resultSizes(config: Config): number[] {
  const outputs = new Map(parameters(config).map(({ name, shape }) => [name, shape[0]]));
  const sizes: number[] = [];
  const made = (area: number, channels: number): Image => {
    sizes.push(area * channels);
    return { area, channels };
  };
  const same = ({ area, channels }: Image) => made(area, channels);
  const ops: Ops<Image> = {
    conv: (x, weight) => made(x.area, weight.channels),
    linear: (x, weight) => made(x.area, weight.channels),
    layerNorm: same,
    omniShift: same,
    biWkv: same,
    add: same,
    mul: same,
    sigmoid: same,
    squaredRelu: same,
    concat: (a, b) => made(a.area, a.channels + b.channels),
    pixelShuffle: (x) => made(x.area * 4, x.channels / 4),
    pixelUnshuffle: (x) => made(x.area / 4, x.channels * 4),
  };
  restoreRwkv(ops, (path) => ({ area: 0, channels: outputs.get(path) ?? 0 }), config, { area: 1, channels: 1 });
  return sizes;
}
