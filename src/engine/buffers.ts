import type { Dispatch } from '../kernels/kernel.ts';
import type { Slot } from './lower.ts';

/** Which physical buffer each slot of activations uses, and how large those must be. */
export interface Assignment {
  readonly bufferOf: ReadonlyMap<Slot, number>;
  readonly floats: readonly number[];
}

/**
 * Gives slots buffers by liveness: a buffer is free again after the last dispatch that touches its slot. A free buffer
 * of the nearest size is taken, and grown if it must be.
 */
export function assignBuffers(dispatches: readonly Dispatch<Slot>[]): Assignment {
  const last = new Map<Slot, number>();
  dispatches.forEach((dispatch, i) => {
    for (const { buffer } of dispatch.bindings) if (!buffer.weight) last.set(buffer, i);
  });

  const bufferOf = new Map<Slot, number>();
  const floats: number[] = [];
  const free = new Set<number>();
  dispatches.forEach((dispatch, i) => {
    const touched = new Set(dispatch.bindings.map(({ buffer }) => buffer).filter((slot) => !slot.weight));
    for (const slot of touched) {
      if (bufferOf.has(slot)) continue;
      let chosen = slot.own ? undefined : nearest(free, floats, slot.floats);
      if (chosen === undefined) chosen = floats.push(0) - 1;
      free.delete(chosen);
      floats[chosen] = Math.max(floats[chosen]!, slot.floats);
      bufferOf.set(slot, chosen);
    }
    for (const slot of touched) if (!slot.own && last.get(slot) === i) free.add(bufferOf.get(slot)!);
  });
  return { bufferOf, floats };
}

/** The free buffer that fits with least waste, else the one that needs least growth. */
function nearest(free: ReadonlySet<number>, floats: readonly number[], wanted: number): number | undefined {
  let best: number | undefined;
  const waste = (i: number) => (floats[i]! >= wanted ? floats[i]! - wanted : (wanted - floats[i]!) * 1e6);
  for (const i of free) if (best === undefined || waste(i) < waste(best)) best = i;
  return best;
}
