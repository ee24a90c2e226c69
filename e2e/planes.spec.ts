import { readFileSync } from 'node:fs';
import { decode } from 'fast-png';
import { expect, test, type Page } from 'playwright/test';
import { niftiGz } from './files.ts';
import { letters, save } from './page.ts';

/** The grey of every voxel, distinct, and the window that shows a value as the grey of the same number. */
const value = (i: number, j: number, k: number) => 20 + 3 * i + 30 * k + j;
const GRID = { columns: 8, rows: 6, slices: 5, value };

async function open(page: Page, buffer: Buffer): Promise<void> {
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles({ name: 'numbers.nii.gz', mimeType: '', buffer });
  await expect(page.getByRole('spinbutton', { name: 'Window' })).toBeVisible();
  await page.getByRole('spinbutton', { name: 'Window' }).fill('255');
  await page.getByRole('spinbutton', { name: 'Level' }).fill('127.5');
}

/** The greys at the middle of each of columns × rows squares that the saved view's first pane shows. */
async function greys(page: Page, columns: number, rows: number): Promise<{ greys: number[][]; aspect: number }> {
  const { data, width, height, channels } = decode(readFileSync(await save(page, 'PNG image')));
  const at = (x: number, y: number) => data[(y * width + x) * channels]!;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width / 2 - 2; x++) {
      if (at(x, y) < 16) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  const [across, down] = [(right - left + 1) / columns, (bottom - top + 1) / rows];
  const shown = Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) =>
    at(Math.floor(left + (column + 0.5) * across), Math.floor(top + (row + 0.5) * down))));
  return { greys: shown, aspect: down / across };
}

test('the other planes show the volume’s own voxels, upright and in true aspect', async ({ page }) => {
  // i to the right, j to the front, k to the head; 10 × 10 × 15 mm.
  await open(page, niftiGz(GRID, [10, 10, 15], [[10, 0, 0, 0], [0, 10, 0, 0], [0, 0, 15, 0]]));
  const slice = page.getByRole('slider', { name: 'Slice' });
  await expect(page.getByRole('radio', { name: 'Axial' })).toBeChecked();
  await expect(slice).toHaveAttribute('max', '5');
  await expect(slice).toHaveValue('3');

  await page.getByRole('radio', { name: 'Coronal' }).check({ force: true });
  expect(await letters(page)).toEqual({ left: 'R', right: 'L', top: 'S', bottom: 'I' });
  await expect(slice).toHaveAttribute('max', '6');
  await expect(slice).toHaveValue('4'); // the middle row
  await slice.press('ArrowLeft');
  const coronal = await greys(page, 8, 5);
  expect(coronal.greys).toEqual([4, 3, 2, 1, 0].map((k) => [7, 6, 5, 4, 3, 2, 1, 0].map((i) => value(i, 2, k))));
  expect(coronal.aspect).toBeCloseTo(1.5, 1);

  await page.getByRole('radio', { name: 'Sagittal' }).check({ force: true });
  expect(await letters(page)).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' });
  await expect(slice).toHaveAttribute('max', '8');
  await slice.press('Home');
  await expect(slice).toHaveValue('1');
  const sagittal = await greys(page, 6, 5);
  expect(sagittal.greys).toEqual([4, 3, 2, 1, 0].map((k) => [5, 4, 3, 2, 1, 0].map((j) => value(0, j, k))));

  // Every plane is found where it was left.
  await page.getByRole('radio', { name: 'Coronal' }).check({ force: true });
  await expect(slice).toHaveValue('3');
  await page.getByRole('radio', { name: 'Axial' }).check({ force: true });
  await expect(slice).toHaveValue('3');
});

test('cuts show what is restored, and say that only acquired slices are', async ({ page }) => {
  await open(page, niftiGz(GRID, [10, 10, 15], [[10, 0, 0, 0], [0, 10, 0, 0], [0, 0, 15, 0]]));
  await page.getByRole('radio', { name: 'Coronal' }).check({ force: true });
  await expect(page.getByRole('button', { name: 'Restore', exact: true })).toBeDisabled();
  await expect(page.getByText('Only axial slices are restored: 0 of 5.')).toBeVisible();
  await page.keyboard.press('r');
  await expect(page.getByRole('status')).toContainText('Only axial slices are restored: choose that plane');

  await page.getByRole('radio', { name: 'Axial' }).check({ force: true });
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('1 of 5 slices restored')).toBeVisible({ timeout: 120_000 });
  await page.getByRole('radio', { name: 'Coronal' }).check({ force: true });
  await expect(page.locator('.pane-part')).toHaveText('1 of 5 slices');
  await page.getByRole('button', { name: 'Restore volume' }).click();
  await expect(page.getByText('Only axial slices are restored: 5 of 5.')).toBeVisible({ timeout: 120_000 });
  await expect(page.locator('.pane-part')).toHaveCount(0);
  await expect(page.getByRole('region', { name: 'Metrics' })).toContainText('Needs a reference');
});

test('a 4-D image has a slider for its time points, by mouse and by key', async ({ page }) => {
  // Two slices at three times; slice k at time t is 20 + 20 k + 60 t all over, but for a stripe at 200.
  const grey = (slice: number) => 20 + 20 * (slice % 2) + 60 * Math.floor(slice / 2);
  const grid = { columns: 8, rows: 6, slices: 6, value: (i: number, _: number, slice: number) =>
    i === 0 ? 200 : grey(slice) };
  const srow = [[10, 0, 0, 0], [0, 10, 0, 0], [0, 0, 15, 0]];
  await open(page, niftiGz(grid, [10, 10, 15], srow, 'int16', 3));
  await expect(page.getByText('8 × 6 × 2 × 3')).toBeVisible();
  const slice = page.getByRole('slider', { name: 'Slice' });
  const time = page.getByRole('slider', { name: 'Time' });
  await expect(slice).toHaveAttribute('max', '2');
  await expect(time).toHaveAttribute('max', '3');
  await expect(time).toHaveAttribute('aria-valuetext', '1 of 3');
  const middle = async () => (await greys(page, 8, 6)).greys[3]![4];
  await page.keyboard.press('End');
  expect(await middle()).toBe(40);
  await page.locator('body').click({ position: { x: 5, y: 5 } });
  await page.keyboard.press('PageDown');
  await expect(time).toHaveValue('2');
  expect(await middle()).toBe(100);
  await page.keyboard.press('Shift+ArrowRight');
  await expect(time).toHaveValue('3');
  await page.keyboard.press('PageDown');
  await expect(time).toHaveValue('3');
  await page.keyboard.press('Home');
  await expect(slice).toHaveValue('1');
  expect(await middle()).toBe(140);
  await time.fill('1');
  expect(await middle()).toBe(20);
  await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
  await expect(page.getByRole('dialog')).toContainText('Previous and next time');
});
