import { expect, test, type Page } from 'playwright/test';
import { niftiGz } from './files.ts';
import { openSample, restored } from './page.ts';

/** How many panes are named, and what is written over the images that touches something else or leaves its pane. */
async function overlays(page: Page): Promise<{ names: number; touching: string[] }> {
  return page.evaluate(() => {
    const boxes = [...document.querySelectorAll('.pane > *')]
      .map((element) => ({ words: element.textContent, box: element.getBoundingClientRect(),
        pane: element.parentElement!.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 0);
    const apart = (a: DOMRect, b: DOMRect) =>
      a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    const inside = (a: DOMRect, b: DOMRect) =>
      a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
    const pairs = boxes.flatMap((a, i) => boxes.slice(i + 1).map((b) => [a, b] as const));
    return {
      names: [...document.querySelectorAll('.pane-name')].filter((name) => name.getClientRects().length > 0).length,
      touching: [
        ...pairs.filter(([a, b]) => !apart(a.box, b.box)).map(([a, b]) => `${a.words} on ${b.words}`),
        ...boxes.filter(({ box, pane }) => !inside(box, pane)).map(({ words }) => `${words} outside its pane`),
      ],
    };
  });
}

const VIEWS = ['Side by side', 'Swipe', 'Difference', 'SSIM map'] as const;

test('nothing that is written over the images touches anything else, 390 pixels wide', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  for (const sheet of ['down', 'up']) {
    for (const view of VIEWS) {
      await page.getByRole('radio', { name: view }).check({ force: true });
      await page.waitForTimeout(400);
      const { names, touching } = await overlays(page);
      expect(touching, `${view}, sheet ${sheet}`).toEqual([]);
      expect(names).toBe({ 'Side by side': 3, Swipe: 1, Difference: 2, 'SSIM map': 2 }[view]);
    }
    if (sheet === 'down') {
      await page.getByRole('button', { name: 'Show all controls' }).click();
      await page.waitForTimeout(400); // until it is up
    }
  }
});

for (const width of [390, 1440]) {
  test(`nor on the planes of a 4-D image that is restored in part, ${width} pixels wide`, async ({ page }) => {
    await page.setViewportSize({ width, height: 844 });
    await page.goto('./?device=wasm');
    const grid = { columns: 40, rows: 24, slices: 36, value: (i: number, j: number, k: number) => i * j + 9 * k };
    const buffer = niftiGz(grid, [3, 3, 5], [[3, 0, 0, 0], [0, 3, 0, 0], [0, 0, 5, 0]], 'int16', 3);
    await page.getByLabel('Open images').setInputFiles({ name: 'flow.nii.gz', mimeType: '', buffer });
    await expect(page.getByText('40 × 24 × 12 × 3')).toBeVisible();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await expect(page.getByText('1 of 36 slices restored')).toBeVisible({ timeout: 120_000 });
    for (const plane of ['Axial', 'Coronal', 'Sagittal']) {
      await page.getByRole('radio', { name: plane }).check({ force: true });
      for (const view of VIEWS) {
        await page.getByRole('radio', { name: view }).check({ force: true });
        await page.waitForTimeout(200);
        expect((await overlays(page)).touching, `${plane}, ${view}`).toEqual([]);
      }
    }
    if (width === 390) {
      // A finger needs 40 pixels; what is drawn by a label or a span is as large as that.
      const small = await page.evaluate(() =>
        [...document.querySelectorAll('button, select, summary, label.button, .segments span, input[type="range"]')]
          .map((element) => ({ element, box: element.getBoundingClientRect() }))
          .filter(({ box }) => box.height > 0 && box.height < 40)
          .map(({ element }) => element.textContent || element.getAttribute('aria-label')));
      expect(small).toEqual([]);
    }
  });
}
