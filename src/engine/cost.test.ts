import { expect, test } from 'vitest';
import { FULL, LIGHT } from '../model/config.ts';
import { countMacs } from './cost.ts';

// Counted from the public PyTorch code; with layer norms these are the paper's 37.46 G and (1.52 G printed) 1.523 G.
test.each([['full', FULL, 37.27e9], ['light', LIGHT, 1.498e9]])(
  'the %s network at 128×128 costs the multiply-accumulates that the paper counts', (_, config, expected) => {
    expect(Math.abs(countMacs(config, 128, 128) / expected - 1)).toBeLessThan(5e-4);
  },
);

test('the cost grows with the number of pixels, not its square', () => {
  expect(countMacs(LIGHT, 256, 128)).toBe(2 * countMacs(LIGHT, 128, 128));
});
