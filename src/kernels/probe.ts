import shader from '../../shaders/probe.wgsl?raw';
import type { Dispatch } from './kernel.ts';
import { specialise } from './kernel.ts';

/** Chains of a thread; enough to hide the latency of a multiply-add. */
const CHAINS = 8;
const MOST_GROUPS = 65535;

interface Ends<B> {
  readonly from: B;
  readonly to: B;
  /** vec4s in each. */
  readonly count: number;
}

/** Copies `count` vec4s: 32 bytes of traffic each. */
export function probeCopy<B>(ends: Ends<B>): Dispatch<B> {
  const groups = Math.min(MOST_GROUPS, Math.ceil(ends.count / 64));
  return dispatchOf('copy', ends, groups, 0);
}

/** `count` threads of `rounds` multiply-adds in eight chains of vec4s: see `probeFlops`. */
export function probeMultiplyAdd<B>(ends: Ends<B>, rounds: number): Dispatch<B> {
  return dispatchOf('multiplyAdd', ends, Math.ceil(ends.count / 64), rounds);
}

/** Floating-point operations of `probeMultiplyAdd`, a multiply-add being two. */
export const probeFlops = (count: number, rounds: number): number => 2 * 4 * CHAINS * count * rounds;

function dispatchOf<B>(
  entryPoint: 'copy' | 'multiplyAdd', { from, to, count }: Ends<B>, groups: number, rounds: number,
): Dispatch<B> {
  return {
    label: `probe ${entryPoint}`,
    code: specialise(shader, { CHAINS }),
    entryPoint,
    params: [count, 64 * groups, rounds],
    bindings: [
      { binding: 1, buffer: from, access: 'read' },
      { binding: 2, buffer: to, access: 'write' },
    ],
    workgroups: [groups, 1, 1],
  };
}
