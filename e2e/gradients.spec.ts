import { expect, test } from 'playwright/test';
import { build, type Rolldown } from 'vite';
import { SLOW } from './page.ts';

/** The program of `gradientsInPage.ts` as one file: the page itself has no use for the vectors. */
async function bundled(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      rolldownOptions: { input: 'e2e/gradientsInPage.ts', output: { format: 'es', codeSplitting: false } },
    },
  }) as Rolldown.RolldownOutput;
  return built.output[0].code;
}

test('gradients on WebGPU in the browser agree with the vectors', async ({ page }) => {
  test.setTimeout(SLOW);
  const code = await bundled();
  await page.route('**/vectors.html', (route) => route.fulfill({
    contentType: 'text/html', body: '<!doctype html><script type="module" src="./vectors.js"></script>',
  }));
  await page.route('**/vectors.js', (route) => route.fulfill({ contentType: 'text/javascript', body: code }));
  await page.goto('./vectors.html');
  await page.waitForFunction(() => 'verifyWebGpu' in window);
  const results = await page.evaluate((files) => window.verifyWebGpu(files), ['bi-wkv.safetensors', 'modules.safetensors']);
  expect(results.filter(({ passed }) => !passed)).toEqual([]);
  // Ten sequences and three blocks have gradients; the rest are forward passes.
  expect(results.filter(({ case: name }) => name.endsWith(' gradients'))).toHaveLength(13);
});
