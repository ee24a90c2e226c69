import binaries from './assembly/threads.ts?assembly';

/** A module for this engine, and whether its memory is shared between threads; null without SIMD. */
export interface Binary {
  readonly module: WebAssembly.Module;
  readonly shared: boolean;
}

const decoded = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/** The fastest binary that this engine can run; null where it knows no SIMD. */
export function chooseBinary(threads: number): Promise<Binary> | null {
  const shared = threads > 1 && typeof SharedArrayBuffer !== 'undefined';
  const names = shared ? (['sharedRelaxed', 'shared', 'relaxed', 'plain'] as const) : (['relaxed', 'plain'] as const);
  for (const name of names) {
    const bytes = decoded(binaries[name]);
    if (!WebAssembly.validate(bytes)) continue;
    return WebAssembly.compile(bytes).then((module) => ({ module, shared: name.startsWith('shared') }));
  }
  return null;
}
