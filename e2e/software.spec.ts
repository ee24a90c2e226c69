import { expect, test } from 'playwright/test';
import { SLOW, openSample, requestsElsewhere, restored, save } from './page.ts';

test('software rendering: the first restoration takes at most 3 s and twice a later one', async ({ page }) => {
  test.setTimeout(2 * SLOW);
  await page.goto('./?device=webgpu');
  // The page as a visitor sees it before choosing: the samples with their pictures. Shaders compile meanwhile.
  await expect(page.locator('.sample img')).toHaveCount(3);
  /** Milliseconds from a click until the slice is restored and measured and nothing is being done. */
  const timed = async (name: RegExp) =>
    page.evaluate(async (pattern) => {
      const named = ({ textContent }: Element) => new RegExp(pattern).test(textContent ?? '');
      const button = [...document.querySelectorAll('button')].find(named)!;
      const began = performance.now();
      button.click();
      let started = false;
      for (;;) {
        await new Promise(requestAnimationFrame);
        const working = document.querySelector('[role="progressbar"]') !== null;
        started ||= working;
        const done = /\d/.test(document.querySelectorAll('[aria-label="Metrics"] tbody td')[1]?.textContent ?? '');
        if (started && done && !working) return performance.now() - began;
      }
    }, name.source);
  const first = await timed(/^PET/);
  const later = await timed(/^Restore$/);
  await expect(page.getByRole('region', { name: 'Device' })).toContainText('Software rendering: slow');
  console.log(`    first restoration ${(first / 1000).toFixed(1)} s, a later one ${(later / 1000).toFixed(1)} s`);
  expect(first).toBeLessThan(2 * later + 3000);
});

for (const [device, query] of [['WebGPU', '?device=webgpu'], ['WebAssembly', '?device=wasm']] as const) {
  test(`no request leaves the origin, from the page to a restored and saved image, on ${device}`, async ({
    page, baseURL,
  }) => {
    test.setTimeout(SLOW);
    const elsewhere = requestsElsewhere(page, new URL(baseURL!).origin);
    await openSample(page, 'pet', query);
    await restored(page);
    await expect(page.getByRole('region', { name: 'Device' })).toContainText(device);
    expect(await save(page, 'PNG image')).toMatch(/\.png$/);
    expect(await save(page, 'NIfTI volume')).toMatch(/\.nii\.gz$/);
    expect(elsewhere).toEqual([]);
  });
}

test('without a graphics processor the page takes WebAssembly, and says why', async ({ page }) => {
  await openSample(page, 'pet', '');
  await restored(page);
  const device = page.getByRole('region', { name: 'Device' });
  await expect(device).toContainText('WebAssembly on the processor');
  await expect(device).toContainText(/WebGPU here is .*swiftshader.*, in software and slower/i);
});
