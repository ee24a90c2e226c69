import { ShapeError } from '../model/ops.ts';

/** A tensor of the reference interpreter: row-major, channels innermost. */
export interface Float64Image {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A tensor from numbers of any kind. @throws ShapeError if their number does not fit the shape */
export function float64Image(shape: readonly number[], data: ArrayLike<number>): Float64Image {
  if (data.length !== size(shape)) {
    throw new ShapeError(`reference: shape ${show(shape)} wants ${size(shape)} values, ${data.length} were given`);
  }
  return { shape: [...shape], data: data instanceof Float64Array ? data : Float64Array.from(data) };
}

export function zeros(shape: readonly number[]): Float64Image {
  return { shape: [...shape], data: new Float64Array(size(shape)) };
}

export function size(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The four extents of an image [N, H, W, C]. @throws ShapeError if it has another rank */
export function imageShape(operation: string, x: Float64Image): [n: number, h: number, w: number, c: number] {
  const [n, h, w, c] = x.shape;
  if (x.shape.length !== 4 || n === undefined || h === undefined || w === undefined || c === undefined) {
    throw new ShapeError(`${operation}: an image has shape [N, H, W, C], found ${show(x.shape)}`);
  }
  return [n, h, w, c];
}

/** @throws ShapeError unless `x`, called `name` in the message, has exactly this shape */
export function expectShape(operation: string, name: string, x: Float64Image, shape: readonly number[]): void {
  if (!sameShape(x.shape, shape)) {
    throw new ShapeError(`${operation}: ${name} has shape ${show(x.shape)}, expected ${show(shape)}`);
  }
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

export function show(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
