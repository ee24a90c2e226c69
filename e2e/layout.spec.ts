import { expect, test } from 'playwright/test';
import { openSample, restored } from './page.ts';

test('nothing that is written over the images touches anything else, 390 pixels wide', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  for (const sheet of ['down', 'up']) {
    for (const view of ['Side by side', 'Swipe', 'Difference', 'SSIM map']) {
      await page.getByRole('radio', { name: view }).check({ force: true });
      await page.waitForTimeout(400);
      const { names, touching } = await page.evaluate(() => {
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
      expect(touching, `${view}, sheet ${sheet}`).toEqual([]);
      expect(names).toBe({ 'Side by side': 3, Swipe: 1, Difference: 2, 'SSIM map': 2 }[view]);
    }
    if (sheet === 'down') {
      await page.getByRole('button', { name: 'Show all controls' }).click();
      await page.waitForTimeout(400); // until it is up
    }
  }
});
