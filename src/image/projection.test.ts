import { describe, expect, it } from 'vitest';
import { filteredBackprojection } from './degradeCt.ts';
import { backproject, project, toSquare } from './projection.ts';
import { phantom } from './phantom.fixture.ts';

/*
 * Expected numbers: simulate.py, a PyTorch simulation (radon by affine_grid, grid_sample and a sum over rows; fbp by
 * torch.fft), on the same phantom:
 *   python3 -c "p = radon(phantom(96), 360); print(p.sum(), p[0,48], …); r = fbp(radon(phantom(96), 90), hann=True); …"
 */
describe('parallel-beam projection', () => {
  it('gives the line integrals of the PyTorch simulation', () => {
    const p = project({ n: 96, angles: 360 }, phantom(96).data);
    const at = (a: number, j: number) => p[a * 96 + j]!;
    // Sums of 96 float32 products in PyTorch, 1e-7 each.
    expect(at(0, 48)).toBeCloseTo(48, 3);
    expect(at(30, 40)).toBeCloseTo(47.43082, 3);
    expect(at(45, 50)).toBeCloseTo(53.40964, 3);
    expect(at(200, 60)).toBeCloseTo(56.242107, 3);
    expect(at(359, 20)).toBeCloseTo(28.007702, 3);
    expect(p.reduce((sum, value) => sum + value, 0) / 938736.44057).toBeCloseTo(1, 5);
  });

  it('filters and smears back to the image of the PyTorch simulation, corners included', () => {
    const geometry = { n: 96, angles: 90 };
    const r = filteredBackprojection(geometry, project(geometry, phantom(96).data));
    const at = (i: number, j: number) => r[i * 96 + j]!;
    expect(at(48, 48)).toBeCloseTo(0.9980632, 4);
    expect(at(40, 60)).toBeCloseTo(1.5003743, 4);
    expect(at(52, 33)).toBeCloseTo(0.5007953, 4);
    expect(at(10, 10)).toBeCloseTo(-0.21767075, 4);
    expect(at(0, 0)).toBeCloseTo(-0.0058581517, 4);
    expect(at(30, 20)).toBeCloseTo(-0.00047866264, 4);
    expect(r.reduce((sum, value) => sum + value, 0) / 2329.5042).toBeCloseTo(1, 4);
    expect(r.reduce((sum, value) => sum + value * value, 0) / 2694.967).toBeCloseTo(1, 4);
  });

  it('keeps the total of an image inside the circle at every angle', () => {
    const n = 51;
    const image = phantom(n).data;
    const total = image.reduce((sum, value) => sum + value, 0);
    const p = project({ n, angles: 7 }, image);
    for (let a = 0; a < 7; a++) {
      const sum = p.subarray(a * n, (a + 1) * n).reduce((s, value) => s + value, 0);
      // Rotating by bilinear interpolation keeps a total to about one edge pixel in a thousand.
      expect(Math.abs(sum / total - 1)).toBeLessThan(5e-3);
    }
  });

  it.each([[[1, 4]], [[4]], [[0, 5, 2]]])('computes only the angles %j of six', (wanted) => {
    const geometry = { n: 33, angles: 6 };
    const all = project(geometry, phantom(33).data);
    const some = project(geometry, phantom(33).data, wanted);
    for (let a = 0; a < 6; a++) {
      const expected = wanted.includes(a) ? all.subarray(a * 33, (a + 1) * 33) : new Float32Array(33);
      expect([...some.subarray(a * 33, (a + 1) * 33)]).toEqual([...expected]);
    }
  });

  it.each([
    [3, 5],
    [19, 2],
    [0, 14],
    [20, 20],
  ])('is linear: an image without air gains what a block of 4 × 6 at (%i, %i) gives alone', (left, top) => {
    const geometry = { n: 26, angles: 10 };
    const block = Float32Array.from({ length: 26 * 26 }, (_, i) => {
      const [x, y] = [(i % 26) - left, Math.floor(i / 26) - top];
      return x >= 0 && x < 4 && y >= 0 && y < 6 ? 1 + x + y : 0;
    });
    const filled = block.map((_, i) => 1 + (i % 3));
    const alone = project(geometry, block);
    const [without, within] = [project(geometry, filled), project(geometry, filled.map((value, i) => value + block[i]!))];
    // Line integrals below 128 in float32: half a unit in the last place is 4e-6.
    for (let i = 0; i < alone.length; i++) expect(Math.abs(within[i]! - without[i]! - alone[i]!)).toBeLessThan(2e-5);
  });

  it('smears a constant sinogram to the number of angles inside the circle', () => {
    const image = backproject({ n: 40, angles: 12 }, new Float32Array(12 * 40).fill(1));
    expect(image[20 * 40 + 20]).toBeCloseTo(12, 5);
    expect(image[20 * 40 + 3]).toBeCloseTo(12, 5);
  });

  it.each([
    [5, 3],
    [4, 7],
    [1, 2],
  ])('puts a %i × %i slice into a square and takes it out unchanged', (width, height) => {
    const slice = { width, height, data: Float32Array.from({ length: width * height }, (_, i) => i + 1) };
    const square = toSquare(slice, -1000);
    expect(square.n).toBe(Math.max(width, height));
    expect(square.data.filter((value) => value === -1000).length).toBe(square.n ** 2 - width * height);
    expect(square.back(square.data)).toEqual(slice);
  });
});
