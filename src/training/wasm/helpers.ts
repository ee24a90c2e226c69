/** What a helper is started with; it can be sent to another thread. */
export interface HelperStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly thread: number;
}

/** Another thread that takes part in what the machine runs. */
export interface Helper {
  terminate(): void;
}

/** Starts a helper, and waits until it listens to the machine's memory. */
export type StartHelper = (start: HelperStart) => Promise<Helper>;

/**
 * A helper's whole program, as text so that it needs no file of its own: `listen` calls back with a `HelperStart`, `ready`
 * is called before the thread goes into the machine for good.
 */
export const HELPER = `
const help = ({ module, memory, thread }, ready) => {
  const { exports } = new WebAssembly.Instance(module, { program: { call() {} }, env: { memory } });
  ready();
  exports.serve(thread);
};`;
