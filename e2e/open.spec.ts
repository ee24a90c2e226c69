import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { decode } from 'fast-png';
import { expect, test, type Page } from 'playwright/test';
import { dicomCt, greyPng, niftiGz, readNiftiGz } from './files.ts';
import { dropPaths, figures, letters, openSample, restored, save } from './page.ts';

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
  // The slice at position k has 50 + 100 k HU; neither names nor instance numbers follow the positions.
  const bright = (k: number) => 50 + 100 * k;
  const grid = { columns: 20, rows: 30, slices: 4, value: (i: number, j: number, k: number) =>
    marked(20, 30, 4, bright(k), -900).value(i, j) };
  ['d', 'b', 'a', 'c'].forEach((name, k) => {
    const spacing = [1, 2] as const;
    const position = [10, -20, 5 * k - 30];
    const place = { spacing, directions: [1, 0, 0, 0, 1, 0], position, thickness: 5, instance: [3, 1, 4, 2][k]! };
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

  // Saved with its third slice restored, the others as they came.
  await expect(page.getByRole('slider', { name: 'Slice' })).toHaveValue('3');
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('1 of 4 slices restored')).toBeVisible({ timeout: 120_000 });
  const { header, values } = readNiftiGz(await save(page, 'NIfTI volume'));
  expect([0, 1, 2, 3].map((i) => header.readInt16LE(40 + 2 * i))).toEqual([3, 20, 30, 4]);
  expect([1, 2, 3].map((i) => header.readFloatLE(76 + 4 * i))).toEqual([2, 1, 5]);
  // Voxels → mm in NIfTI's RAS: the first two of DICOM's LPS axes change their sign.
  const srow = [0, 1, 2].map((row) => [0, 1, 2, 3].map((i) => header.readFloatLE(280 + 16 * row + 4 * i)));
  expect(srow).toEqual([[-2, 0, 0, -10], [0, -1, 0, 20], [0, 0, 5, -30]].map((row) => row.map((n) => n + 0)));
  for (const k of [0, 1, 3]) {
    const slice = [...values.subarray(600 * k, 600 * (k + 1))];
    expect(slice).toEqual(slice.map((_, at) => grid.value(at % 20, Math.floor(at / 20), k)));
  }

  const { width, height, dark } = await picture(page);
  expect(dark).toBe('top left');
  expect(width / height).toBeCloseTo(40 / 30, 1);
});

test('a PNG opens as [0, 1], is shown in its own greys, and is saved as it is shown', async ({ page }) => {
  const buffer = greyPng(40, 24, (i) => (i < 20 ? 51 : 204));
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles({ name: 'halves.png', mimeType: 'image/png', buffer });
  await expect(page.getByText('40 × 24 × 1')).toBeVisible();
  await page.getByRole('spinbutton', { name: 'Window' }).fill('1');
  await page.getByRole('spinbutton', { name: 'Level' }).fill('0.5');
  const viewer = (await page.locator('.viewer').boundingBox())!;
  const bytes = readFileSync(await save(page, 'PNG image'));
  // Decoded by the browser: size, and the greys left and right of the middle of the first of two panes.
  const shown = await page.evaluate(async (base64) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
    const { width, height } = picture;
    const context = new OffscreenCanvas(width, height).getContext('2d')!;
    context.drawImage(picture, 0, 0);
    const at = (x: number) => [...context.getImageData(Math.round(x), Math.round(height / 2), 1, 1).data];
    return { width, height, left: at(width / 4 - 100), right: at(width / 4 + 100) };
  }, bytes.toString('base64'));
  expect(shown).toEqual({
    width: Math.round(viewer.width), height: Math.round(viewer.height),
    left: [51, 51, 51, 255], right: [204, 204, 204, 255],
  });
});

test('voxels outside the model’s range are counted after a restoration', async ({ page }) => {
  // CT: −1024 … 3072 HU. Seven voxels of the first slice and two of the second lie above.
  const high = [7, 2];
  const grid = { columns: 21, rows: 10, slices: 2, value: (i: number, j: number, k: number) =>
    j === 0 && i < high[k]! ? 4000 : 40 };
  const buffer = niftiGz(grid, [1, 1, 1], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]);
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles({ name: 'metal.nii.gz', mimeType: '', buffer });
  await page.getByLabel('Treat as').selectOption('CT');
  await page.getByRole('slider', { name: 'Slice' }).press('Home');
  await page.keyboard.press('r');
  const status = page.getByRole('status');
  await expect(status).toContainText('−1024 … 3072, and clamped for the network: 7 voxels of this slice', {
    timeout: 120_000,
  });
  await page.getByRole('button', { name: 'Restore volume' }).click();
  await expect(status).toContainText('2 voxels of this volume', { timeout: 120_000 });
});

test('a reference of another size is refused in one sentence, and the image stays', async ({ page }) => {
  const square = (columns: number, rows: number) =>
    niftiGz(marked(columns, rows, 2, 100, 0), [1, 1, 1], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]);
  await page.goto('./?device=wasm');
  const open = async (label: string, name: string, buffer: Buffer) =>
    page.getByLabel(label, { exact: true }).setInputFiles({ name, mimeType: '', buffer });
  await open('Open images', 'small.nii.gz', square(20, 12));
  await expect(page.getByText('20 × 12 × 2')).toBeVisible();
  await open('Reference', 'large.nii.gz', square(12, 20));
  const alert = page.getByRole('alert');
  await expect(alert).toHaveCount(1);
  await expect(alert).toHaveText(/12 × 20 × 2.*20 × 12 × 2[^.]*\.$/);
  await expect(page.getByText('20 × 12 × 2 ·')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Metrics' })).toContainText('Needs a reference');
  await open('Reference', 'same.nii.gz', square(20, 12));
  await expect(page.getByRole('status')).toContainText('is now the reference');
  await expect(alert).toHaveCount(0);
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
  const measured = metrics.locator('tbody td').first();
  await expect(measured).toHaveText(/\d/, { timeout: 120_000 });
  // The next slice is degraded when it is first seen, and then everything can be done again.
  await page.getByRole('slider', { name: 'Slice' }).press('ArrowRight');
  await expect(measured).toHaveText(/\d/, { timeout: 120_000 });
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Restore', exact: true })).toBeEnabled();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(metrics).toContainText('Needs a reference');
});

test('MRI is degraded with as much noise as is asked for, which the reference’s line says', async ({ page }) => {
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles('public/samples/mri-brain-reference.nii.gz');
  const noise = page.getByRole('slider', { name: 'Strength: noise, share of signal' });
  const degraded = async (share: string, sentence: string) => {
    await noise.fill(share);
    await page.getByRole('button', { name: 'Degrade' }).click();
    await expect(page.getByText(`Now: ${sentence}`, { exact: true })).toBeVisible();
  };
  const psnr = async () => (await figures(page, 'input')).psnr;
  await degraded('0', '25 % of k-space along each axis');
  await expect(async () => expect(await psnr()).toBeGreaterThan(0)).toPass();
  const clean = await psnr();
  await degraded('0.05', '25 % of k-space along each axis, with noise of 5 % of the brightest signal');
  await expect(async () => expect(await psnr()).toBeLessThan(clean - 0.5)).toPass();
  await page.getByRole('combobox', { name: 'Treat as' }).selectOption('CT');
  await expect(noise).toHaveCount(0);
});

test('several images as reference are a choice too, and the choice stays at hand', async ({ page }) => {
  const square = (bright: number) =>
    niftiGz(marked(20, 12, 2, bright, 0), [1, 1, 1], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]);
  const file = (name: string, buffer: Buffer) => ({ name, mimeType: '', buffer });
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles(file('input.nii.gz', square(100)));
  await expect(page.getByText('20 × 12 × 2')).toBeVisible();
  const references = [file('first.nii.gz', square(50)), file('second.nii.gz', square(100))];
  await page.getByLabel('Reference', { exact: true }).setInputFiles(references);
  const dialog = page.getByRole('dialog', { name: 'Choose a reference' });
  await expect(dialog.locator('img')).toHaveCount(2);
  await dialog.getByRole('button', { name: /^second/ }).click();
  await expect(page.getByText('Now: second')).toBeVisible();
  await expect(async () => expect((await figures(page, 'input')).rmse).toBe(0)).toPass();
  await page.getByRole('button', { name: 'Other images (1)…' }).click();
  await dialog.getByRole('button', { name: /^first/ }).click();
  await expect(page.getByText('Now: first')).toBeVisible();
  await expect(async () => expect((await figures(page, 'input')).rmse).toBeGreaterThan(1)).toPass();
});

test('what an image should be read with care for is listed behind a button beside its name', async ({ page }) => {
  // Slices 5, 5 and 10 mm apart: one is missing.
  const folder = test.info().outputPath('gap');
  mkdirSync(folder, { recursive: true });
  const grid = marked(20, 30, 4, 50, -900);
  [0, 5, 10, 20].forEach((z, k) => {
    const place = { spacing: [1, 1] as [number, number], directions: [1, 0, 0, 0, 1, 0], position: [0, 0, z],
      thickness: 5, instance: k + 1 };
    writeFileSync(`${folder}/${k}.dcm`, dicomCt(grid, k, place));
  });
  writeFileSync(`${folder}/<b>notes.txt`, 'not an image');
  await page.goto('./?device=wasm');
  await dropPaths(page, [folder]);
  await page.getByRole('button', { name: '2 notes' }).click();
  const notes = page.getByRole('region', { name: 'Notes about this image' });
  await expect(notes.getByRole('listitem')).toHaveCount(2);
  await expect(notes).toContainText('10 mm');
  await expect(notes).toContainText('notes.txt');
  await expect(notes.locator('b')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(notes).toBeHidden();
});

for (const [what, ending, magic] of [
  ['NRRD volume', '.nrrd', 'NRRD000'],
  ['MetaImage volume', '.mha', 'ObjectType = Image'],
] as const) {
  test(`a volume saved as ${ending} in float32 opens again as the same`, async ({ page }) => {
    const buffer = niftiGz(marked(20, 12, 2, 100, 7), [1, 2, 4], [[0, 0, 4, 0], [-1, 0, 0, 0], [0, 2, 0, 0]]);
    await page.goto('./?device=wasm');
    await page.getByLabel('Open images').setInputFiles({ name: 'block.nii.gz', mimeType: '', buffer });
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await expect(page.getByText('1 of 2 slices restored')).toBeVisible({ timeout: 120_000 });
    const before = await letters(page);
    const path = await save(page, what, async (dialog) => {
      await dialog.getByLabel('Numbers').selectOption('32-bit float');
    });
    expect(path).toMatch(new RegExp(`/block-restored\\${ending}$`));
    expect(readFileSync(path).toString('latin1')).toContain(magic);
    await page.getByLabel('Reference', { exact: true }).setInputFiles(path);
    // Float32 as it came from the network: nothing is rounded.
    await expect(async () => expect((await figures(page, 'restored')).rmse).toBe(0)).toPass();
    await page.getByLabel('Open images').setInputFiles(path);
    await expect(page.getByText('20 × 12 × 2 · 1.00 × 2.00 × 4.00 mm')).toBeVisible();
    expect(await letters(page)).toEqual(before);
  });
}
