import type { Region, Stage } from './regions.ts';

/** Memory with a fixed content. */
export interface Constant {
  readonly region: Region;
  readonly make: () => Float32Array;
}

/** What TypeScript computes in the middle of a program, on views of its memory. */
export type Call = (floats: (region: Region) => Float32Array) => void;

/** What lowering a node writes to. */
export interface Writer {
  /** Memory that others may use when it is no longer needed. */
  region(floats: number): Region;
  weight(key: string, floats: number, make: () => Float32Array): Region;
  table(data: Float32Array): Region;
  stage(stage: Omit<Stage, 'finally' | 'calledOnly'> & Partial<Stage>): void;
  /** Asks for as much of a thread's own memory. */
  own(bytes: number): void;
  call(call: Call): number;
}
