// npm test: sets up what is missing, runs every part even after a failure, and sums up in the last line.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { firstLoad } from './bundleSize.mjs';
import { setUpChromium, setUpFirefox, setUpVulkan } from './setup.mjs';

/** Of what must arrive before the app is ready for work; weights and samples come after. */
const FIRST_LOAD_KIB = 700;

const root = resolve(import.meta.dirname, '..');
process.chdir(root);
const reports = join(root, '.cache', 'test');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const environment = { ...process.env };

/** Everything that this process started, directly or not: browsers and servers lead process groups of their own. */
function descendants() {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = (stdout ?? '').trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  const found = [process.pid];
  for (const parent of found) found.push(...pairs.filter(([, ppid]) => ppid === parent).map(([pid]) => pid));
  return found.slice(1);
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It had ended already.
  }
}

process.on('exit', () => descendants().forEach((pid) => signal(pid, 'SIGKILL')));
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => process.exit(1));

/** Runs one of our own packages' commands with stdin closed; resolves to its exit status. */
function node(script, ...args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join('node_modules', script), ...args], {
      stdio: ['ignore', 'inherit', 'inherit'], detached: true, env: environment,
    });
    child.once('error', () => done(1));
    child.once('exit', (status) => {
      // Whatever it left behind in its process group ends with it.
      signal(-child.pid, 'SIGTERM');
      done(status ?? 1);
    });
  });
}

const asOneTest = (ok) => ({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });

/** A report that was never written is a failure of the whole part. */
function readReport(name) {
  try {
    return JSON.parse(readFileSync(join(reports, name), 'utf8'));
  } catch {
    console.log(`${name} was not written`);
    return null;
  }
}

/** A part that ended badly though no test says so (a broken file, an unhandled error) counts as one failure. */
function withStatus(counts, status) {
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

async function unitTests() {
  const status = await node('vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json',
    `--outputFile.json=${join(reports, 'vitest.json')}`);
  const report = readReport('vitest.json');
  if (!report) return asOneTest(false);
  // A file that could not be loaded has no tests of its own.
  const unloaded = report.testResults.filter((file) => file.status === 'failed'
    && !file.assertionResults.some((result) => result.status === 'failed')).length;
  return withStatus({
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded,
    skipped: report.numPendingTests + report.numTodoTests,
  }, status);
}

async function browserTests() {
  if (chromium.missing) {
    console.log(chromium.missing);
    return asOneTest(false);
  }
  const status = await node('playwright/cli.js', 'test', '-c', 'e2e/playwright.config.ts');
  const report = readReport('playwright.json');
  if (!report) return asOneTest(false);
  const { expected, unexpected, flaky, skipped } = report.stats;
  return withStatus({ passed: expected, failed: unexpected + flaky, skipped }, status);
}

async function bundleSize() {
  const files = firstLoad(join(root, 'dist'));
  for (const { file, gzip } of files) console.log(`${(gzip / 1024).toFixed(1).padStart(8)} KiB  ${file}`);
  const kib = files.reduce((sum, { gzip }) => sum + gzip, 0) / 1024;
  console.log(`${kib.toFixed(1).padStart(8)} KiB  first load as gzip, of ${FIRST_LOAD_KIB} allowed`);
  return asOneTest(files.some(({ file }) => file.endsWith('.js')) && kib <= FIRST_LOAD_KIB);
}

const chromium = setUpChromium();
const firefox = setUpFirefox();
const vulkan = setUpVulkan(chromium.path ?? null);
if (chromium.path) environment.CHROMIUM_PATH = chromium.path;
if (firefox.path) environment.FIREFOX_PATH = firefox.path;
if (vulkan.file) environment.VK_DRIVER_FILES = vulkan.file;
environment.PLAYWRIGHT_JSON_OUTPUT_FILE = join(reports, 'playwright.json');
console.log([
  `Node ${process.version}`,
  `WebGPU in Node on ${vulkan.name ?? vulkan.missing}`,
  `browsers ${chromium.path ?? chromium.missing} and ${firefox.path ?? firefox.missing}`,
].join(' · '));

const parts = [
  ['types', async () => asOneTest(await node('typescript/bin/tsc', '--noEmit') === 0)],
  ['lint', async () => asOneTest(await node('eslint/bin/eslint.js', '-c', '.config/eslint.config.js', '--max-warnings', '0', '.') === 0)],
  ['unit, kernels, conformance', unitTests],
  ['build', async () => asOneTest(await node('vite/bin/vite.js', 'build', '--logLevel', 'warn') === 0)],
  ['first load', bundleSize],
  ['browser', browserTests],
];

const total = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
for (const [name, run] of parts) {
  console.log(`\n── ${name}`);
  const start = performance.now();
  const counts = await run().catch((error) => {
    console.log(error.message);
    return asOneTest(false);
  });
  for (const key of Object.keys(total)) total[key] += counts[key];
  const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  lines.push(`${name.padEnd(28)}${seconds.padStart(9)}   ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
}

console.log(`\n${lines.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed > 0 ? 1 : 0);
