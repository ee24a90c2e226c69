import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

/** index.html's own scripts, preloads and style sheets. */
const IN_HTML = /<(?:script|link)\b[^>]*?\b(?:src|href)="([^"]+\.(?:js|css))"/g;
/** Static imports and re-exports of a built chunk; `import("…")` is lazy and has a bracket. */
const STATIC_IMPORT = /(?:\bimport|\bfrom)\s*["']([^"']+\.js)["']/g;
/** A worker's script: without it no image is restored, so it is part of the first load. */
const WORKER = /new URL\(\s*(?:""\s*\+\s*)?["'`]([^"'`]+\.js)["'`]/g;

/**
 * The files that a browser loads before the app is ready for work, with their size in bytes as gzip: the page, its
 * scripts and styles, their static imports and the worker, without chunks that are imported on demand.
 */
export function firstLoad(dist) {
  const found = new Map();
  const visit = (file) => {
    if (found.has(file) || !existsSync(file)) return;
    const bytes = readFileSync(file);
    found.set(file, { file: relative(dist, file), gzip: gzipSync(bytes, { level: 9 }).length });
    const text = bytes.toString('utf8');
    const patterns = file.endsWith('.html') ? [IN_HTML] : file.endsWith('.js') ? [STATIC_IMPORT, WORKER] : [];
    for (const pattern of patterns) {
      for (const [, name] of text.matchAll(pattern)) {
        visit(join(dirname(file), name));
        visit(join(dist, name));
      }
    }
  };
  visit(join(dist, 'index.html'));
  return [...found.values()];
}
