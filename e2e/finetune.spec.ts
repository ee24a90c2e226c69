import { expect, test, type Locator, type Page } from 'playwright/test';
import { niftiGz } from './files.ts';
import { SLOW, TINY_RUN, figures, lossesOf, reached, restored, startTiny } from './page.ts';

/** Five slices of a brain that were not degraded; a run holds the middle one back, with which the viewer opens. */
const REFERENCE = 'public/samples/mri-brain-reference.nii.gz';
/** Decibels that the restored image may lie below the trainer's own figure. */
const TOLERANCE = 0.01;

const AFFINE = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 4, 0]];
const scan = (name: string, columns: number, rows: number, slices = 6) => ({
  name,
  mimeType: '',
  buffer: niftiGz({ columns, rows, slices, value: (i, j, k) => ((i * 7 + j * 5) % 90) * (k + 3) }, [1, 1, 4], AFFINE),
});

/** As if they were picked by "Choose files". */
const choose = (dialog: Locator, which: 'Poor scans' | 'Good scans', files: ReturnType<typeof scan>[]) =>
  dialog.getByLabel(which, { exact: true }).first().setInputFiles(files);

async function openReference(page: Page, query = '?device=webgpu'): Promise<void> {
  await page.goto(`./${query}`);
  await page.getByLabel('Open images').setInputFiles(REFERENCE);
  await expect(page.getByText('256 × 256 × 5')).toBeVisible();
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const done = async (page: Page) =>
  expect(page.getByRole('dialog').getByText('Done', { exact: true })).toBeVisible({ timeout: SLOW });

test('a run survives a reload with the losses of an uninterrupted one; its export restores as the trainer did', async ({
  page,
}) => {
  test.setTimeout(3 * SLOW);
  await openReference(page);
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  await startTiny(page);
  await reached(dialog, 12);
  const seen = await lossesOf(dialog);
  await page.reload();

  const kept = page.getByRole('region', { name: 'A run is kept' });
  await expect(kept).toContainText(/on mri-brain-reference: (10|15) of 30 steps/);
  await expect(kept).toContainText(/\d MB on this disk/);
  await kept.getByRole('button', { name: 'Resume' }).click();
  await done(page);
  const losses = await lossesOf(dialog);
  expect([...losses.keys()]).toEqual(Array.from({ length: TINY_RUN.steps }, (_, i) => i + 1));
  for (const [step, loss] of seen) expect(losses.get(step), `step ${step} before the reload`).toBe(loss);
  const numbers = [...losses.values()].map(Number);
  expect(mean(numbers.slice(-5))).toBeLessThan(mean(numbers.slice(0, 5)));
  await expect(dialog.getByRole('alert')).toHaveCount(0);
  await expect(dialog.getByRole('listitem').filter({ hasText: 'Before training' }).locator('img')).toBeVisible();
  const measured = dialog.getByRole('table', { name: 'Held-back slices' }).getByRole('row').last();
  await expect(measured.getByRole('rowheader')).toHaveText(String(TINY_RUN.steps));
  const own = Number(await measured.getByRole('cell').first().textContent());

  const coming = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Export weights' }).click();
  const path = test.info().outputPath('export.safetensors');
  await (await coming).saveAs(path);
  await dialog.getByRole('button', { name: 'New run' }).click();
  await dialog.getByRole('button', { name: 'Close' }).click();

  await page.getByLabel('Open images').setInputFiles(REFERENCE);
  await page.getByLabel('Load weights').setInputFiles(path);
  const model = page.getByRole('combobox', { name: 'Model' });
  await expect(model.locator('option:checked')).toHaveText(/^My tiny network · custom/);
  await page.getByRole('button', { name: 'Degrade' }).click();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await restored(page);
  const shown = (await figures(page, 'restored')).psnr;
  console.log(`    PSNR of the trainer ${own.toFixed(3)} dB, of its export on the page ${shown.toFixed(2)} dB`);
  // The page shows two decimals.
  expect(shown).toBeGreaterThan(own - TOLERANCE - 0.005);

  const options = await model.getByRole('option').count();
  await startTiny(page);
  await done(page);
  expect([...await lossesOf(dialog)]).toEqual([...losses]);
  await dialog.getByRole('button', { name: 'Use this model' }).click();
  await expect(model.getByRole('option')).toHaveCount(options + 1);
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.getByText('Model card').click();
  const card = page.locator('.card');
  await expect(card).toContainText('Trained from scratch in a browser on 2 slices of 1 image');
  await expect(card).toContainText('30 steps of 2 crops of 32 × 32');
  await expect(card).toContainText('25 % of k-space along each axis');
});

test('the chosen model goes on from what it knows: the first measurement is its own', async ({ page }) => {
  test.setTimeout(2 * SLOW);
  await openReference(page, '?device=wasm');
  await page.getByRole('button', { name: 'Degrade' }).click();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await restored(page);
  const before = (await figures(page, 'restored')).psnr;
  await page.getByRole('button', { name: 'Fine-tune' }).click();
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  await dialog.getByRole('radio', { name: /Decoder and refinement only/ }).check();
  await dialog.getByText('Steps and rates').click();
  await dialog.getByRole('spinbutton', { name: 'Steps', exact: true }).fill('2');
  await dialog.getByRole('spinbutton', { name: 'Crop, pixels' }).fill('32');
  await dialog.getByRole('button', { name: 'Start' }).click();
  await done(page);
  await lossesOf(dialog);
  const rows = dialog.getByRole('table', { name: 'Held-back slices' }).locator('tbody tr');
  const first = Number(await rows.first().getByRole('cell').first().textContent());
  expect(Math.abs(first - before)).toBeLessThan(TOLERANCE + 0.005);
  await dialog.getByRole('button', { name: 'Use this model' }).click();
  await expect(page.getByRole('combobox', { name: 'Model', includeHidden: true }).locator('option:checked'))
    .toHaveText(/^My fine-tuned Light, all in one/);
});

test('while a run goes on, slices scroll, images restore, and the page answers at once', async ({
  page,
}) => {
  test.setTimeout(2 * SLOW);
  await openReference(page, '?device=wasm');
  const dialog = await startTiny(page, { steps: 400, keepEvery: 100 });
  await reached(dialog, 2);
  await dialog.getByRole('button', { name: 'Close' }).click();
  // The median, as other programs may hold the processors now and then.
  const gaps = await page.evaluate(async () => {
    const found: number[] = [];
    for (let last = performance.now(), end = last + 3000; last < end;) {
      await new Promise((resolve) => setTimeout(resolve));
      found.push(performance.now() - last);
      last = performance.now();
    }
    return found.sort((a, b) => a - b);
  });
  const median = gaps[gaps.length >> 1]!;
  console.log(`    pauses of the page's thread: median ${median.toFixed(1)}, longest ${gaps.at(-1)!.toFixed(0)} ms`);
  expect(median).toBeLessThan(50);
  await page.getByRole('slider', { name: 'Slice' }).press('ArrowRight');
  await expect(page.getByText('Slice 4 / 5').first()).toBeVisible();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('1 of 5 slices restored')).toBeVisible({ timeout: SLOW });
  await page.getByRole('button', { name: 'Show the run' }).click();
  await dialog.getByRole('button', { name: 'Pause' }).click();
  await expect(dialog.getByText('Paused', { exact: true })).toBeVisible();
  const before = await dialog.getByRole('progressbar', { name: 'Fine-tuning' }).getAttribute('aria-valuenow');
  await expect(dialog.getByText(`Kept at step ${before}`)).toBeVisible();
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await reached(dialog, Number(before) + 2);
  await dialog.getByRole('button', { name: 'Stop' }).click();
  await expect(dialog.getByText('Ended', { exact: true })).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Export weights' })).toBeEnabled();
});

test('pairs that do not belong together are named in a sentence, the others are learnt from', async ({ page }) => {
  test.setTimeout(SLOW);
  await page.goto('./?device=wasm');
  await page.getByRole('button', { name: 'Fine-tune' }).click();
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  await dialog.getByRole('radio', { name: 'Pairs of scans' }).check();
  await expect(dialog.getByRole('button', { name: 'Start' })).toBeDisabled();
  await choose(dialog, 'Poor scans', [scan('a.nii.gz', 40, 48)]);
  await choose(dialog, 'Good scans', [scan('a.nii.gz', 48, 40)]);
  await startTiny(page, { steps: 2 });
  await expect(dialog.getByRole('alert')).toContainText('a is 40 × 48 × 6 and a 48 × 40 × 6', { timeout: SLOW });

  await choose(dialog, 'Poor scans', [scan('a.nii.gz', 40, 48), scan('b.nii.gz', 32, 32)]);
  await choose(dialog, 'Good scans', [scan('a.nii.gz', 40, 48), scan('b.nii.gz', 32, 40)]);
  await dialog.getByRole('button', { name: 'Start' }).click();
  await done(page);
  await expect(dialog).toContainText('b is 32 × 32 × 6 and b 32 × 40 × 6');
  await expect(dialog.getByRole('alert')).toHaveCount(0);
});

test('a disk that is full ends the checkpoints and not the run', async ({ page, baseURL }) => {
  test.setTimeout(SLOW);
  await page.goto('./?device=wasm');
  const session = await page.context().newCDPSession(page);
  // Room for the images and not for a checkpoint.
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(baseURL!).origin, quotaSize: 400_000 });
  await page.getByRole('button', { name: 'Fine-tune' }).click();
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  await choose(dialog, 'Good scans', [scan('a.nii.gz', 40, 48)]);
  await startTiny(page, { steps: 8 });
  await done(page);
  await expect(dialog).toContainText(/No further checkpoint can be kept .*after a reload it begins anew/);
  await expect(dialog.getByRole('alert')).toHaveCount(0);
});

test('what lies damaged in the browser’s storage is refused in a sentence, forgotten when asked', async ({ page }) => {
  test.setTimeout(SLOW);
  await page.goto('./?device=wasm');
  await page.getByRole('button', { name: 'Fine-tune' }).click();
  await choose(page.getByRole('dialog'), 'Good scans', [scan('a.nii.gz', 40, 48)]);
  await startTiny(page, { steps: 5 });
  await done(page);
  await page.reload();
  // The same sizes, so that only reading tells.
  const files = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('training');
    const names: string[] = [];
    for await (const [name, handle] of folder.entries()) {
      names.push(name);
      if (!name.startsWith('images')) continue;
      const { size } = await (handle as FileSystemFileHandle).getFile();
      const stream = await (handle as FileSystemFileHandle).createWritable();
      await stream.write(new Uint8Array(size).fill(0x7b));
      await stream.close();
    }
    return names;
  });
  expect(files).toContain('images.safetensors');
  const kept = page.getByRole('region', { name: 'A run is kept' });
  await kept.getByRole('button', { name: 'Open' }).click();
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  await expect(dialog.getByRole('alert')).toContainText('damaged and cannot go on', { timeout: SLOW });
  await dialog.getByRole('button', { name: 'Forget it' }).click();
  await expect(kept).toHaveCount(0);
  const left = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('training');
    let count = 0;
    for await (const name of folder.keys()) count += name ? 1 : 0;
    return count;
  });
  expect(left).toBe(0);
});

test('the run and its form fit wide and narrow screens in both themes', async ({ page }) => {
  test.setTimeout(2 * SLOW);
  await openReference(page, '?device=wasm');
  const looks = [['dark', 1440, 900], ['light', 1440, 900], ['dark', 390, 844], ['light', 390, 844]] as const;
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  const look = async (what: string) => {
    for (const [colorScheme, width, height] of looks) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(200);
      const wide = await dialog.evaluate((element) => element.scrollWidth - element.clientWidth);
      expect(wide, `${what}, ${width} pixels`).toBeLessThanOrEqual(0);
      await page.screenshot({ path: `e2e/artefacts/${what}-${colorScheme}-${width}.png` });
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  await page.getByRole('button', { name: 'Fine-tune' }).click();
  await expect(dialog.getByText(/A step takes about \d+ MB/)).toBeVisible();
  await look('finetune-form');
  await startTiny(page, { steps: 20 });
  await done(page);
  await look('finetune-run');
});
