import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findChromium } from './chromium.mjs';
import { findFirefox, NO_FIREFOX } from './firefox.mjs';

const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
const APT_SOURCES = '/etc/apt/sources.list.d';

/** Runs a command without stdin, its words on stderr so that stdout stays the tests'; true if it ended well. */
function succeeds(command, args, { minutes = 10, env = {}, quiet = false } = {}) {
  const { status } = spawnSync(command, args, {
    stdio: ['ignore', quiet ? 'ignore' : 2, quiet ? 'ignore' : 2],
    timeout: minutes * 60_000,
    env: { ...process.env, ...env },
  });
  return status === 0;
}

const say = (text) => console.error(`setup: ${text}`);

const isRoot = () => process.getuid?.() === 0;

let listsAreFresh = false;
function aptInstall(packages, release) {
  if (!isRoot() || !succeeds('apt-get', ['--version'], { quiet: true })) return false;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const timeouts = ['-o', 'Acquire::http::Timeout=30', '-o', 'Acquire::Retries=2'];
  say(`apt-get install ${packages.join(' ')}${release ? ` from ${release}` : ''}`);
  if (!listsAreFresh) listsAreFresh = succeeds('apt-get', ['-qq', ...timeouts, 'update'], { env });
  const from = release ? ['-t', release] : [];
  return succeeds('apt-get', ['-qq', ...timeouts, 'install', '-y', '--no-install-recommends', ...from, ...packages], { env });
}

/** Debian 12's own Mesa is too old for Dawn; its backports come from the mirror that the machine already uses. */
function addBookwormBackports() {
  const files = readdirSync(APT_SOURCES).map((name) => join(APT_SOURCES, name)).concat('/etc/apt/sources.list')
    .filter((file) => /\.(sources|list)$/.test(file) && existsSync(file))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
  const active = files.map(({ text }) => text.replace(/^\s*#.*$/gm, '')).join('\n');
  if (/\bbookworm-backports\b/.test(active)) return;
  for (const { file, text } of files) {
    if (file.endsWith('.sources')) {
      const stanza = text.split(/\n\s*\n/).find((part) => /^Suites:.*\bbookworm\b/m.test(part));
      if (!stanza) continue;
      const backports = stanza.replace(/^Suites:.*$/m, 'Suites: bookworm-backports');
      writeFileSync(join(APT_SOURCES, 'bookworm-backports.sources'), `${backports.trim()}\n`);
    } else {
      const line = text.split('\n').find((part) => /^deb\s.*\sbookworm\s/.test(part));
      if (!line) continue;
      writeFileSync(join(APT_SOURCES, 'bookworm-backports.list'), `${line.replace(/\sbookworm\s/, ' bookworm-backports ')}\n`);
    }
    listsAreFresh = false;
    return;
  }
}

function debianRelease() {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^VERSION_CODENAME=(\w+)/m.exec(text)?.[1] ?? null;
}

const drivers = () => DRIVER_FOLDERS.filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => join(folder, name)));

/** lavapipe of Mesa 25 or later, which is the first to say Vulkan 1.4; Dawn cannot use older ones. */
function lavapipe() {
  return drivers().filter((file) => /\/lvp_icd[^/]*\.json$/.test(file)).find((file) => {
    const [major, minor] = String(JSON.parse(readFileSync(file, 'utf8')).ICD?.api_version).split('.').map(Number);
    return major > 1 || (major === 1 && minor >= 4);
  }) ?? null;
}

/** A GPU's device node and a driver for it. */
function hasGpu() {
  if (existsSync('/dev/nvidia0') || existsSync('/dev/dxg')) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'))
    && drivers().some((file) => !/\/(lvp|gfxstream|virtio)_/.test(file));
}

const hasLoader = () => /libvulkan\.so\.1/.test(spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '')
  || ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'].some((folder) => existsSync(join(folder, 'libvulkan.so.1')));

/** The path that `find` gives if what is there starts, else null. */
function starting(find) {
  const path = find();
  return path && succeeds(path, ['--version'], { minutes: 1, quiet: true }) ? path : null;
}

/**
 * A Chromium or Chrome that starts: one already here, else Playwright's download, else Debian's package.
 * @returns {{ path: string } | { missing: string }} its executable, or a sentence that says what to install
 */
export function setUpChromium() {
  const works = () => starting(findChromium);
  const playwright = (...args) => succeeds(process.execPath, ['node_modules/playwright/cli.js', ...args], {
    env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '20000' },
  });
  let path = works();
  if (!path && process.env.CHROMIUM_PATH) {
    return { missing: `CHROMIUM_PATH is ${process.env.CHROMIUM_PATH}, which does not start: correct or unset it` };
  }
  if (!path) {
    say('no Chromium or Chrome here; trying Playwright\'s own');
    if (playwright('install', 'chromium') && !(path = works()) && isRoot()) {
      playwright('install-deps', 'chromium');
      path = works();
    }
  }
  if (!path && aptInstall(['chromium'])) path = works();
  return path ? { path } : {
    missing: 'no Chromium could be found or installed: install Chromium or Chrome 113 or later, or set CHROMIUM_PATH',
  };
}

/**
 * A Firefox that starts: one already here, else Debian's package.
 * @returns {{ path: string } | { missing: string }} its executable, or a sentence that says what to install
 */
export function setUpFirefox() {
  let path = starting(findFirefox);
  if (!path && process.env.FIREFOX_PATH) {
    return { missing: `FIREFOX_PATH is ${process.env.FIREFOX_PATH}, which does not start: correct or unset it` };
  }
  if (!path && aptInstall(['firefox-esr'])) path = starting(findFirefox);
  return path ? { path } : { missing: NO_FIREFOX };
}

/**
 * A Vulkan driver for the tests that run WGSL in Node and in Firefox: the GPU's own, else lavapipe, else the
 * SwiftShader that comes with Chromium.
 * @returns {{ name: string, file: string | null } | { missing: string }} file is for VK_DRIVER_FILES; null leaves the
 *   choice to the Vulkan loader
 */
export function setUpVulkan(chromiumPath) {
  if (process.platform !== 'linux') return { name: 'the system\'s GPU', file: null };
  const chosen = process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;
  if (chosen) return { name: chosen, file: chosen };
  if (hasGpu() && hasLoader()) return { name: 'the GPU\'s Vulkan driver', file: null };
  if (!lavapipe() || !hasLoader()) {
    say('no GPU and no lavapipe of Mesa 25 or later; installing it');
    const bookworm = debianRelease() === 'bookworm';
    if (bookworm && isRoot()) addBookwormBackports();
    aptInstall(['mesa-vulkan-drivers', 'libvulkan1'], bookworm ? 'bookworm-backports' : undefined);
  }
  const file = lavapipe();
  if (file && hasLoader()) return { name: 'lavapipe (software)', file };
  if (chromiumPath && hasLoader()) {
    const folders = [dirname(realpathSync(chromiumPath)), '/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome'];
    const swiftShader = folders.map((folder) => join(folder, 'vk_swiftshader_icd.json')).find((path) => existsSync(path));
    if (swiftShader) return { name: 'Chromium\'s SwiftShader (software)', file: swiftShader };
  }
  return {
    missing: 'no Vulkan driver could be found or installed: install the Vulkan loader (libvulkan1) and your GPU\'s '
      + 'driver, or Mesa 25 or later (mesa-vulkan-drivers)',
  };
}
