import { expect, test } from 'playwright/test';
import { readNiftiGz } from './files.ts';
import { SLOW, figures, openSample, restored, sampleOf, save } from './page.ts';

/** The slice that a sample opens with. */
const MIDDLE = 2;

// Two decimals of PSNR and four of SSIM are shown; float32 on two devices moves the last of them by at most one.
const PSNR_STEP = 0.011;
const SSIM_STEP = 0.00011;

for (const modality of ['pet', 'mri', 'ct']) {
  test(`the ${modality} sample is restored as PyTorch restores it, nearer to its reference than the input`, async ({
    page,
  }) => {
    test.setTimeout(SLOW + 60_000);
    const { slices } = sampleOf(modality);
    const expected = slices[MIDDLE]!;
    await openSample(page, modality);
    await restored(page);
    const device = page.getByRole('region', { name: 'Device' });
    await expect(device).toContainText('WebGPU');
    await expect(device).toContainText('Software rendering: slow');
    for (const column of ['input', 'restored'] as const) {
      const { psnr, ssim, rmse } = await figures(page, column);
      expect(Math.abs(psnr - expected[column].psnr)).toBeLessThan(PSNR_STEP);
      expect(Math.abs(ssim - expected[column].ssim)).toBeLessThan(SSIM_STEP);
      expect(Math.abs(rmse / expected[column].rmse - 1)).toBeLessThan(2e-3);
    }
    expect((await figures(page, 'restored')).psnr).toBeGreaterThan((await figures(page, 'input')).psnr);
    await expect(page.getByRole('alert')).toHaveCount(0);
    if (modality !== 'pet') return;
    for (const colorScheme of ['dark', 'light'] as const) {
      for (const [width, height] of [[1440, 900], [390, 844]] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height });
        await page.screenshot({ path: `e2e/artefacts/restored-${colorScheme}-${width}.png`, timeout: 120_000 });
      }
    }
  });
}

for (const modality of ['ct', 'pet', 'mri']) {
  test(`the model for ${modality} alone restores its sample as in PyTorch, and warns of others`, async ({ page }) => {
    test.setTimeout(SLOW);
    const expected = sampleOf(modality).others[`light-${modality}`]!.slices[MIDDLE]!;
    await openSample(page, modality, '?device=wasm');
    await restored(page);
    const model = page.getByRole('combobox', { name: 'Model' });
    await model.selectOption({ value: `light-${modality}` });
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await restored(page);
    const { psnr, ssim, rmse } = await figures(page, 'restored');
    expect(Math.abs(psnr - expected.psnr)).toBeLessThan(PSNR_STEP);
    expect(Math.abs(ssim - expected.ssim)).toBeLessThan(SSIM_STEP);
    expect(Math.abs(rmse / expected.rmse - 1)).toBeLessThan(2e-3);
    const warning = page.getByRole('note');
    await expect(warning).toHaveCount(0);
    const other = modality === 'ct' ? 'pet' : 'ct';
    await model.selectOption({ value: `light-${other}` });
    await expect(warning).toContainText(`nothing of ${modality.toUpperCase()}`);
  });
}

test('without WebGPU the same network runs on WebAssembly, and says so', async ({ page }) => {
  test.setTimeout(SLOW);
  const expected = sampleOf('ct').slices[MIDDLE]!;
  await openSample(page, 'ct', '?device=wasm');
  await restored(page);
  await expect(page.getByRole('region', { name: 'Device' })).toContainText('WebAssembly');
  const { psnr, ssim } = await figures(page, 'restored');
  expect(Math.abs(psnr - expected.restored.psnr)).toBeLessThan(PSNR_STEP);
  expect(Math.abs(ssim - expected.restored.ssim)).toBeLessThan(SSIM_STEP);
});

test('a restored volume is saved in the input’s space and type and opens again as the same', async ({ page }) => {
  test.setTimeout(SLOW);
  const sample = sampleOf('pet');
  const [, rows, columns] = sample.shape;
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  await page.getByRole('button', { name: 'Restore volume' }).click();
  await expect(page.getByText('5 of 5 slices restored')).toBeVisible({ timeout: SLOW });

  const path = await save(page, 'NIfTI volume');
  const saved = readNiftiGz(path);
  const original = readNiftiGz('public/samples/pet-chest-drf12.nii.gz');
  // Dimensions, number type, voxel sizes, qform and sform are the input's own.
  for (const [from, to] of [[40, 56], [70, 74], [76, 108], [252, 328]] as const) {
    expect(saved.header.subarray(from, to)).toEqual(original.header.subarray(from, to));
  }
  // Stored as int16: half a step of rounding on top of float32.
  const step = original.header.readFloatLE(112) || 1;
  for (const { slice, row, column, restored: value } of sample.probes) {
    const found = saved.values[(slice * rows + row) * columns + column]!;
    expect(Math.abs(found - value)).toBeLessThan(0.5 * step + 1e-3 * Math.abs(value) + 0.5);
  }

  await page.getByLabel('Reference', { exact: true }).setInputFiles(path);
  await expect(page.getByRole('status')).toContainText('is now the reference');
  await expect(async () => expect((await figures(page, 'restored')).rmse).toBeLessThan(0.5 * step)).toPass();
  expect((await figures(page, 'restored')).ssim).toBeGreaterThan(0.9999);
});

test('cancelling a volume keeps the slices that are done', async ({ page }) => {
  test.setTimeout(SLOW);
  await openSample(page, 'mri', '?device=wasm');
  await restored(page);
  await page.getByRole('button', { name: 'Restore volume' }).click();
  await expect(page.getByRole('progressbar')).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('status')).toContainText('Cancelled', { timeout: SLOW });
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await expect(page.getByText(/[1-4] of 5 slices restored/)).toBeVisible();
});
