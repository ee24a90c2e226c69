import { describe, expect, test } from 'vitest';
import { LIGHT } from '../model/config.ts';
import type { Ops } from '../model/ops.ts';
import { block, restoreRwkv } from '../model/restoreRwkv.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { parameterIn } from './engine.ts';
import type { Rule } from './fuse.ts';
import { foldScale, fuse, fuseChannelMix, fuseGate, fuseRearrange, fuseResidual, fuseShiftedNorm, fuseSquaredRelu, joinProjections, rewrite } from './fuse.ts';
import type { Handle, Node } from './graph.ts';
import { recordingOps, schedule } from './graph.ts';

const weight = (path: string, ...shape: number[]): Handle => ({ op: 'parameter', path, shape });

/** The operators of a graph after rewriting, in the order in which they run, without its inputs. */
function rewritten(program: (ops: Ops<Handle>, x: Node) => Handle, ...rules: Rule[]): { output: Node; names: string[] } {
  const ops = recordingOps();
  const output = rewrite(program(ops, ops.input('x', [1, 8, 8, 12])) as Node, rules);
  return { output, names: names(output) };
}
const names = (output: Node) => schedule(output)
  .filter(({ op }) => op !== 'input')
  .map((node) => (node.op === 'elementwise' ? node.operation : node.op));

describe('fusion', () => {
  test('folds a scale by channel into the linear before it', () => {
    const { output, names } = rewritten(
      (ops, x) => ops.mul(ops.linear(x, weight('W', 12, 12)), weight('gamma', 12)), foldScale,
    );
    expect(names).toEqual(['linear']);
    expect(output).toMatchObject({ parts: [{ weight: { path: 'W' }, scale: { path: 'gamma' } }] });
  });

  test('leaves a scaled linear alone that something else reads too', () => {
    const { names } = rewritten((ops, x) => {
      const y = ops.linear(x, weight('W', 12, 12));
      return ops.add(ops.mul(y, weight('gamma', 12)), y);
    }, foldScale);
    expect(names).toEqual(['linear', 'scale', 'add']);
  });

  test('applies a sigmoid gate as a linear or Bi-WKV writes its result', () => {
    const { output, names } = rewritten((ops, x) => {
      const wkv = ops.biWkv(x, x, weight('decay', 12), weight('bonus', 12), 'rows');
      return ops.mul(ops.linear(ops.mul(ops.sigmoid(x), wkv), weight('W', 12, 12)), ops.sigmoid(x));
    }, fuseGate);
    expect(names).toEqual(['biWkv', 'linear']);
    expect(output).toMatchObject({ gate: { op: 'input' }, x: { gate: { op: 'input' } } });
  });

  test('squares as the linear before it writes', () => {
    const { output, names } = rewritten(
      (ops, x) => ops.squaredRelu(ops.linear(x, weight('W', 12, 12))), fuseSquaredRelu,
    );
    expect(names).toEqual(['linear']);
    expect(output).toMatchObject({ parts: [{ squaredRelu: true }] });
  });

  test('adds a residual as a linear or convolution writes, from either side', () => {
    const { names } = rewritten((ops, x) => {
      const y = ops.add(x, ops.linear(x, weight('W', 12, 12)));
      return ops.add(ops.conv(y, weight('V', 3, 3, 12, 12), null), y);
    }, fuseResidual);
    expect(names).toEqual(['linear', 'conv']);
  });

  test('adds a residual to a 1×1 convolution beside its bias', () => {
    const { names } = rewritten(
      (ops, x) => ops.add(x, ops.conv(x, weight('W', 1, 1, 12, 12), weight('b', 12))), fuseResidual,
    );
    expect(names).toEqual(['linear']);
  });

  test('rearranges pixels as a convolution writes', () => {
    const { output, names } = rewritten(
      (ops, x) => ops.pixelShuffle(ops.conv(x, weight('W', 3, 3, 12, 24), null)), fuseRearrange,
    );
    expect(names).toEqual(['conv']);
    expect(output).toMatchObject({ rearrange: 'shuffle', shape: [1, 16, 16, 6] });
  });

  test('joins projections of one image to one linear', () => {
    const ops = recordingOps();
    const x = ops.input('x', [1, 8, 8, 12]);
    const output = joinProjections(ops.add(
      ops.linear(x, weight('A', 12, 8)), ops.linear(ops.linear(x, weight('B', 12, 4)), weight('C', 4, 8)),
    ) as Node);
    expect(names(output)).toEqual(['linear', 'slice', 'slice', 'linear', 'add']);
  });

  const mix = (ops: Ops<Handle>, x: Node, R = 12) => ops.mul(
    ops.sigmoid(ops.linear(x, weight('R', 12, R))),
    ops.linear(ops.squaredRelu(ops.linear(x, weight('K', 12, 48))), weight('V', 48, R)),
  );
  const parts = [foldScale, fuseGate, fuseSquaredRelu, fuseResidual];

  test('makes a channel mix with its scale and residual one node', () => {
    const ops = recordingOps();
    const x = ops.input('x', [1, 8, 8, 12]);
    const linears = rewrite(ops.add(x, ops.mul(mix(ops, x), weight('gamma', 12))) as Node, parts);
    const output = rewrite(linears, [fuseChannelMix(12)]);
    expect(names(output)).toEqual(['channelMix']);
    expect(output).toMatchObject({
      receptance: { path: 'R' }, key: { path: 'K' }, valuePart: { weight: { path: 'V' }, scale: { path: 'gamma' } },
      residual: { op: 'input' }, x: { op: 'input' },
    });
  });

  test('leaves a channel mix apart that is wider than what a kernel holds, or whose hidden channels are read elsewhere', () => {
    const ops = recordingOps();
    const x = ops.input('x', [1, 8, 8, 12]);
    expect(names(rewrite(rewrite(mix(ops, x) as Node, parts), [fuseChannelMix(11)]))).toEqual(['linear', 'linear', 'linear']);
    const hidden = ops.squaredRelu(ops.linear(x, weight('K', 12, 48)));
    const read = ops.concat(
      ops.mul(ops.sigmoid(ops.linear(x, weight('R', 12, 12))), ops.linear(hidden, weight('V', 48, 12))), hidden,
    );
    expect(names(rewrite(rewrite(read as Node, parts), [fuseChannelMix(12)]))).not.toContain('channelMix');
  });

  test('makes Omni-Shift of a layer norm one node, unless the norm is read elsewhere', () => {
    const norm = (ops: Ops<Handle>, x: Node) => ops.layerNorm(x, weight('w', 12), weight('b', 12));
    const fused = rewritten((ops, x) => ops.omniShift(norm(ops, x), weight('k', 5, 5, 12)), fuseShiftedNorm);
    expect(fused.names).toEqual(['shiftedNorm']);
    expect(fused.output).toMatchObject({ shift: { weight: { path: 'w' }, bias: { path: 'b' }, kernel: { path: 'k' } } });
    const { names } = rewritten((ops, x) => {
      const y = norm(ops, x);
      return ops.add(y, ops.omniShift(y, weight('k', 5, 5, 12)));
    }, fuseShiftedNorm);
    expect(names).toEqual(['layerNorm', 'omniShift', 'add']);
  });

  test('makes a block ten operators beside its slices', () => {
    const weights = toNetworkWeights(hashedStateDict(LIGHT, 0), LIGHT);
    const ops = recordingOps();
    const x = ops.input('x', [1, 8, 8, 24]);
    const output = fuse(block(ops, parameterIn(weights.tensors), 'refinement.0', LIGHT, x) as Node);
    expect(names(output).filter((name) => name !== 'slice')).toEqual([
      'layerNorm', 'omniShift', 'linear', 'biWkv', 'biWkv', 'linear', 'layerNorm', 'omniShift', 'linear', 'linear',
    ]);
  });

  test.each([
    [24, ['linear', 'biWkv', 'biWkv', 'linear', 'channelMix']],
    [23, ['linear', 'biWkv', 'biWkv', 'linear', 'shiftedNorm', 'channelMix']],
    [11, ['shiftedNorm', 'linear', 'biWkv', 'biWkv', 'linear', 'shiftedNorm', 'channelMix']],
  ])('makes a block of 24 channels few operators where tiles hold %i', (widest, expected) => {
    const weights = toNetworkWeights(hashedStateDict(LIGHT, 0), LIGHT);
    const ops = recordingOps();
    const x = ops.input('x', [1, 8, 8, 24]);
    const output = fuse(block(ops, parameterIn(weights.tensors), 'refinement.0', LIGHT, x) as Node, {
      shiftedNorm: true, channelMix: 96, shift: { linear: 2 * widest, channelMix: widest },
    });
    expect(names(output).filter((name) => name !== 'slice')).toEqual(expected);
  });

  test('keeps shifted tokens that something else reads too', () => {
    const ops = recordingOps();
    const x = ops.input('x', [1, 8, 8, 12]);
    const shifted = ops.omniShift(ops.layerNorm(x, weight('w', 12), weight('b', 12)), weight('k', 5, 5, 12));
    const read = (output: Handle) => names(fuse(output as Node, {
      shiftedNorm: true, channelMix: 0, shift: { linear: 12, channelMix: 12 },
    }));
    expect(read(ops.linear(shifted, weight('W', 12, 12)))).toEqual(['linear']);
    expect(read(ops.add(shifted, ops.linear(shifted, weight('W', 12, 12))))).toEqual(['shiftedNorm', 'linear']);
  });

  test('leaves no elementwise operator in the network', () => {
    const weights = toNetworkWeights(hashedStateDict(LIGHT, 0), LIGHT);
    const ops = recordingOps();
    const image = ops.input('image', [1, 64, 64, 1]);
    const output = fuse(restoreRwkv(ops, parameterIn(weights.tensors), LIGHT, image) as Node);
    const kinds = new Set(names(output));
    expect(kinds).toEqual(new Set(['conv', 'layerNorm', 'omniShift', 'linear', 'slice', 'biWkv', 'concat']));
  });
});
