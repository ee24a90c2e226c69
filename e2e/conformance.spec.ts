import { expect, test as base } from 'playwright/test';
import type { CaseResult } from '../src/conformance/verify.ts';
import type { Outcome, Run } from './conformanceInPage.ts';
import { serveConformance } from './conformanceServer.ts';
import { openFirefox } from './firefox.ts';
import { SLOW } from './page.ts';

/** Each has a WGSL compiler of its own: Tint and naga. */
type Browser = 'Chromium' | 'Firefox';

interface Fixtures {
  verifyIn(browser: Browser, run: Run): Promise<Outcome>;
}

const test = base.extend<Fixtures, { address: string }>({
  address: [async ({}, use) => {
    const { address, close } = await serveConformance();
    await use(address);
    close();
  }, { scope: 'worker' }],

  verifyIn: async ({ address, page }, use) => {
    const opened: { close(): Promise<void> }[] = [];
    await use(async (browser, run) => {
      if (browser === 'Chromium') {
        await page.goto(address);
        await page.waitForFunction(() => 'verifyWebGpu' in window);
        return page.evaluate((run) => window.verifyWebGpu(run), run);
      }
      const firefox = await openFirefox();
      opened.push(firefox);
      await firefox.page.goto(address);
      await firefox.page.waitForFunction(() => 'verifyWebGpu' in window);
      return firefox.page.evaluate((run) => window.verifyWebGpu(run), run);
    });
    for (const firefox of opened) await firefox.close();
  },
});

const FILES = ['bi-wkv', 're-wkv', 'modules', 'networks'].map((name) => `${name}.safetensors`);

/** Tiles in workgroup memory take SwiftShader a minute for these; two light networks run every kernel as well. */
const LARGE = ['light.128x128', 'full.64x64', 'full.40x56'];

const SETS: readonly { what: string; run: Run; networks: number }[] = [
  { what: 'software devices', run: { variants: 'software', files: FILES }, networks: 5 },
  { what: 'GPUs', run: { variants: 'gpu', files: FILES, without: LARGE }, networks: 2 },
];

/** Results by their kind, gradients apart. */
function byKind(results: readonly CaseResult[]): Map<string, CaseResult[]> {
  const kinds = new Map<string, CaseResult[]>();
  for (const result of results) {
    const kind = result.case.endsWith(' gradients') ? `${result.kind} gradients` : result.kind;
    kinds.set(kind, [...(kinds.get(kind) ?? []), result]);
  }
  return kinds;
}

for (const browser of ['Chromium', 'Firefox'] as const) {
  for (const { what, run, networks } of SETS) {
    test(`kernels for ${what} agree with the vectors in ${browser}, gradients too`, async ({ verifyIn }) => {
      test.setTimeout(SLOW);
      const { results, complaints } = await verifyIn(browser, run);
      const kinds = byKind(results);
      for (const [kind, of] of kinds) {
        const worst = Math.max(...of.map(({ error }) => error)).toExponential(1);
        const seconds = of.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
        console.log(`    ${kind.padEnd(16)} ${of.length} cases, error ${worst} at most, ${seconds.toFixed(1)} s`);
      }
      expect(complaints).toEqual([]);
      expect(results.filter(({ passed }) => !passed)).toEqual([]);
      expect(Object.fromEntries([...kinds].map(([kind, of]) => [kind, of.length]))).toEqual({
        biWkv: 10, 'biWkv gradients': 10, reWkv: 4, module: 15, 'module gradients': 3, network: networks,
      });
    });
  }
}

const HALVES: readonly { what: string; browser: Browser; run: Run; networks: number }[] = [
  // SwiftShader, Chromium's software device, has no float16.
  { what: 'float16', browser: 'Firefox', run: { variants: 'f16', files: ['networks.safetensors'] }, networks: 5 },
  { what: 'packed halves', browser: 'Firefox', run: { variants: 'packed', files: ['networks.safetensors'] }, networks: 5 },
  {
    what: 'packed halves, with tiles for GPUs,', browser: 'Chromium', networks: 2,
    run: { variants: 'packedGpu', files: ['networks.safetensors'], without: LARGE },
  },
];

for (const { what, browser, run, networks } of HALVES) {
  test(`networks with activations as ${what} stay within 2e-3 in ${browser}`, async ({ verifyIn }) => {
    test.setTimeout(SLOW);
    const { results, complaints } = await verifyIn(browser, run);
    for (const { case: name, error } of results) console.log(`    ${name} ${error.toExponential(1)}`);
    expect(complaints).toEqual([]);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results).toHaveLength(networks);
  });
}
