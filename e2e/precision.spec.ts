import { expect, test, type Locator, type Page } from 'playwright/test';
import { SLOW, figures, openSample, restored, sampleOf } from './page.ts';

async function openPrecision(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: /^Precision: / }).filter({ visible: true }).click();
  return page.getByRole('dialog', { name: 'Precision' });
}

const choiceOf = (dialog: Locator, name: string) => dialog.getByRole('radio', { name });

/** Chooses, waits for the check with the model, and says what came of it. */
async function choose(dialog: Locator, name: string): Promise<string> {
  await choiceOf(dialog, name).check();
  await expect(choiceOf(dialog, name)).toBeEnabled({ timeout: SLOW });
  return (await dialog.getByRole('status').textContent())!;
}

const close = (dialog: Locator) => dialog.getByRole('button', { name: 'Close' }).click();

test('a choice of 16-bit is checked, used from the next restoration on, said, and kept over a reload', async ({ page }) => {
  test.setTimeout(2 * SLOW);
  await page.goto('./?device=webgpu');
  const dialog = await openPrecision(page);
  await expect(choiceOf(dialog, 'Automatic')).toBeChecked();
  await expect(dialog.getByRole('status')).toHaveText(/32-bit floats.*in software.*stays with 32-bit/);
  const outcome = await choose(dialog, '16-bit floats');
  // Where 16-bit cannot be used a sentence says so.
  const half = outcome.includes('16-bit floatsAs chosen');
  if (half) expect(outcome).toMatch(/results differ by at most 0\.00[012]\d* of the range from 32-bit/);
  else expect(outcome).toMatch(/32-bit floats16-bit (does not work|would change)/);
  console.log(`    ${outcome}`);
  const button = page.getByRole('button', { name: `Precision: ${half ? 16 : 32}-bit floats` }).filter({ visible: true });
  await close(dialog);
  await expect(button).toBeVisible();

  await page.getByRole('button', { name: /^PET/ }).click();
  await restored(page);
  const mark = page.getByText('This one in 16-bit.');
  await expect(mark).toHaveCount(half ? 1 : 0);
  // 16-bit floats may change what is measured by 0.02 dB; two digits are shown.
  const sample = sampleOf('pet');
  const { psnr } = sample.slices[Math.floor(sample.shape[0] / 2)]!.restored;
  expect(Math.abs((await figures(page, 'restored')).psnr - psnr)).toBeLessThan(0.025);

  await page.reload();
  await expect(button).toBeVisible();
  await openPrecision(page);
  await expect(choiceOf(dialog, '16-bit floats')).toBeChecked();
  // What was found was kept, too.
  await expect(dialog.getByRole('status')).toHaveText(outcome);
  expect(await choose(dialog, '32-bit floats')).toContain('32-bit floatsAs chosen.');
  await close(dialog);
  await page.getByRole('button', { name: /^PET/ }).click();
  await restored(page);
  await expect(mark).toHaveCount(0);
});

test('a slice that is restored again in another precision is measured again and says so', async ({ page }) => {
  test.setTimeout(2 * SLOW);
  await openSample(page, 'pet');
  await restored(page);
  const dialog = await openPrecision(page);
  const half = (await choose(dialog, '16-bit floats')).includes('16-bit floatsAs chosen');
  await close(dialog);
  const mark = page.getByText('This one in 16-bit.');
  await expect(mark).toHaveCount(0);
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await restored(page);
  await expect(mark).toHaveCount(half ? 1 : 0);
  await expect(page.getByText(/^1 of \d+ slices restored\./)).toBeVisible();
});

test('WebAssembly has no choice and says why', async ({ page }) => {
  await page.goto('./?device=wasm');
  const dialog = await openPrecision(page);
  for (const name of ['Automatic', '32-bit floats', '16-bit floats']) {
    await expect(choiceOf(dialog, name)).toBeDisabled();
  }
  await expect(dialog.getByRole('status')).toContainText('WebAssembly always computes in 32-bit floats.');
});

for (const devices of ['{', '[{"key":{},"models":[{"model":"x"}]},null]', 'x'.repeat(100_000)]) {
  test(`what the browser kept may be anything: ${devices.slice(0, 40)}`, async ({ page }) => {
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.addInitScript((text) => {
      localStorage.setItem('restore-rwkv.precision', '<b>f16</b>');
      localStorage.setItem('restore-rwkv.devices', text);
    }, devices);
    await page.goto('./?device=webgpu');
    const dialog = await openPrecision(page);
    await expect(choiceOf(dialog, 'Automatic')).toBeChecked();
    await expect(page.getByRole('alert')).toHaveCount(0);
    expect(errors).toEqual([]);
  });
}

test('the choice fits wide and narrow screens, and with an image open', async ({ page }) => {
  test.setTimeout(SLOW);
  await page.goto('./?device=webgpu');
  for (const [colorScheme, width, height] of [
    ['dark', 1440, 900], ['light', 1440, 900], ['dark', 390, 844], ['light', 390, 844],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    const dialog = await openPrecision(page);
    await page.waitForTimeout(200);
    expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `e2e/artefacts/precision-${colorScheme}-${width}.png` });
    await close(dialog);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `e2e/artefacts/precision-start-${colorScheme}-${width}.png` });
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  await choose(await openPrecision(page), '16-bit floats');
  await page.screenshot({ path: 'e2e/artefacts/precision-chosen-light-1440.png' });
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: /^PET/ }).click();
  await restored(page);
  await page.screenshot({ path: 'e2e/artefacts/precision-restored-light-1440.png' });
  // The device's name is not cut short on a wide screen.
  const name = page.getByRole('region', { name: 'Device' }).locator('span');
  expect(await name.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto('./?device=wasm');
  await page.getByRole('button', { name: /^PET/ }).click();
  await restored(page);
  await page.getByRole('button', { name: 'Show all controls' }).click();
  const button = page.getByRole('button', { name: 'Precision: 32-bit floats' }).filter({ visible: true });
  await button.scrollIntoViewIfNeeded();
  await page.waitForTimeout(400); // until the sheet is up
  await page.screenshot({ path: 'e2e/artefacts/precision-panel-light-390.png' });
  expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(40);
  await button.click();
  await expect(page.getByRole('dialog', { name: 'Precision' })).toBeVisible();
});
