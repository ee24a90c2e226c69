import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What `import … from './x.ts?assembly'` gives: one WebAssembly binary for each set of features. */
const VARIANTS = {
  plain: [],
  relaxed: ['relaxed-simd'],
  shared: ['threads'],
  sharedRelaxed: ['threads', 'relaxed-simd'],
};

/** In pages of 64 KiB: 2 GiB, so that addresses are positive as 32-bit integers. */
const MAXIMUM_PAGES = 32768;

const SUFFIX = '?assembly';

/** Compiled once for all who ask: the command line, tests, the app and its workers. */
const cache = resolve(import.meta.dirname, '../.cache/assembly');

/** @returns {Promise<Record<string, string>>} base64 by variant */
async function compile(file) {
  const { default: asc } = await import('assemblyscript/asc');
  const folder = mkdtempSync(join(cache, 'aside-'));
  const binaries = {};
  try {
    for (const [name, features] of Object.entries(VARIANTS)) {
      const out = join(folder, `${name}.wasm`);
      const shared = features.includes('threads') ? ['--sharedMemory', '--maximumMemory', String(MAXIMUM_PAGES)] : [];
      const { error, stderr } = await asc.main([
        file, '--outFile', out, '--baseDir', '/', '--runtime', 'stub', '--importMemory', '--noAssert', '-O3',
        '--enable', ['simd', ...features].join(), ...shared,
        // Between usize and i32, which are the same for memories below 4 GiB.
        '--disableWarning', '201',
      ]);
      if (error) throw new Error(`${file} does not compile as AssemblyScript: ${stderr.toString().trim()}`);
      binaries[name] = readFileSync(out).toString('base64');
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return binaries;
}

/**
 * A Vite plugin that compiles AssemblyScript: no binary is kept in the repository. The module exports an object of the
 * binaries as base64, some ten KiB each, so that it works wherever the bundle does.
 */
export function assembly() {
  return {
    name: 'assembly',
    enforce: 'pre',
    async load(id) {
      if (!id.endsWith(SUFFIX)) return null;
      const file = id.slice(0, -SUFFIX.length);
      const folder = dirname(file);
      const sources = readdirSync(folder).filter((name) => name.endsWith('.ts')).sort().map((name) => join(folder, name));
      const hash = createHash('sha256');
      for (const source of [...sources, import.meta.filename]) {
        this.addWatchFile(source);
        hash.update(readFileSync(source)).update('\0');
      }
      const known = join(cache, `${hash.digest('hex').slice(0, 32)}.json`);
      if (!existsSync(known)) {
        mkdirSync(cache, { recursive: true });
        const aside = `${known}.${process.pid}`;
        writeFileSync(aside, JSON.stringify(await compile(file)));
        renameSync(aside, known);
      }
      return `export default ${readFileSync(known, 'utf8')};`;
    },
  };
}
