// npm run --silent cli -- VERB …: bundles the command line when a source is newer than the bundle, then runs it.
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '../..');
const folder = join(root, '.cache', 'cli');
const bundle = join(folder, 'cli.mjs');

/** The last change among the files that the bundle is made of. */
function lastChange(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A folder's own time tells of files that were removed.
  return readdirSync(path).filter((name) => !/^fixtures$|^app$|\.test\.tsx?$/.test(name))
    .reduce((latest, name) => Math.max(latest, lastChange(join(path, name))), stat.mtimeMs);
}

function isStale() {
  if (!existsSync(bundle)) return true;
  const built = statSync(bundle).mtimeMs;
  return ['src', 'shaders', '.config', 'package-lock.json'].some((name) => lastChange(join(root, name)) > built);
}

/** tfjs's wasm backend was compiled for CommonJS and asks for these where it meets Node. */
const COMMONJS_NAMES = `import { createRequire as createRequireHere } from 'node:module';
const require = createRequireHere(import.meta.url);
const __dirname = import.meta.dirname;
const __filename = import.meta.filename;`;

/**
 * One file and tfjs's wasm binaries beside it, so that the folder runs elsewhere; `webgpu`, a native addon, stays
 * outside. Written aside and renamed, as two calls may build at once.
 */
async function build() {
  const [{ build: viteBuild }, { assembly }] = await Promise.all([import('vite'), import('../../.config/assembly.js')]);
  const aside = join(folder, String(process.pid));
  await viteBuild({
    configFile: false,
    root,
    logLevel: 'error',
    publicDir: false,
    plugins: [assembly()],
    build: {
      ssr: 'src/cli/main.ts',
      target: 'node20',
      outDir: aside,
      emptyOutDir: true,
      minify: false,
      rolldownOptions: { output: { entryFileNames: 'cli.mjs', codeSplitting: false, banner: COMMONJS_NAMES } },
    },
    ssr: { noExternal: true, external: ['webgpu'] },
  });
  const wasm = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  for (const name of readdirSync(wasm).filter((file) => file.endsWith('.wasm'))) copyFileSync(join(wasm, name), join(aside, name));
  // The bundle last: it says that all is there.
  for (const name of readdirSync(aside).sort((a) => (a === 'cli.mjs' ? 1 : -1))) renameSync(join(aside, name), join(folder, name));
  rmSync(aside, { recursive: true, force: true });
}

if (isStale()) {
  try {
    await build();
  } catch (error) {
    process.stderr.write(`error: the command line could not be built: ${error.message}\n`);
    process.exit(1);
  }
}
if (process.argv[2] !== '--build') await import(pathToFileURL(bundle).href);
