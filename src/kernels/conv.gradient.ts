import shader from '../../shaders/convGradient.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, specialise } from './kernel.ts';
import { biasGradient, biasGradientScratch, divisorUpTo, splitInRuns, workgroupTiling } from './linear.gradient.ts';
import { sumPartials } from './sumPartials.ts';
import type { Variants } from './variants.ts';

type Variant = Variants['convGradient'];

/** Sizes of a 3×3 convolution: N·H lines of W pixels, I → O channels. */
export interface ConvShape {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
}

export interface ConvTightArguments<B> {
  /** [N, H, W, I] */
  readonly x: View<B>;
  /** [3, 3, I, O] */
  readonly weight: B;
  /** [O] */
  readonly bias?: B | undefined;
  /** [N, H, W, O] */
  readonly y: View<B>;
}

export interface ConvGradientArguments<B> {
  /** [N, H, W, I] */
  readonly x: View<B>;
  /** [3, 3, I, O] */
  readonly weight: B;
  /** ∂L/∂y [N, H, W, O] */
  readonly g: View<B>;
  /** ∂L/∂x [N, H, W, I], ∂L/∂W [3, 3, I, O], ∂L/∂bias [O]; null: not wanted */
  readonly gX: View<B> | null;
  readonly gWeight: B | null;
  readonly gBias: B | null;
  /** As large as `convGradientScratch` says. */
  readonly partials: B;
}

/** A view over a whole buffer whose pixels hold their channels and nothing else, as tensors do outside the engine. */
export function tightView<B>(buffer: B, shape: readonly number[]): View<B> {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  return { buffer, batch, height, width, channels, lanes: channels, offset: 0, stride: channels };
}

/** Most vectors of outputs that a thread holds of three taps of one Input, for the gradient of W through registers. */
const REGISTER_OUTPUTS = 3;

/** Lines that a workgroup should sum over at least, for the sums of its threads to cost little beside. */
const LEAST_LINES = 8;

/** Neighbouring channels that are read at once: what divides their number, as no channels are padded. */
const inputUnit = (channels: number): 4 | 1 => (channels % 4 === 0 ? 4 : 1);
const outputUnit = (channels: number): 4 | 2 | 1 => (channels % 4 === 0 ? 4 : channels % 2 === 0 ? 2 : 1);

/** What the shader calls by other names for channels that are read four, two or one at once. */
function types({ inputs, outputs }: ConvShape) {
  const type = { 4: 'vec4f', 2: 'vec2f', 1: 'f32' } as const;
  const [input, output] = [inputUnit(inputs), outputUnit(outputs)];
  return {
    Input: type[input], ROWS: input, Output: type[output],
    Summand: output === 4 ? 'vec4f' : 'vec2f', PARTS: output === 1 ? 'Summand(1.0, 0.0)' : 'Summand(1.0)',
  };
}

function shapeOf(x: View<unknown>, y: View<unknown>): ConvShape {
  const { batch, height, width, channels: inputs } = x;
  if (y.batch !== batch || y.height !== height || y.width !== width) {
    const [found, expected] = [y, x].map((view) => `${view.batch}×${view.height}×${view.width}`);
    throw new ShapeError(`conv: y or its gradient of ${found} pixels meets x of ${expected}; they must be the same`);
  }
  return { batch, height, width, inputs, outputs: y.channels };
}

const at = (view: View<unknown>, unit: number): [number, number] => [view.offset / unit, view.stride / unit];

/** The uniform. Views that a pass does not touch stand for themselves. */
function parameters(
  shape: ConvShape, run: number, hasBias: boolean, views: { x: View<unknown>; y: View<unknown>; gX?: View<unknown> },
): number[] {
  const [input, output] = [inputUnit(shape.inputs), outputUnit(shape.outputs)];
  const { x, y, gX = x } = views;
  return [
    shape.height, shape.width, shape.inputs / input, shape.outputs / output, shape.batch * shape.height, run,
    Number(hasBias), ...at(x, input), ...at(y, output), ...at(y, output), ...at(gX, 1),
  ];
}

/** Workgroups of `threads` that take `pixels` by `vectors` each, of all pixels by `channels` vectors. */
function strips(
  shape: ConvShape, pixels: number, channels: number, threads: number, vectors: number,
): [number, number, number] {
  const groups = Math.ceil((shape.batch * shape.height * shape.width) / (pixels * threads));
  return [Math.min(groups, 65535), Math.ceil(groups / 65535), Math.ceil(channels / vectors)];
}

/**
 * 3×3 convolution with zero padding on the layouts of `Ops`, whatever the channels: nothing is padded to vec4s.
 *
 * @throws ShapeError where y has other pixels than x
 */
export function convTight<B>({ x, weight, bias, y }: ConvTightArguments<B>, variant: Variant): Dispatch<B>[] {
  const shape = shapeOf(x, y);
  const { threads, pixels } = variant;
  const outputs = shape.outputs / outputUnit(shape.outputs);
  const vectors = Math.min(outputs, variant.vectors);
  return [{
    label: `conv ${shape.inputs}→${shape.outputs}`,
    code: specialise(shader, { ...types(shape), LANES: threads, PIXELS: pixels, OUTPUTS: vectors }),
    entryPoint: 'conv',
    params: parameters(shape, 0, bias !== undefined, { x, y }),
    bindings: [
      { binding: 1, buffer: x.buffer, access: 'read' },
      { binding: 2, buffer: weight, access: 'read' },
      { binding: 3, buffer: bias ?? weight, access: 'read' },
      { binding: 5, buffer: y.buffer, access: 'write' },
    ],
    workgroups: strips(shape, pixels, outputs, threads, vectors),
  }];
}

/** How the gradient of W is tiled and over how many runs of lines or pixels it is summed. */
function weightTiling(shape: ConvShape, variant: Variant) {
  const inputs = shape.inputs / inputUnit(shape.inputs);
  const outputs = shape.outputs / outputUnit(shape.outputs);
  const lines = shape.batch * shape.height;
  if (variant.entryPoint === 'throughRegisters') {
    const OUTPUTS = Math.min(outputs, REGISTER_OUTPUTS);
    const tiles = [Math.ceil(outputs / OUTPUTS), 3 * inputs] as const;
    const split = splitInRuns(lines, LEAST_LINES, variant.groups / (tiles[0] * tiles[1]));
    return { tiles, constants: { OUTPUTS, LANES: variant.threads }, ...split };
  }
  const [TILE, COLUMNS] = [9, divisorUpTo(outputs, 8)];
  const tiles = [outputs / COLUMNS, inputs] as const;
  const constants = { TILE, COLUMNS, ...workgroupTiling(TILE * COLUMNS, TILE + COLUMNS) };
  const split = splitInRuns(lines * shape.width, 4 * constants.CHUNK, variant.groups / (tiles[0] * tiles[1]));
  return { tiles, constants, ...split };
}

/** Floats of `partials`; at least 4, so that a buffer can be made of it. */
export function convGradientScratch(shape: ConvShape, variant: Variant): number {
  const { runs } = weightTiling(shape, variant);
  const bias = biasGradientScratch({ tokens: shape.batch * shape.height * shape.width, outputs: shape.outputs });
  return Math.max(4, runs > 1 ? runs * 9 * shape.inputs * shape.outputs : 0, bias);
}

/**
 * Gradients of the 3×3 convolution with zero padding for g = ∂L/∂y, in float32, whatever the channels. The output is a
 * sum over taps of shifted linear maps y_q += x_p W_tap, p the pixel that a tap joins to q; so ∂L/∂x_p = Σ g_q W_tapᵀ,
 * the convolution of g by the weight turned by 180° and transposed (it is read so), ∂L/∂W_tap = Σ x_pᵀ g_q, summed over
 * runs of the pixels first, and ∂L/∂bias = Σ g_q.
 *
 * @throws ShapeError where g or gX do not fit x
 */
export function convGradient<B>(args: ConvGradientArguments<B>, variant: Variant): Dispatch<B>[] {
  const { x, weight, g, gX, gWeight, gBias, partials } = args;
  const shape = shapeOf(x, g);
  const label = `conv gradient ${shape.inputs}→${shape.outputs}`;
  const dispatches: Dispatch<B>[] = [];
  if (gX) {
    if (gX.channels !== x.channels || pixelsOf(gX) !== pixelsOf(x)) {
      const [found, expected] = [gX, x].map((view) => `${pixelsOf(view)} pixels of ${view.channels} channels`);
      throw new ShapeError(`conv gradient: gX of ${found} meets x of ${expected}; they must be the same`);
    }
    const { threads, pixels } = variant;
    const inputs = shape.inputs / inputUnit(shape.inputs);
    const vectors = Math.min(inputs, variant.vectors);
    dispatches.push({
      label: `${label}, x`,
      code: specialise(shader, { ...types(shape), LANES: threads, PIXELS: pixels, INPUTS: vectors }),
      entryPoint: 'inputGradient',
      params: parameters(shape, 0, false, { x, y: g, gX }),
      bindings: [
        { binding: 2, buffer: weight, access: 'read' },
        { binding: 4, buffer: g.buffer, access: 'read' },
        { binding: 6, buffer: gX.buffer, access: 'write' },
      ],
      workgroups: strips(shape, pixels, inputs, threads, vectors),
    });
  }
  if (gWeight) {
    const { tiles, constants, run, runs } = weightTiling(shape, variant);
    const length = 9 * shape.inputs * shape.outputs;
    dispatches.push({
      label: `${label}, weight`,
      code: specialise(shader, { ...types(shape), ...constants }),
      entryPoint: variant.entryPoint === 'throughRegisters' ? 'weightThroughRegisters' : 'weightThroughWorkgroup',
      params: parameters(shape, run, false, { x, y: g }),
      bindings: [
        { binding: 1, buffer: x.buffer, access: 'read' },
        { binding: 4, buffer: g.buffer, access: 'read' },
        { binding: 7, buffer: runs > 1 ? partials : gWeight, access: 'write' },
      ],
      workgroups: [...tiles, runs],
    });
    if (runs > 1) dispatches.push(sumPartials({ partials, count: runs, length, sums: gWeight }));
  }
  if (gBias) dispatches.push(...biasGradient({ g, gBias, partials }));
  return dispatches;
}
