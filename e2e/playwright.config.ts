import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'playwright/test';
import { findChromium } from '../.ci/chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

// Playwright reads this file once more in every worker, which inherits the environment: all must see the same port.
const port = (process.env.E2E_PORT ??= String(await freePort()));
const address = `http://127.0.0.1:${port}/`;

const executablePath = findChromium();
if (!executablePath) throw new Error('no Chromium found: install Chromium or Chrome, or set CHROMIUM_PATH');

/** WebGPU on SwiftShader. Without the last three a WebGPU canvas shows nothing and loses its device. */
const WEBGPU_WITHOUT_GPU = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
];

/** Nothing but the page may go over the network, or the test that watches requests would see the browser's own. */
const NO_BACKGROUND_TRAFFIC = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: root + 'e2e',
  outputDir: root + 'e2e/artefacts/runs',
  // One software device: pages beside each other would only wait for it.
  workers: 1,
  fullyParallel: false,
  forbidOnly: Boolean(process.env.CI),
  timeout: 180_000,
  expect: { timeout: 30_000 },
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ? [['list'], ['json']] : [['list']],
  use: {
    baseURL: address,
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    acceptDownloads: true,
    launchOptions: {
      executablePath,
      args: ['--no-sandbox', ...WEBGPU_WITHOUT_GPU, ...NO_BACKGROUND_TRAFFIC],
    },
  },
  webServer: {
    command: `node node_modules/vite/bin/vite.js preview --host 127.0.0.1 --port ${port} --strictPort`,
    cwd: root,
    url: address,
    reuseExistingServer: false,
    timeout: 30_000,
  },
});
