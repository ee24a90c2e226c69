import { expect, test } from 'playwright/test';
import { openSample, restored } from './page.ts';

test('views change by radio and by key, and the list of keys opens and closes', async ({ page }) => {
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  const views = page.getByRole('radiogroup', { name: 'View' });
  await expect(views.getByRole('radio', { name: 'Side by side' })).toBeChecked();
  for (const name of ['Swipe', 'Difference', 'SSIM map']) {
    await page.keyboard.press('v');
    await expect(views.getByRole('radio', { name })).toBeChecked();
    await page.waitForTimeout(500);
    await page.screenshot({ path: `e2e/artefacts/view-${name.toLowerCase().replace(' ', '-')}.png` });
  }
  const dialog = page.getByRole('dialog', { name: 'Keyboard' });
  await page.keyboard.press('?');
  await expect(dialog).toBeVisible();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('slider', { name: 'Slice' })).toHaveValue('3');
});

test('arrows scroll slices, but not while they choose a view', async ({ page }) => {
  await openSample(page, 'pet', '?device=wasm');
  await restored(page);
  const slice = page.getByRole('slider', { name: 'Slice' });
  for (const [key, value] of [['ArrowDown', '4'], ['ArrowRight', '5'], ['ArrowRight', '5'], ['ArrowUp', '4'],
    ['Home', '1'], ['End', '5'], ['ArrowLeft', '4']] as const) {
    await page.keyboard.press(key);
    await expect(slice).toHaveValue(value);
  }
  await page.getByRole('radio', { name: 'Side by side' }).focus();
  for (const [key, name] of [['ArrowRight', 'Swipe'], ['ArrowDown', 'Difference'], ['ArrowLeft', 'Swipe']] as const) {
    await page.keyboard.press(key);
    await expect(page.getByRole('radio', { name })).toBeChecked();
  }
  await page.keyboard.press('End');
  await expect(slice).toHaveValue('4');
});

for (const [width, height] of [[1440, 900], [390, 844]] as const) {
  test(`what the Tab key reaches shows its focus and is in sight, ${width} pixels wide`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await openSample(page, 'pet', '?device=wasm');
    await restored(page);
    const reached: string[] = [];
    // The first Tab goes on from the sample's button, which is gone: once around from there.
    for (let presses = 0, ends = 0; ends < 2; presses++) {
      expect(presses).toBeLessThan(60);
      await page.keyboard.press('Tab');
      // Let the sheet of narrow screens come up under what was reached.
      await page.waitForTimeout(width < 760 ? 250 : 0);
      const found = await page.evaluate(() => {
        const focused = document.activeElement;
        if (!focused || focused === document.body) return null;
        // Inputs that are drawn by what follows or surrounds them.
        const drawn = [focused, focused.nextElementSibling, focused.closest('label')];
        const outlined = drawn.some((element) => {
          if (!element) return false;
          const { outlineStyle, outlineWidth, opacity } = getComputedStyle(element);
          return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && opacity === '1';
        });
        // A link that breaks has a rectangle a line.
        const { x, y, width, height } = focused.getClientRects()[0]!;
        const top = document.elementFromPoint(x + width / 2, y + height / 2);
        const label = focused.closest('label');
        const inSight = top !== null && (focused.contains(top) || (label?.contains(top) ?? false));
        const name = focused.getAttribute('aria-label') ?? (focused.textContent || label?.textContent || '');
        return { name, outlined, inSight };
      });
      if (!found) {
        ends++;
        continue;
      }
      expect(found).toEqual({ name: found.name, outlined: true, inSight: true });
      reached.push(found.name);
    }
    for (const name of ['Save', 'Open images', 'Slice', 'Window', 'Level', 'Restore', 'Restore volume', 'Degrade',
      'Reference', 'Model', 'Load weights', 'Model card']) {
      expect(reached).toContain(name);
    }
  });
}
