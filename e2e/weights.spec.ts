import { readFileSync } from 'node:fs';
import { expect, test } from 'playwright/test';
import { niftiGz, readNiftiGz, readSafetensor } from './files.ts';
import { save } from './page.ts';

/** What PyTorch makes of `x` with the weights of tiny.pth. */
const EXPECTED = 'src/cli/fixtures/tiny-expected.safetensors';
/** The range of MRI that becomes 0 … 1 where a model has no card. */
const MRI_RANGE = 4095;

test('a checkpoint that is loaded says what it is and restores as PyTorch does with it', async ({ page }) => {
  const x = readSafetensor(EXPECTED, 'x');
  const y = readSafetensor(EXPECTED, 'y');
  const [rows, columns] = x.shape as [number, number];
  const grid = { columns, rows, slices: 1, value: (i: number, j: number) => x.data[j * columns + i]! * MRI_RANGE };
  const buffer = niftiGz(grid, [1, 1, 1], [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], 'float32');
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles({ name: 'x.nii.gz', mimeType: '', buffer });
  const model = page.getByRole('combobox', { name: 'Model' });
  await expect(model.locator('option:checked')).toHaveText(/^Light, all in one/);
  const shipped = await model.getByRole('option').count();
  await page.getByLabel('Load weights').setInputFiles('src/weights/fixtures/tiny.pth');
  await expect(model.locator('option:checked')).toHaveText('tiny.pth · custom · 58,609 params');
  await expect(model.getByRole('option')).toHaveCount(shipped + 1);

  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('Restored.', { exact: true })).toBeVisible({ timeout: 120_000 });
  const { values } = readNiftiGz(await save(page, 'NIfTI volume'));
  expect(values.length).toBe(y.data.length);
  const largest = Math.max(...y.data.map(Math.abs));
  // Float32 all the way, against float64: the bound that every interpreter keeps on whole networks.
  for (const [at, value] of values.entries()) {
    expect(Math.abs(value / MRI_RANGE - y.data[at]!) / largest).toBeLessThan(2e-5);
  }
});

test('a checkpoint that would run code is refused in one sentence, and the model before it stays', async ({ page }) => {
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles('public/samples/pet-chest-drf12.nii.gz');
  const model = page.getByRole('combobox', { name: 'Model' });
  await expect(model.locator('option:checked')).toHaveText(/1\.16 M params$/);
  const shipped = await model.getByRole('option').count();
  await page.getByLabel('Load weights').setInputFiles('src/weights/fixtures/bad-code-execution.pth');
  const alert = page.getByRole('alert');
  await expect(alert).toHaveCount(1);
  await expect(alert).toContainText('posix.system');
  expect(await alert.textContent()).not.toMatch(/\n|\bat .*:\d+/);
  await expect(model.getByRole('option')).toHaveCount(shipped);
  await expect(model.locator('option:checked')).toHaveText('Light, all in one · light · 1.16 M params');
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('1 of 5 slices restored')).toBeVisible({ timeout: 120_000 });
  await expect(alert).toHaveCount(0);
});

test('the model card names the sources of the training data and links to them', async ({ page }) => {
  const card = JSON.parse(readFileSync('public/weights/light-all-in-one.json', 'utf8')) as {
    data: { title: string; licence: string; url: string }[];
  };
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles('public/samples/pet-chest-drf12.nii.gz');
  await page.getByText('Model card').click();
  for (const { title, licence, url } of card.data) {
    const entry = page.getByRole('listitem').filter({ hasText: title });
    await expect(entry).toContainText(licence);
    const link = entry.getByRole('link');
    await expect(link).toHaveAttribute('href', url);
    await expect(link).toHaveAttribute('target', '_blank');
    await expect(link).toHaveAttribute('rel', 'noreferrer');
  }
});
