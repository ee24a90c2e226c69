import { describe, expect, it } from 'vitest';
import { inputScores, validate, type ValidationImage } from './validate.ts';

const HEIGHT = 24;
const WIDTH = 17;
const reference = Float32Array.from({ length: HEIGHT * WIDTH }, (_, i) => (i % WIDTH) / (WIDTH - 1));
/** A reference of range 1 and an input that is off by `error` everywhere. */
const image = (error: number): ValidationImage =>
  ({ height: HEIGHT, width: WIDTH, reference, input: () => reference.map((value) => value + (value > 0.5 ? -error : error)) });

describe('validation', () => {
  it('gives mean PSNR of inputs and of what is restored from them', async () => {
    const images = [image(0.1), image(0.01)];
    // 10 log10(1 / 0.1²) = 20 dB and 40 dB; halved errors are 6.0206 dB better.
    const inputs = inputScores(images);
    expect(inputs.psnr).toBeCloseTo(30, 4);
    const restore = async (input: Float32Array, height: number, width: number) => {
      expect([height, width]).toEqual([HEIGHT, WIDTH]);
      return input.map((value, i) => (value + reference[i]) / 2);
    };
    const found = await validate({ step: 7, restore }, images);
    expect(found).toMatchObject({ step: 7, inputPsnr: inputs.psnr, inputSsim: inputs.ssim });
    expect(found.psnr).toBeCloseTo(30 + 20 * Math.log10(2), 4);
    expect(found.ssim).toBeGreaterThan(inputs.ssim);
    expect(found.ssim).toBeLessThan(1);
  });

  it('leaves an image that equals its reference out of the PSNR, not out of the SSIM', async () => {
    const { psnr, ssim } = await validate({ step: 0, restore: async (input) => input }, [image(0), image(0.1)]);
    expect(psnr).toBeCloseTo(20, 4);
    expect(ssim).toBeGreaterThan(inputScores([image(0.1)]).ssim);
  });

  it('has no figures without images', async () => {
    const { psnr, inputSsim } = await validate({ step: 0, restore: async (input) => input }, []);
    expect([psnr, inputSsim]).toEqual([NaN, NaN]);
  });
});
