/** Fraction bits of the constants, and those that the first pass keeps of its results for 12-bit samples. */
const CONSTANT_BITS = 13;
const PASS_BITS = 1;

const fixed = (value: number): number => Math.round(value * 2 ** CONSTANT_BITS);
const C_0_298631336 = fixed(0.298631336);
const C_0_390180644 = fixed(0.390180644);
const C_0_541196100 = fixed(0.5411961);
const C_0_765366865 = fixed(0.765366865);
const C_0_899976223 = fixed(0.899976223);
const C_1_175875602 = fixed(1.175875602);
const C_1_501321110 = fixed(1.50132111);
const C_1_847759065 = fixed(1.847759065);
const C_1_961570560 = fixed(1.96157056);
const C_2_053119869 = fixed(2.053119869);
const C_2_562915447 = fixed(2.562915447);
const C_3_072711026 = fixed(3.072711026);

const scratch = new Float64Array(64);

/** Eight values of `source` from `at` on, `stride` apart, through one 1-D transform; rounded after 2^−shift. */
function transform(source: Float64Array, target: Float64Array, at: number, stride: number, shift: number): void {
  const value = (index: number): number => source[at + index * stride] ?? 0;
  const even = (value(2) + value(6)) * C_0_541196100;
  const even2 = even - value(6) * C_1_847759065;
  const even3 = even + value(2) * C_0_765366865;
  const sum = (value(0) + value(4)) * 2 ** CONSTANT_BITS;
  const difference = (value(0) - value(4)) * 2 ** CONSTANT_BITS;

  const turn = (value(7) + value(3) + value(5) + value(1)) * C_1_175875602;
  const outer = -(value(7) + value(1)) * C_0_899976223;
  const inner = -(value(5) + value(3)) * C_2_562915447;
  const odd73 = turn - (value(7) + value(3)) * C_1_961570560;
  const odd51 = turn - (value(5) + value(1)) * C_0_390180644;
  const odd0 = value(7) * C_0_298631336 + outer + odd73;
  const odd1 = value(5) * C_2_053119869 + inner + odd51;
  const odd2 = value(3) * C_3_072711026 + inner + odd73;
  const odd3 = value(1) * C_1_501321110 + outer + odd51;

  const put = (index: number, result: number): void => {
    target[at + index * stride] = Math.floor(result / 2 ** shift + 0.5);
  };
  put(0, sum + even3 + odd3);
  put(7, sum + even3 - odd3);
  put(1, difference + even2 + odd2);
  put(6, difference + even2 - odd2);
  put(2, difference - even2 + odd1);
  put(5, difference - even2 - odd1);
  put(3, sum - even3 + odd0);
  put(4, sum - even3 - odd0);
}

/**
 * The inverse DCT of 8 × 8 dequantised coefficients, in place, by C. Loeffler, A. Ligtenberg and G. S. Moschytz,
 * "Practical fast 1-D DCT algorithms with 11 multiplications" (ICASSP 1989). Columns first, with the constants' and
 * passes' rounding of the Independent JPEG Group's accurate integer method for 12-bit samples, so that results equal
 * those of the decoders in use: a float transform differs by one here and there. All numbers stay integers below 2^53.
 */
export function inverseDct(block: Float64Array): void {
  for (let column = 0; column < 8; column += 1) transform(block, scratch, column, 8, CONSTANT_BITS - PASS_BITS);
  // The factor of 8 is what the two unnormalised passes leave.
  for (let row = 0; row < 8; row += 1) transform(scratch, block, row * 8, 1, CONSTANT_BITS + PASS_BITS + 3);
}
