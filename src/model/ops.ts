/**
 * The operators that Restore-RWKV is made of, over any representation `T` of a tensor.
 *
 * The network is written once over this interface and runs under three interpreters: float64 arrays, tfjs tensors, and
 * handles that record a plan for the WebGPU engine. Images are [N, H, W, C]; the tokens [T, C] of the paper are the
 * same memory with T = H·W.
 */
export interface Ops<T> {
  /** Convolution 3×3 or 1×1, stride 1, zero padding. x [N, H, W, I], weight [k, k, I, O], bias [O] → [N, H, W, O] */
  conv(x: T, weight: T, bias: T | null): T;
  /** x [N, H, W, I] · weight [I, O] → [N, H, W, O] */
  linear(x: T, weight: T): T;
  /** Layer norm over channels, biased variance, eps 1e-5. x [N, H, W, C], weight [C], bias [C] */
  layerNorm(x: T, weight: T, bias: T): T;
  /** Eq. 11 as one merged depth-wise 5×5 convolution, zero padding. x [N, H, W, C], kernel [5, 5, C] */
  omniShift(x: T, kernel: T): T;
  /**
   * Bi-WKV, eq. 8, over the H·W tokens taken row by row or column by column. key, value [N, H, W, C];
   * decay (w), bonus (u) [C], both before the division by T.
   */
  biWkv(key: T, value: T, decay: T, bonus: T, scan: Scan): T;
  /** a + b, same shapes. */
  add(a: T, b: T): T;
  /** a ⊙ b; b has the shape of a, or [C]. */
  mul(a: T, b: T): T;
  sigmoid(x: T): T;
  /** relu(x)² */
  squaredRelu(x: T): T;
  /** Along channels: [N, H, W, A], [N, H, W, B] → [N, H, W, A + B] */
  concat(a: T, b: T): T;
  /** [N, H, W, 4C] → [N, 2H, 2W, C]; channel 4c + 2i + j goes to offset (i, j). */
  pixelShuffle(x: T): T;
  /** [N, 2H, 2W, C] → [N, H, W, 4C], the inverse of pixelShuffle. */
  pixelUnshuffle(x: T): T;
}

/** The order in which a pass of Re-WKV visits the tokens of an image. */
export type Scan = 'rows' | 'columns';

/** Gives the parameter at a path such as `latent.0.att.key.weight`, in the layouts that `Ops` wants. */
export type WeightLookup<T> = (path: string) => T;

/** A computation written once over the operators, on inputs that it asks for by name. */
export type Program = <T>(ops: Ops<T>, input: (name: string) => T) => T;

/** Shapes that do not fit an operator or the network. */
export class ShapeError extends Error {
  override name = 'ShapeError';
}
