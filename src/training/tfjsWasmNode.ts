import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';

/**
 * The folder of tfjs's wasm binaries in Node, ending in a separator.
 * @param folder where they are when not in node_modules, for instance beside a bundled program
 */
export function nodeWasmPaths(folder?: string): string {
  if (folder) return folder.endsWith(sep) ? folder : folder + sep;
  return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep;
}
