import { describe, expect, test } from 'vitest';
import { screenToVoxel, zoomAt } from './geometry.ts';
import type { SliceGeometry } from './geometry.ts';
import { panes } from './panes.ts';

const AT_REST = { zoom: 1, panX: 0, panY: 0 };
const PANE = { x: 10, y: 20, width: 400, height: 300 };
const PLAIN: SliceGeometry = {
  columns: 40, rows: 24, pixel: { x: 1, y: 2 }, transpose: false, flipX: false, flipY: false,
};
const SQUARE: SliceGeometry = { ...PLAIN, columns: 50, rows: 50, pixel: { x: 1, y: 1 } };

const voxel = (slice: SliceGeometry, x: number, y: number, camera = AT_REST) => {
  const m = screenToVoxel(PANE, slice, camera);
  return { column: m.xx * x + m.xy * y + m.x0, row: m.yx * x + m.yy * y + m.y0 };
};

describe('from the screen to voxels', () => {
  test('the middle of the pane is the middle of the slice, whatever its orientation', () => {
    for (const transpose of [false, true]) {
      for (const flipX of [false, true]) {
        const middle = voxel({ ...PLAIN, transpose, flipX }, 210, 170);
        expect(middle.column).toBeCloseTo(20, 9);
        expect(middle.row).toBeCloseTo(12, 9);
      }
    }
  });

  test('a step across the screen is as many mm as the same step down', () => {
    const m = screenToVoxel(PANE, PLAIN, AT_REST);
    expect(m.xx * PLAIN.pixel.x).toBeCloseTo(m.yy * PLAIN.pixel.y, 12);
  });

  test('a flip mirrors the column, a transposition exchanges the axes', () => {
    const right = voxel(PLAIN, 260, 170).column - 20;
    expect(voxel({ ...PLAIN, flipX: true }, 260, 170).column - 20).toBeCloseTo(-right, 9);
    const turned = voxel({ ...PLAIN, transpose: true }, 260, 170);
    expect(turned.column).toBeCloseTo(20, 9);
    expect(turned.row).toBeGreaterThan(12);
  });

  test('zooming keeps the tissue under the pointer', () => {
    const camera = zoomAt(PANE, PLAIN, { zoom: 1.3, panX: 3, panY: -2 }, 1.7, 133, 99);
    const before = voxel(PLAIN, 133, 99, { zoom: 1.3, panX: 3, panY: -2 });
    const after = voxel(PLAIN, 133, 99, camera);
    expect(after.column).toBeCloseTo(before.column, 9);
    expect(after.row).toBeCloseTo(before.row, 9);
  });
});

describe('panes', () => {
  test('three images lie in a row on a wide canvas and in a grid on a phone', () => {
    expect(panes(1080, 700, 'side', true, SQUARE).map(({ rect }) => rect.y)).toEqual([0, 0, 0]);
    const phone = panes(390, 425, 'side', true, SQUARE).map(({ rect }) => [rect.x, rect.y, rect.width]);
    expect(phone).toEqual([[0, 0, 194], [196, 0, 194], [0, 214, 390]]);
  });

  test('images that are three times as wide as high lie one above the other on a phone', () => {
    const wide = { ...SQUARE, columns: 150 };
    const phone = panes(390, 425, 'side', true, wide).map(({ rect }) => [rect.x, rect.y]);
    expect(phone).toEqual([[0, 0], [0, 142], [0, 285]]);
    // Turned by a quarter they are high, and lie in a row.
    const high = panes(390, 425, 'side', true, { ...wide, transpose: true }).map(({ rect }) => rect.y);
    expect(high).toEqual([0, 0, 0]);
  });

  test('a pane that has a row to itself shows its slice in its middle, as large as the others do', () => {
    const [first, , last] = panes(390, 425, 'side', true, SQUARE).map(({ rect }) => rect);
    expect(screenToVoxel(last!, SQUARE, AT_REST).scale).toBe(screenToVoxel(first!, SQUARE, AT_REST).scale);
    const m = screenToVoxel(last!, SQUARE, AT_REST);
    expect(m.xx * 195 + m.x0).toBeCloseTo(25, 9);
  });

  test('no two panes share a pixel and all lie on the canvas', () => {
    for (const [width, height] of [[1081, 701], [391, 427], [300, 900]] as const) {
      const all = panes(width, height, 'side', true, SQUARE).map(({ rect }) => rect);
      for (const a of all) {
        expect(a.x + a.width).toBeLessThanOrEqual(width);
        expect(a.y + a.height).toBeLessThanOrEqual(height);
        const apart = (b: typeof a) =>
          b === a || a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
        expect(all.every(apart)).toBe(true);
      }
    }
  });
});
