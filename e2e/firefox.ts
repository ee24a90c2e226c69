import { launch, type Page } from 'puppeteer-core';
import { findFirefox, NO_FIREFOX } from '../.ci/firefox.mjs';
import { SLOW } from './page.ts';

/** WebGPU in pages, on software devices too: where there is no GPU, Firefox takes what the Vulkan loader gives. */
const WEBGPU_WITHOUT_GPU = { 'dom.webgpu.enabled': true, 'gfx.webgpu.ignore-blocklist': true };

/**
 * Starts Firefox, whose WGSL compiler is another than Chromium's, with an empty page. Playwright drives builds of its own
 * only.
 *
 * @throws Error that says what to install where there is no Firefox
 */
export async function openFirefox(): Promise<{ page: Page; close(): Promise<void> }> {
  const executablePath = findFirefox();
  if (!executablePath) throw new Error(NO_FIREFOX);
  const browser = await launch({
    browser: 'firefox', executablePath, headless: true, protocolTimeout: SLOW, extraPrefsFirefox: WEBGPU_WITHOUT_GPU,
  });
  return { page: await browser.newPage(), close: () => browser.close() };
}
