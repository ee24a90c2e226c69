import { readFileSync } from 'node:fs';
import { expect, test, type Page } from 'playwright/test';
import { SLOW, figures, restored } from './page.ts';

const REFERENCE = 'public/samples/mri-brain-reference.nii.gz';

async function openSweep(page: Page): Promise<ReturnType<Page['getByRole']>> {
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles(REFERENCE);
  await expect(page.getByText('256 × 256 × 5')).toBeVisible();
  await page.getByRole('button', { name: 'Sweep strengths…' }).click();
  return page.getByRole('dialog', { name: 'Sweep' });
}

test('a sweep says at each strength what degrading and restoring the slice by itself says, as chart and CSV', async ({
  page,
}) => {
  test.setTimeout(2 * SLOW);
  const dialog = await openSweep(page);
  await expect(dialog.getByRole('textbox', { name: 'Strengths' })).toHaveValue('2, 4');
  await dialog.getByRole('button', { name: 'Measure' }).click();
  await expect(dialog.getByText('Done: 6 images compared.')).toBeVisible({ timeout: SLOW });
  await expect(dialog.getByRole('img', { name: /Input from [\d.]+ to [\d.]+; Light, .* from/ })).toHaveCount(2);
  await expect(dialog.locator('.chart canvas')).toHaveCount(2);
  const coming = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save CSV' }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe('mri-brain-reference-mri-sweep.csv');
  const path = test.info().outputPath('sweep.csv');
  await download.saveAs(path);
  const [head, ...rows] = readFileSync(path, 'utf8').trim().split('\n');
  expect(head).toBe('strength,model,slices,psnr,ssim,rmse');
  const found = rows.map((row) => row.split(','));
  expect(found.map(([strength]) => strength)).toEqual(['2', '2', '2', '4', '4', '4']);
  expect(found.filter(([, model]) => model === 'input')).toHaveLength(2);

  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Degrade' }).click();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await restored(page);
  // The all-in-one network is the chosen one; the one for MRI alone is swept beside it.
  const named = rows.slice(3).map((row) => row.replace(/^4,/, '').replace(/,1,.*/, ''));
  expect(named).toEqual(['input', '"Light, all in one"', '"Light, MRI"']);
  for (const [row, column] of [[3, 'input'], [4, 'restored']] as const) {
    const [psnr, ssim] = found[row]!.slice(-3).map(Number);
    const shown = await figures(page, column);
    // The page shows two decimals of PSNR and four of SSIM.
    expect(Math.abs(psnr! - shown.psnr)).toBeLessThan(0.006);
    expect(Math.abs(ssim! - shown.ssim)).toBeLessThan(0.00006);
  }
});

test('strengths that the task does not have are refused, and a sweep that is cancelled keeps what it measured', async ({
  page,
}) => {
  test.setTimeout(SLOW);
  const dialog = await openSweep(page);
  const strengths = dialog.getByRole('textbox', { name: 'Strengths' });
  const begin = dialog.getByRole('button', { name: 'Measure' });
  for (const wrong of ['3', '2, x', '']) {
    await strengths.fill(wrong);
    await expect(begin).toBeDisabled();
    await expect(dialog.getByText('These are no strengths of this task.')).toBeVisible();
  }
  await strengths.fill('4 2 4');
  await begin.click();
  await expect(dialog.getByRole('progressbar', { name: 'Sweep' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Cancelled', { timeout: SLOW });
  await expect(begin).toBeEnabled();
});

test('the sweep fits wide and narrow screens in both themes', async ({ page }) => {
  test.setTimeout(SLOW);
  const dialog = await openSweep(page);
  await dialog.getByRole('button', { name: 'Measure' }).click();
  await expect(dialog.getByText(/^Done/)).toBeVisible({ timeout: SLOW });
  for (const [colorScheme, width, height] of [['dark', 1440, 900], ['light', 390, 844]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(200);
    expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `e2e/artefacts/sweep-${colorScheme}-${width}.png` });
  }
});
