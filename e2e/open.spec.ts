import { mkdirSync, writeFileSync } from 'node:fs';
import { decode } from 'fast-png';
import { expect, test, type Page } from 'playwright/test';
import { dicomCt, niftiGz } from './files.ts';
import { dropPaths, letters, openSample, restored } from './page.ts';

/** Bright everywhere but in the block next to voxel (0, 0), a quarter of each side. */
const marked = (columns: number, rows: number, slices: number, bright: number, dark: number) => ({
  columns,
  rows,
  slices,
  value: (i: number, j: number) => (i < columns / 4 && j < rows / 4 ? dark : bright),
});

/** Where the bright picture lies in the first pane, and which of its corners is dark. */
async function picture(page: Page): Promise<{ width: number; height: number; dark: string }> {
  await page.addStyleTag({ content: '.pane { visibility: hidden }' });
  const box = (await page.locator('.pane').first().boundingBox())!;
  await page.waitForTimeout(500);
  const { data, width, height, channels } = decode(await page.screenshot({ clip: box }));
  const bright = (x: number, y: number) => data[(y * width + x) * channels]! > 128;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!bright(x, y)) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  const dx = Math.round((right - left) / 10);
  const dy = Math.round((bottom - top) / 10);
  const corners = { 'top left': [left + dx, top + dy], 'top right': [right - dx, top + dy],
    'bottom left': [left + dx, bottom - dy], 'bottom right': [right - dx, bottom - dy] };
  const dark = Object.entries(corners).filter(([, [x, y]]) => !bright(x!, y!)).map(([name]) => name);
  return { width: right - left + 1, height: bottom - top + 1, dark: dark.join(', ') };
}

test('a dropped sagittal .nii.gz stands upright with its letters and its true aspect', async ({ page }) => {
  // i runs to the back, j to the head, k to the right of the patient; 40 × 1 mm by 24 × 2 mm.
  const bytes = niftiGz(marked(40, 24, 3, 100, 0), [1, 2, 4], [[0, 0, 4, 0], [-1, 0, 0, 0], [0, 2, 0, 0]]);
  const path = test.info().outputPath('sagittal.nii.gz');
  writeFileSync(path, bytes);
  await page.goto('./?device=wasm');
  await dropPaths(page, [path]);
  await expect(page.getByRole('slider', { name: 'Slice' })).toHaveValue('2');
  expect(await letters(page)).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' });
  const { width, height, dark } = await picture(page);
  expect(dark).toBe('bottom left');
  expect(width / height).toBeCloseTo(40 / 48, 1);
});

test('a dropped folder of DICOM is one volume in the order of positions, in true aspect', async ({ page }) => {
  // Rows run to the left of the patient, columns to the back (LPS); row spacing 1 mm, column spacing 2 mm.
  const folder = test.info().outputPath('series');
  mkdirSync(folder, { recursive: true });
  const grid = marked(20, 30, 4, 300, -900);
  const names = ['d', 'b', 'a', 'c'];
  names.forEach((name, k) => {
    const spacing: [number, number] = [1, 2];
    const place = { spacing, directions: [1, 0, 0, 0, 1, 0], position: [0, 0, 5 * k], thickness: 5 };
    writeFileSync(`${folder}/${name}.dcm`, dicomCt(grid, k, place));
  });
  writeFileSync(`${folder}/notes.txt`, 'not an image');
  await page.goto('./?device=wasm');
  await dropPaths(page, [folder]);
  await expect(page.getByText('20 × 30 × 4 · 2.00 × 1.00 × 5.00 mm')).toBeVisible();
  await expect(page.getByRole('status')).toContainText('notes.txt');
  expect(await letters(page)).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
  await expect(page.getByRole('spinbutton', { name: 'Window' })).toHaveValue('400');
  await expect(page.getByRole('spinbutton', { name: 'Level' })).toHaveValue('40');
  const { width, height, dark } = await picture(page);
  expect(dark).toBe('top left');
  expect(width / height).toBeCloseTo(40 / 30, 1);
});

test('a broken file is one sentence, and what was open stays and works', async ({ page }) => {
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  const broken = niftiGz(marked(8, 8, 1, 1, 0), [1, 1, 1], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]).subarray(0, 60);
  await page.getByLabel('Open images').setInputFiles({ name: 'broken.nii.gz', mimeType: '', buffer: broken });
  const alert = page.getByRole('alert');
  await expect(alert).toBeVisible();
  expect(await alert.textContent()).not.toMatch(/\n|\bat .*:\d+/);
  await page.screenshot({ path: 'e2e/artefacts/alert.png' });
  await expect(page.getByText('pet-chest-drf12').first()).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('slider', { name: 'Slice' })).toHaveValue('4');
  await page.keyboard.press('r');
  await expect(page.getByText('2 of 5 slices restored')).toBeVisible({ timeout: 120_000 });
  await expect(alert).toHaveCount(0);
});

test('Degrade makes the opened image the reference and can be undone', async ({ page }) => {
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles('public/samples/pet-chest-reference.nii.gz');
  const metrics = page.getByRole('region', { name: 'Metrics' });
  await page.getByLabel('Treat as').selectOption('PET');
  await expect(metrics).toContainText('Needs a reference');
  await page.getByRole('button', { name: 'Degrade' }).click();
  await expect(metrics).toContainText('Against the image as opened', { timeout: 120_000 });
  await expect(metrics.locator('tbody td').first()).toHaveText(/\d/, { timeout: 120_000 });
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(metrics).toContainText('Needs a reference');
});

test('views change by radio and by key, and the list of keys opens', async ({ page }) => {
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  const views = page.getByRole('radiogroup', { name: 'View' });
  await expect(views.getByRole('radio', { name: 'Side by side' })).toBeChecked();
  for (const name of ['Swipe', 'Difference', 'SSIM map']) {
    await page.keyboard.press('v');
    await expect(views.getByRole('radio', { name })).toBeChecked();
    await page.waitForTimeout(500);
    await page.screenshot({ path: `e2e/artefacts/view-${name.toLowerCase().replace(' ', '-')}.png` });
  }
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
});

test('no request leaves the origin, from the page to a restored and saved image', async ({ page, baseURL }) => {
  const elsewhere: string[] = [];
  page.context().on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    const inside = protocol === 'blob:' || protocol === 'data:' || origin === new URL(baseURL!).origin;
    if (!inside) elsewhere.push(request.url());
  });
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'PNG image' }).click();
  expect((await coming).suggestedFilename()).toMatch(/\.png$/);
  expect(elsewhere).toEqual([]);
});
