import shader from '../../shaders/linearGradient.wgsl?raw';
import { ShapeError } from '../model/ops.ts';
import type { Dispatch, View } from './kernel.ts';
import { pixelsOf, place, specialise } from './kernel.ts';
import { sumPartials } from './sumPartials.ts';
import type { Variants } from './variants.ts';

type Variant = Variants['linearGradient'];

export interface LinearGradientArguments<B> {
  /** [N, H, W, I] */
  readonly x: View<B>;
  /** [I, O] */
  readonly weight: B;
  /** ∂L/∂y [N, H, W, O] */
  readonly g: View<B>;
  /** ∂L/∂x [N, H, W, I], ∂L/∂W [I, O] and, of a 1×1 convolution, ∂L/∂bias [O]; null or left out: not wanted */
  readonly gX: View<B> | null;
  readonly gWeight: B | null;
  readonly gBias?: B | null;
  /** As large as `linearGradientScratch` says. */
  readonly partials: B;
}

/** Channel vec4s on either side of the tile of W that a thread holds through registers, and threads a workgroup. */
const REGISTER_TILE = 3;
const LANES = 8;

/** Tokens a thread should sum over at least, for the sums of threads to cost little beside. */
const LEAST_TOKENS = 32;

/** How the gradient of W is tiled and over how many runs of tokens it is summed. */
function weightTiling(shape: { tokens: number; inputs: number; outputs: number }, variant: Variant) {
  const { tokens } = shape;
  const [inputs, outputs] = [shape.inputs / 4, shape.outputs / 4];
  if (variant.entryPoint === 'throughRegisters') {
    const tiles = [Math.ceil(outputs / REGISTER_TILE), Math.ceil(inputs / REGISTER_TILE)] as const;
    const constants = { INPUTS: REGISTER_TILE, OUTPUTS: REGISTER_TILE, LANES };
    return { tiles, constants, ...splitInRuns(tokens, LEAST_TOKENS * LANES, variant.groups / (tiles[0] * tiles[1])) };
  }
  const [ROWS, COLUMNS] = [divisorUpTo(inputs, 8), divisorUpTo(outputs, 8)];
  const tiles = [outputs / COLUMNS, inputs / ROWS] as const;
  const constants = { ROWS, COLUMNS, ...workgroupTiling(ROWS * COLUMNS, ROWS + COLUMNS) };
  return { tiles, constants, ...splitInRuns(tokens, 4 * constants.CHUNK, variant.groups / (tiles[0] * tiles[1])) };
}

/** The largest divisor of a count that is at most `most`. */
export function divisorUpTo(count: number, most: number): number {
  for (let divisor = Math.min(count, most); divisor > 1; divisor--) if (count % divisor === 0) return divisor;
  return 1;
}

/**
 * A workgroup whose threads share tiles of tokens: as many slices of `tiles` threads as 256 threads hold, and as many
 * tokens of `vectors` vec4s as 8 KiB hold, so that the sums of threads fit in the 16 KiB that every device grants.
 */
export function workgroupTiling(tiles: number, vectors: number) {
  const SLICES = Math.max(1, Math.floor(256 / tiles));
  return { SLICES, THREADS: tiles * SLICES, CHUNK: SLICES * Math.max(1, Math.floor(512 / (vectors * SLICES))) };
}

/** Deals `count` to at most `most` runs of one length (the last may be shorter), not below `least` without need. */
export function splitInRuns(count: number, least: number, most: number): { run: number; runs: number } {
  const run = Math.ceil(count / Math.max(1, Math.min(Math.ceil(most), Math.floor(count / least))));
  return { run, runs: Math.ceil(count / run) };
}

/** Floats of `partials` for so many tokens (pixels of all images); at least 4, so that a buffer can be made of it. */
export function linearGradientScratch(
  shape: { tokens: number; inputs: number; outputs: number }, variant: Variant,
): number {
  const { runs } = weightTiling(shape, variant);
  return Math.max(4, runs > 1 ? runs * shape.inputs * shape.outputs : 0, biasGradientScratch(shape));
}

/**
 * Gradients of y = x·W over channels for g = ∂L/∂y: y_to = Σ_i x_ti W_io, so ∂L/∂x_ti = Σ_o g_to W_io, that is g·Wᵀ,
 * and ∂L/∂W_io = Σ_t x_ti g_to, that is xᵀ·g, in float32. Runs of tokens are summed by workgroups of their own, then
 * together: there are thousands of tokens and often few weights. I and O are multiples of 4, without padding; also the
 * gradients of the 1×1 convolution.
 *
 * @throws ShapeError for channels that are no multiples of 4, or where g or gX do not fit x
 */
export function linearGradient<B>(args: LinearGradientArguments<B>, variant: Variant): Dispatch<B>[] {
  const { x, weight, g, gX, gWeight, gBias, partials } = args;
  const [tokens, inputs, outputs] = [pixelsOf(x), x.channels, g.channels];
  if (inputs % 4 !== 0 || outputs % 4 !== 0) {
    throw new ShapeError(`linear gradient: ${inputs}→${outputs} channels, expected multiples of 4`);
  }
  if (pixelsOf(g) !== tokens || (gX && (pixelsOf(gX) !== tokens || gX.channels !== inputs))) {
    const found = `g of ${pixelsOf(g)} pixels${gX ? ` and gX of ${pixelsOf(gX)}×${gX.channels}` : ''}`;
    throw new ShapeError(`linear gradient: ${found} meet x of ${tokens} pixels × ${inputs} channels; they must fit`);
  }
  const places = [...place(x, 4), ...place(g, 4), ...place(gX ?? x, 4)];
  const sizes = [tokens, inputs / 4, outputs / 4];
  const label = `linear gradient ${inputs}→${outputs}`;
  const dispatches: Dispatch<B>[] = [];
  if (gX) {
    const { entryPoint, tokens: perThread, inputs: vectors } = variant;
    const side = entryPoint === 'throughRegisters' ? [LANES, 1] : [8, 8];
    const groups = Math.ceil(tokens / (side[0]! * perThread));
    dispatches.push({
      label: `${label}, x`,
      code: specialise(shader, { TOKENS: perThread, INPUTS: vectors, LANES }),
      entryPoint: entryPoint === 'throughRegisters' ? 'inputThroughRegisters' : 'inputThroughWorkgroup',
      params: [...sizes, 0, ...places],
      bindings: [
        { binding: 2, buffer: weight, access: 'read' },
        { binding: 3, buffer: g.buffer, access: 'read' },
        { binding: 4, buffer: gX.buffer, access: 'write' },
      ],
      workgroups: [
        Math.min(groups, 65535), Math.ceil(inputs / 4 / (side[1]! * vectors)), Math.ceil(groups / 65535),
      ],
    });
  }
  if (gWeight) {
    const { tiles, constants, run, runs } = weightTiling({ tokens, inputs, outputs }, variant);
    dispatches.push({
      label: `${label}, weight`,
      code: specialise(shader, constants),
      entryPoint: variant.entryPoint === 'throughRegisters' ? 'weightThroughRegisters' : 'weightThroughWorkgroup',
      params: [...sizes, run, ...places],
      bindings: [
        { binding: 1, buffer: x.buffer, access: 'read' },
        { binding: 3, buffer: g.buffer, access: 'read' },
        { binding: 5, buffer: runs > 1 ? partials : gWeight, access: 'write' },
      ],
      workgroups: [...tiles, runs],
    });
    if (runs > 1) dispatches.push(sumPartials({ partials, count: runs, length: inputs * outputs, sums: gWeight }));
  }
  if (gBias) dispatches.push(...biasGradient({ g, gBias, partials }));
  return dispatches;
}

/**
 * How many sums are made side by side before they are added to each other: a divisor of the token count, so that g can
 * be read as rows of so many tokens.
 */
function sumsBesides(tokens: number): number {
  let sums = 1;
  while (sums < 64 && tokens % (2 * sums) === 0) sums *= 2;
  return sums;
}

/** Floats of `partials` for `biasGradient`. */
export function biasGradientScratch({ tokens, outputs }: { tokens: number; outputs: number }): number {
  return sumsBesides(tokens) * outputs;
}

/**
 * The gradient of a bias: ∂L/∂bias = Σ g over the pixels of all images.
 *
 * @param args g [N, H, W, O], tight; gBias [O]; partials as large as `biasGradientScratch` says
 * @throws ShapeError where g is a part of a wider tensor
 */
export function biasGradient<B>({ g, gBias, partials }: { g: View<B>; gBias: B; partials: B }): Dispatch<B>[] {
  const [tokens, outputs] = [pixelsOf(g), g.channels];
  if (g.offset !== 0 || g.stride !== outputs) {
    const found = `stride ${g.stride} and offset ${g.offset}`;
    throw new ShapeError(`bias gradient: g has ${found}, expected ${outputs} channels without anything between`);
  }
  const sums = sumsBesides(tokens);
  if (sums === 1) return [sumPartials({ partials: g.buffer, count: tokens, length: outputs, sums: gBias })];
  return [
    sumPartials({ partials: g.buffer, count: tokens / sums, length: sums * outputs, sums: partials }),
    sumPartials({ partials, count: sums, length: outputs, sums: gBias }),
  ];
}
