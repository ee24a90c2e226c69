import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { expect, test } from 'playwright/test';
import { figures, requestsElsewhere, restored, sampleOf } from './page.ts';

const FOLDER = '/some/where/';
const TYPES: Record<string, string> = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.svg': 'image/svg+xml', '.wasm': 'application/wasm',
};

/** dist/ under FOLDER and nothing else, with a content type and no other header of its own. */
function plainServer(refused: string[]) {
  return createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url!, 'http://localhost').pathname);
    const file = path === FOLDER ? 'index.html' : path.startsWith(FOLDER) ? normalize(path.slice(FOLDER.length)) : null;
    const answer = file === null ? Promise.reject(new Error('outside')) : readFile(join('dist', file));
    answer.then(
      (bytes) => {
        response.writeHead(200, { 'content-type': TYPES[extname(file!)] ?? 'application/octet-stream' }).end(bytes);
      },
      () => {
        refused.push(path);
        response.writeHead(404).end();
      },
    );
  });
}

test('the build restores a sample from a folder of a plain static server', async ({ page }) => {
  const refused: string[] = [];
  const server = plainServer(refused);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const elsewhere = requestsElsewhere(page, origin);
    await page.goto(`${origin}${FOLDER}?device=wasm`);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    await page.getByRole('button', { name: /^PET/ }).click();
    await restored(page);
    const { psnr } = await figures(page, 'restored');
    expect(Math.abs(psnr - sampleOf('pet').slices[2]!.restored.psnr)).toBeLessThan(0.011);
    expect(refused).toEqual([]);
    expect(elsewhere).toEqual([]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
