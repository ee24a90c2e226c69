import { executable, pathsInPath } from './executables.mjs';

const NAMES = ['firefox-esr', 'firefox'];
const ON_A_MAC = '/Applications/Firefox.app/Contents/MacOS/firefox';

export const NO_FIREFOX = 'no Firefox could be found or installed: install Firefox ESR (Debian: apt-get install '
  + 'firefox-esr), or set FIREFOX_PATH';

/**
 * The Firefox to test in: FIREFOX_PATH, else the first in PATH, the extended support release before others; null where
 * there is none.
 */
export function findFirefox() {
  const { FIREFOX_PATH } = process.env;
  if (FIREFOX_PATH) return FIREFOX_PATH;
  return [...pathsInPath(NAMES), ON_A_MAC].find(executable) ?? null;
}
