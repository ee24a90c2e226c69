import { readFileSync } from 'node:fs';
import { expect, test, type Locator, type Page } from 'playwright/test';
import { readReport } from '../src/cli/benchRead.ts';
import { SLOW, openSample, requestsElsewhere, restored } from './page.ts';

async function openCheck(page: Page, query = ''): Promise<Locator> {
  await page.goto(`./${query}`);
  await page.getByRole('button', { name: 'Check this device' }).click();
  return page.getByRole('dialog', { name: 'Check this device' });
}

test('the check measures 128² on software rendering, and its JSON and Markdown say what the page says', async ({
  page, baseURL, context,
}) => {
  test.setTimeout(SLOW);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const elsewhere = requestsElsewhere(page, new URL(baseURL!).origin);
  const dialog = await openCheck(page, '?device=webgpu');
  await expect(dialog.getByText('Nothing leaves this computer')).toBeVisible();
  await expect(dialog.getByRole('checkbox', { name: '128 × 128' })).toBeChecked();
  for (const size of [256, 512, 1024]) {
    await expect(dialog.getByRole('checkbox', { name: `${size} × ${size}` })).not.toBeChecked();
  }
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(dialog.getByRole('progressbar', { name: 'Check' })).toBeVisible();
  await expect(dialog.getByText('Done: one size measured.')).toBeVisible({ timeout: SLOW });
  await expect(dialog.getByText('Software rendering: slow')).toBeVisible();

  const row = dialog.getByRole('table', { name: 'Results' }).getByRole('row', { name: /^light 128²/ });
  const [time, floor, memory, dispatches] = await row.getByRole('cell').allTextContents();
  expect(time).toMatch(/^[\d.]+ ± [\d.]+ ms$/);
  expect(floor).toMatch(/^[\d.]+×$/);
  expect(memory).toMatch(/^[\d.]+ MiB$/);

  const coming = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save JSON' }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toMatch(/^restore-rwkv-bench-\d{4}-\d\d-\d\d\.json$/);
  const path = test.info().outputPath('check.json');
  await download.saveAs(path);
  const report = readReport(path, readFileSync(path, 'utf8'));
  expect(report.adapter?.software).toBe(true);
  expect(report.cases).toHaveLength(1);
  const [{ variant, size, plan, timings }] = report.cases as [(typeof report.cases)[number]];
  expect({ variant, size }).toEqual({ variant: 'light', size: 128 });
  expect(parseFloat(time!)).toBeCloseTo(timings[0]!.median, -1);
  expect(parseFloat(floor!)).toBeCloseTo(timings[0]!.median / plan!.floor.milliseconds, 1);
  expect(Number(dispatches)).toBe(plan!.dispatches);
  // Every dispatch belongs to one kernel; the first in the list takes longest.
  expect(plan!.kernels!.reduce((sum, kernel) => sum + kernel.dispatches, 0)).toBe(plan!.dispatches);
  const kernels = dialog.getByRole('table', { name: 'Kernels, light 128²' });
  await expect(kernels.getByRole('row')).toHaveCount(plan!.kernels!.length + 1);
  await expect(kernels.getByRole('rowheader').first()).toHaveText(plan!.kernels![0]!.name);

  await dialog.getByRole('button', { name: 'Copy as Markdown' }).click();
  await expect(dialog.getByText('Copied.')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(`| light 128² | ${time} | ${floor} |`);
  expect(elsewhere).toEqual([]);

  for (const [colorScheme, width, height] of [['dark', 1440, 900], ['light', 390, 844]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    await page.waitForTimeout(200);
    expect(await dialog.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
    await page.screenshot({ path: `e2e/artefacts/check-${colorScheme}-${width}.png` });
  }
});

test('a check that is cancelled says so and can begin again, and the viewer goes on', async ({ page }) => {
  test.setTimeout(SLOW);
  const dialog = await openCheck(page, '?device=webgpu');
  await dialog.getByRole('checkbox', { name: '256 × 256' }).check();
  await dialog.getByRole('button', { name: 'Start' }).click();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Cancelled', { timeout: SLOW });
  await expect(dialog.getByRole('button', { name: 'Start' })).toBeEnabled();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: /^PET/ }).click();
  await restored(page);
});

test('without WebGPU the check times WebAssembly', async ({ page }) => {
  test.setTimeout(SLOW);
  const dialog = await openCheck(page, '?device=wasm');
  await expect(dialog.getByText('WebAssembly on the processor is timed')).toBeVisible();
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(dialog.getByText('Done: one size measured.')).toBeVisible({ timeout: SLOW });
  const row = dialog.getByRole('row', { name: /^light 128²/ });
  await expect(row.getByRole('cell').first()).toHaveText(/^[\d.]+ ± [\d.]+ ms$/);
});

test('with an image open, a phone has the check among its controls', async ({ page }) => {
  test.setTimeout(SLOW);
  await page.setViewportSize({ width: 390, height: 844 });
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  await page.getByRole('button', { name: 'Show all controls' }).click();
  await page.getByRole('button', { name: 'Check this device' }).click();
  await expect(page.getByRole('dialog', { name: 'Check this device' })).toBeVisible();
});
