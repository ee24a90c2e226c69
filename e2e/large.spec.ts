import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test, type Page } from 'playwright/test';
import { dicomCt } from './files.ts';
import { dropPaths } from './page.ts';

/** By hand LARGE_SERIES=500, which takes a gigabyte of memory; a page that waits shows with fewer. */
const SLICES = Number(process.env.LARGE_SERIES ?? 60);
/** Memory is measured, which takes the browser half a minute, and time is held to its bound. */
const WHOLE = SLICES >= 500;
const SIDE = 512;
/** Seconds for 500 slices, files on this machine's disk. */
const MOST_SECONDS = 6;
/** Times the float32 volume. */
const MOST_MEMORY = 2.5;

/** Bytes of the page and its worker. */
function memory(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const measured = performance as unknown as { measureUserAgentSpecificMemory(): Promise<{ bytes: number }> };
    return (await measured.measureUserAgentSpecificMemory()).bytes;
  });
}

/** A folder of CT slices, 1 mm apart. */
function series(slices: number): string {
  const folder = test.info().outputPath('series');
  mkdirSync(folder, { recursive: true });
  const value = (i: number, j: number, k: number) =>
    Math.hypot(i - 256, j - 256) < 200 ? 40 + ((i * 7 + j * 13 + k * 29) % 64) : -1000;
  const grid = { columns: SIDE, rows: SIDE, slices, value };
  for (let k = 0; k < slices; k++) {
    const place = {
      spacing: [0.8, 0.8] as [number, number], directions: [1, 0, 0, 0, 1, 0], position: [-200, -200, k],
      thickness: 1, instance: k + 1,
    };
    writeFileSync(`${folder}/${k}.dcm`, dicomCt(grid, k, place));
  }
  return folder;
}

test(`a CT series of ${SLICES} slices of ${SIDE}² opens without keeping the page waiting`, async ({ page }) => {
  const folder = series(SLICES);
  await page.goto('./?device=wasm');
  await expect(page.locator('.sample img')).toHaveCount(3);
  await page.evaluate(() => {
    const longTasks: number[] = [];
    Object.assign(window, { longTasks });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longTasks.push(duration);
    }).observe({ entryTypes: ['longtask'] });
  });
  const before = WHOLE ? await memory(page) : 0;
  const began = Date.now();
  await dropPaths(page, [folder]);
  await expect(page.getByText(`${SIDE} × ${SIDE} × ${SLICES}`)).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  const seconds = (Date.now() - began) / 1000;
  const tasks = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
  const longest = Math.max(0, ...tasks);
  console.log(`    ${SLICES} slices: ${seconds.toFixed(1)} s, longest task of the page ${longest.toFixed(0)} ms`);
  expect(longest).toBeLessThanOrEqual(100);
  if (!WHOLE) return;
  expect(seconds).toBeLessThan(MOST_SECONDS);
  const used = ((await memory(page)) - before) / (4 * SIDE * SIDE * SLICES);
  console.log(`    memory ${used.toFixed(2)} × the volume`);
  expect(used).toBeLessThan(MOST_MEMORY);
});

test('opening can be cancelled, and what was open stays', async ({ page }) => {
  const folder = series(60);
  await page.goto('./?device=wasm');
  await page.getByLabel('Open images').setInputFiles('public/samples/pet-chest-drf12.nii.gz');
  await expect(page.getByText('pet-chest-drf12').first()).toBeVisible();
  // A slow disk, so that the click comes in time.
  const [worker] = page.workers();
  await worker!.evaluate(() => {
    const { arrayBuffer } = Blob.prototype;
    Object.assign(globalThis, { arrayBuffer });
    Blob.prototype.arrayBuffer = async function (this: Blob) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return arrayBuffer.call(this);
    };
  });
  await dropPaths(page, [folder]);
  await expect(page.getByText(/Reading the image… · \d+ of 60 slices/)).toBeVisible();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.getByRole('status')).toContainText('was cancelled');
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await expect(page.getByText('pet-chest-drf12').first()).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  // The same files open when they are dropped again.
  await worker!.evaluate(() => {
    Blob.prototype.arrayBuffer = (globalThis as unknown as Pick<Blob, 'arrayBuffer'>).arrayBuffer;
  });
  await dropPaths(page, [folder]);
  await expect(page.getByText(`${SIDE} × ${SIDE} × 60`)).toBeVisible();
});
