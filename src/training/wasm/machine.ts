import * as I from './assembly/instructions.ts';
import { chooseBinary, type Binary } from './binaries.ts';
import type { Helper, StartHelper } from './helpers.ts';
import type { Lowered } from './lower.ts';
import { aligned, itemsOf, placeRegions, type Region } from './regions.ts';

/** WebAssembly's unit of memory. */
const PAGE = 65536;
/** 2 GiB, as the binaries with threads declare. */
const MAXIMUM_PAGES = 32768;

/** Memory and threads that run what graphs were lowered to, one at a time. */
export interface Machine {
  readonly threads: number;
  /**
   * Puts a program into memory, in place of the one before. Weights stay where they are: the same keys stand for the same
   * content in all programs of a machine.
   *
   * @throws RangeError where the memory cannot grow so far
   */
  load(program: Lowered): void;
  /**
   * Runs the loaded program. Blocks, so in a browser it belongs into a worker.
   *
   * @param fill writes the inputs
   * @param read takes what it wants of the output
   */
  run<T>(fill: (floats: (region: Region) => Float32Array) => void, read: (output: Float32Array) => T): T;
  dispose(): void;
}

export interface MachineOptions {
  /** Threads, this one included; 1 when left out. More want shared memory, which pages have if cross-origin isolated. */
  readonly threads?: number;
  readonly startHelper?: StartHelper;
}

/** Bytes of activations that a program takes. */
export const activationBytes = (program: Lowered): number => placed(program).bytes;

function placed({ stages, inputs, output, weights, tables }: Lowered) {
  const fixed = new Set([...weights.values(), ...tables].map(({ region }) => region));
  const filled = [...inputs.values()].map(({ region }) => region);
  return placeRegions(stages, { filled, read: [output.region] }, fixed);
}

/** Null where this engine's WebAssembly has no SIMD. Fewer threads than asked for are started where there are no more. */
export async function createMachine({ threads = 1, startHelper }: MachineOptions = {}): Promise<Machine | null> {
  const binary = await chooseBinary(startHelper ? threads : 1);
  if (!binary) return null;
  const memory = newMemory(binary.shared);
  // Shared memory reserves its maximum at once, which not every system gives.
  return memory ? machineOn(binary, memory, threads, startHelper) : createMachine();
}

async function machineOn(
  binary: Binary, memory: WebAssembly.Memory, threads: number, startHelper?: StartHelper,
): Promise<Machine> {
  let loaded: Lowered | null = null;
  const floats = ({ address, bytes }: Region) => new Float32Array(memory.buffer, address, bytes / 4);
  const { exports } = await WebAssembly.instantiate(binary.module, {
    env: { memory },
    program: { call: (index: number) => loaded!.calls[index]!(floats) },
  });
  const run = exports.run as () => void;
  const helpers: Helper[] = [];
  if (binary.shared && startHelper) {
    const starts = Array.from({ length: threads - 1 }, (_, i) => startHelper({ module: binary.module, memory, thread: i + 1 }));
    for (const start of await Promise.allSettled(starts)) if (start.status === 'fulfilled') helpers.push(start.value);
  }

  const weights = new Map<string, number>();
  let end = I.FREE * 4;
  let progress: Region = { bytes: 0, address: 0 };

  function grow(bytes: number): void {
    const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
  }

  function load(program: Lowered): void {
    loaded = null;
    for (const [key, { region, make }] of program.weights) {
      const known = weights.get(key);
      region.address = known ?? end;
      if (known !== undefined) continue;
      grow(end + region.bytes);
      floats(region).set(make());
      weights.set(key, end);
      end = aligned(end + region.bytes);
    }
    let at = end;
    const place = (region: Region) => {
      region.address = at;
      at = aligned(at + region.bytes);
    };
    for (const { region } of program.tables) place(region);
    const { bytes, offsets } = placed(program);
    for (const [region, offset] of offsets) region.address = at + offset;
    at += bytes;
    const own = at;
    const ownBytes = aligned(program.ownBytes);
    // A helper that was not started leaves its number free.
    at += threads * ownBytes;
    progress = { bytes: 4 * I.PROGRESS_WORDS * program.stages.length, address: 0 };
    place(progress);
    const words = encode(program, at);
    grow(at + 4 * words.length);
    for (const { region, make } of program.tables) floats(region).set(make());
    new Int32Array(memory.buffer, at, words.length).set(words);
    const control = new Int32Array(memory.buffer, I.CONTROL, I.OWN_BYTES + 1);
    control.set([at, program.stages.length, progress.address, own, ownBytes], I.STAGES);
    loaded = program;
  }

  function dispose(): void {
    for (const helper of helpers) helper.terminate();
    loaded = null;
  }

  return {
    threads: helpers.length + 1,
    load,
    run(fill, read) {
      if (!loaded) throw new Error('wasm: this computation ended before; load the weights again');
      fill(floats);
      floats(progress).fill(0);
      try {
        run();
      } catch (error) {
        // A call back failed: the other threads wait for a stage that never completes.
        dispose();
        throw error;
      }
      return read(floats(loaded.output.region));
    },
    dispose,
  };
}

function newMemory(shared: boolean): WebAssembly.Memory | null {
  if (!shared) return new WebAssembly.Memory({ initial: 1 });
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared });
  } catch {
    return null;
  }
}

/** The stages, and behind them their instructions. */
function encode({ stages }: Lowered, address: number): number[] {
  const heads: number[] = [];
  const code: number[] = [];
  const start = address + 4 * I.STAGE_WORDS * stages.length;
  for (const stage of stages) {
    const begin = (instructions: typeof stage.code) => {
      const at = start + 4 * code.length;
      for (const [operation, ...words] of instructions) {
        code.push(operation + ((words.length + 1) << I.LENGTH_SHIFT));
        for (const word of words) code.push(typeof word === 'number' ? word : word.address);
      }
      code.push(I.END);
      return at;
    };
    const head: number[] = [];
    head[I.ITEMS] = itemsOf(stage);
    head[I.BAND] = stage.band;
    head[I.TOTAL] = stage.total;
    head[I.CODE] = begin(stage.code);
    head[I.FINALLY] = stage.finally.length > 0 ? begin(stage.finally) : 0;
    head[I.CALLED_ONLY] = Number(stage.calledOnly);
    heads.push(...head);
  }
  return [...heads, ...code];
}
