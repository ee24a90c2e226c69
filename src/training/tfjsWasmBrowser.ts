import threadedFactory from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js';
import threadedSource from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd.js?raw';
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url';
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url';
import threadedSimd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url';
import type { WasmPaths } from './tfjsBackend.ts';

/**
 * tfjs starts its wasm threads from the text of this function, as `var … = ` + its toString(). A bundler has renamed
 * what the function refers to by then, and the threads would fail and leave tfjs waiting for ever: they get the text of
 * the published file.
 */
threadedFactory.toString = () => `undefined;${threadedSource}`;

/** URLs of tfjs's wasm binaries as Vite serves them; for the browser only. */
export const browserWasmPaths: WasmPaths = {
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threadedSimd,
};
