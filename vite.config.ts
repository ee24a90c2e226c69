import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { assembly } from './.config/assembly.js';

/** Cross-origin isolation gives the wasm fallback its threads; any server may leave these out. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  plugins: [react(), assembly()],
  worker: { format: 'es', plugins: () => [assembly()] },
  build: {
    target: 'es2023',
    chunkSizeWarningLimit: 1500,
    // What a slow plug-in cost is no fault of the build: it would read like a warning.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  server: { headers: isolation },
  preview: { headers: isolation },
  test: {
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx'],
    testTimeout: 60_000,
    // Two cores and one software device: files one after another keep timings and memory sane.
    fileParallelism: false,
    pool: 'forks',
  },
});
