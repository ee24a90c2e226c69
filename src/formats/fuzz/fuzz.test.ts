import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const COUNT = 20_000;

it(`${COUNT} damaged files open or end in one sentence, within 2 s and 1 GiB each`, { timeout: 900_000 }, () => {
  const start = fileURLToPath(new URL('start.mjs', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [start, '--count', String(COUNT), '--seed', '1'], { encoding: 'utf8' });
  const summary = JSON.parse(stdout) as { died?: string; count: number; opened: number; failures: unknown[] };
  expect(summary.died).toBeUndefined();
  expect(summary.failures).toEqual([]);
  expect(summary.count).toBe(COUNT);
  // Damage that leaves nothing readable, or nothing damaged, would test nothing.
  expect(summary.opened).toBeGreaterThan(COUNT / 20);
  expect(summary.opened).toBeLessThan(COUNT * 19 / 20);
});
