/** A piece of the machine's memory; `address` is 0 until it is given one. Below zero, inverted: in a thread's own memory. */
export interface Region {
  readonly bytes: number;
  address: number;
}

/** An instruction's code and words; a region stands for its address. */
export type Instruction = readonly [code: number, ...words: (number | Region)[]];

/**
 * Tokens, or chunks of a sequence, computed band by band by whichever thread is free. A stage begins when the one before
 * is complete.
 */
export interface Stage {
  readonly band: number;
  readonly total: number;
  readonly code: readonly Instruction[];
  /** After the last band. */
  readonly finally: readonly Instruction[];
  /** For instructions that call back into TypeScript. */
  readonly calledOnly: boolean;
}

export const itemsOf = ({ total, band }: Stage): number => Math.ceil(total / band);

/** So that no two regions share a cache line. */
const ALIGNMENT = 64;

export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/**
 * Gives regions offsets by liveness: two may share memory unless there is a stage in which both are in use.
 *
 * @param lasting regions that are filled before the first stage or read after the last
 * @returns the bytes that they take together; addresses are offsets until `base` is added
 */
export function placeRegions(
  stages: readonly Stage[], lasting: { readonly filled: readonly Region[]; readonly read: readonly Region[] },
  fixed: ReadonlySet<Region>,
): { bytes: number; offsets: Map<Region, number> } {
  const lives = new Map<Region, { first: number; last: number }>();
  const touch = (region: Region, stage: number) => {
    const life = lives.get(region);
    if (life) life.last = Math.max(life.last, stage);
    else lives.set(region, { first: stage, last: stage });
  };
  for (const region of lasting.filled) touch(region, -1);
  stages.forEach((stage, i) => {
    for (const [, ...words] of [...stage.code, ...stage.finally]) {
      for (const word of words) if (typeof word !== 'number' && word.address >= 0 && !fixed.has(word)) touch(word, i);
    }
  });
  for (const region of lasting.read) touch(region, stages.length);

  const offsets = new Map<Region, number>();
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  let bytes = 0;
  // The largest first: the small ones fit into what is left between them.
  for (const [region, life] of [...lives].sort(([a], [b]) => b.bytes - a.bytes)) {
    const size = aligned(region.bytes);
    let start = 0;
    for (const other of placed) {
      if (other.last < life.first || life.last < other.first || other.end <= start) continue;
      if (other.start >= start + size) break;
      start = other.end;
    }
    offsets.set(region, start);
    bytes = Math.max(bytes, start + size);
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, { start, end: start + size, ...life });
  }
  return { bytes, offsets };
}
