// node src/formats/fuzz/start.mjs [--count N] [--seed N] [--first N] [--folder DIR]: opens damaged copies of the
// fixtures in a child process whose memory is capped; prints a JSON summary, status 1 where one did harm.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';

const root = resolve(import.meta.dirname, '../../..');
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    folder: { type: 'string', default: join(root, 'src/formats/fixtures') },
  },
});

/** A file may take 2 s; a child that says nothing for much longer hangs. */
const SILENCE = 30_000;
/** KiB of writable memory: 1 GiB for a file, the rest for Node, its threads and the decoders. */
const CAP = 2.5 * 2 ** 20;

const folder = mkdtempSync(join(root, 'node_modules/.fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
await build({
  configFile: false,
  root,
  logLevel: 'error',
  publicDir: false,
  build: {
    ssr: 'src/formats/fuzz/main.ts',
    target: 'node20',
    outDir: folder,
    emptyOutDir: true,
    minify: false,
    rolldownOptions: { output: { entryFileNames: 'main.mjs' } },
  },
});

const node = [process.execPath, '--max-old-space-size=768', join(folder, 'main.mjs'),
  resolve(values.folder), values.count, values.seed, values.first];
// `ulimit -d` counts writable memory alone: WebAssembly reserves far more addresses than it uses.
const command = process.platform === 'linux' ? ['sh', '-c', `ulimit -d ${CAP}; exec "$@"`, 'sh', ...node] : node;
const child = spawn(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });

let last = '';
let summary = null;
let errors = '';
let rest = '';
let watch = null;
const listen = () => {
  clearTimeout(watch);
  watch = setTimeout(() => child.kill('SIGKILL'), SILENCE);
};
listen();
child.stderr.on('data', (chunk) => { errors = (errors + chunk).slice(-2000); });
child.stdout.on('data', (chunk) => {
  listen();
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    if (line.startsWith('{')) summary = JSON.parse(line);
    else last = line;
  }
});
child.on('close', (status, signal) => {
  clearTimeout(watch);
  if (summary === null) {
    console.log(JSON.stringify({ died: `status ${status ?? signal} at ${last}`, errors }));
    process.exitCode = 1;
    return;
  }
  console.log(JSON.stringify(summary, null, 1));
  process.exitCode = summary.failures.length > 0 ? 1 : 0;
});
