import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build, type Rolldown } from 'vite';

/** The program of `conformanceInPage.ts` as one file: the app itself has no use for it. */
async function bundled(): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      minify: false,
      target: 'es2023',
      rolldownOptions: { input: 'e2e/conformanceInPage.ts', output: { format: 'es', codeSplitting: false } },
    },
  }) as Rolldown.RolldownOutput;
  return built.output[0].code;
}

/** Serves a page with `window.verifyWebGpu`, and the vectors, to any browser on this machine. */
export async function serveConformance(): Promise<{ address: string; close(): void }> {
  const code = await bundled();
  const answer = async (path: string): Promise<[type: string, body: string | Buffer]> => {
    if (path === '/') return ['text/html', '<!doctype html><script type="module" src="./inPage.js"></script>'];
    if (path === '/inPage.js') return ['text/javascript', code];
    const [vectors] = /^\/conformance\/[\w-]+\.safetensors$/.exec(path) ?? [];
    return vectors ? ['application/octet-stream', await readFile(`public${vectors}`)] : ['text/plain', ''];
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '').then(
      ([type, body]) => response.writeHead(200, { 'content-type': type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
