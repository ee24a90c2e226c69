import { chromium } from 'playwright';
import { executable, pathsInPath } from './executables.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/**
 * The Chromium or Chrome to test in: CHROMIUM_PATH, else the first in PATH, else the one that Playwright downloaded;
 * null where there is none.
 */
export function findChromium() {
  const { CHROMIUM_PATH } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  return [...pathsInPath(NAMES), chromium.executablePath()].find(executable) ?? null;
}
