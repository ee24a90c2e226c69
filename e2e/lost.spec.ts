import { expect, test } from 'playwright/test';
import { figures, openSample, restored, SLOW } from './page.ts';

/** Runs in the page's worker before its own script: the device can be lost on request, and may be the only one. */
const losable = (once: boolean) => `{
  const request = GPU.prototype.requestAdapter;
  let devices = 0;
  GPU.prototype.requestAdapter = async function (options) {
    if (${once} && devices > 0) return null;
    const adapter = await request.call(this, options);
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor);
      devices++;
      new BroadcastChannel('lose').onmessage = () => device.destroy();
      return device;
    };
    return adapter;
  };
}
`;

for (const [what, once, after] of [
  ['a new one', false, 'WebGPU'], ['WebAssembly where there is none any more', true, 'WebAssembly'],
] as const) {
  test(`after the device was lost the page goes on with ${what}, and what is restored stays`, async ({ page }) => {
    test.setTimeout(SLOW);
    await page.route(/\/assets\/worker-[\w-]+\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: losable(once) + await response.text() });
    });
    await openSample(page, 'pet');
    await restored(page);
    const device = page.getByRole('region', { name: 'Device' });
    await expect(device).toContainText('WebGPU');
    const before = await figures(page, 'restored');

    await page.evaluate(() => new BroadcastChannel('lose').postMessage('now'));
    await expect(page.getByRole('alert')).toContainText('The graphics device was lost');
    await expect(device).toContainText(after);
    expect(await figures(page, 'restored')).toEqual(before);
    // The viewer is drawn again: the restored half is no empty background.
    const picture = () => page.locator('.viewer').screenshot().then((png) => png.length);
    await expect.poll(picture).toBeGreaterThan(20_000);

    await page.getByRole('button', { name: 'Dismiss' }).click();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await restored(page);
    expect(Math.abs((await figures(page, 'restored')).psnr - before.psnr)).toBeLessThan(0.02);
    await expect(page.getByRole('alert')).toHaveCount(0);
  });
}
