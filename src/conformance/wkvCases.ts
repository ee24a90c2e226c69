import { reWkv } from '../model/restoreRwkv.ts';
import type { Program } from '../model/ops.ts';
import { inLayouts } from '../weights/networkWeights.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import type { Case } from './case.ts';
import { wholeTensor } from './compare.ts';
import { given, gradientsOf } from './gradients.ts';
import type { Tensors } from './subject.ts';
import type { VectorFile } from './vectors.ts';

/**
 * Bi-WKV and Re-WKV: `NAME.{k,v,decay,first,y}`, with k [N, T, C] and decay [C] for one pass by rows, or k [N, H, W, C]
 * and decay [R, C] for R recurring passes. `NAME.gy` and `NAME.g_{k,v,decay,first}` add the gradients of Σ gy ⊙ y of
 * one pass.
 */
export function wkvCases(file: VectorFile): Case[] {
  return file.matches(/^(.+)\.k$/).flatMap(([group]) => {
    return file.shapeOf(`${group}.k`).length === 4 ? [reWkvCase(file, group)] : biWkvCases(file, group);
  });
}

function reWkvCase(file: VectorFile, group: string): Case {
  const k = file.take(`${group}.k`, [null, null, null, null]);
  const v = file.take(`${group}.v`, k.shape);
  const y = file.take(`${group}.y`, k.shape);
  const decay = file.take(`${group}.decay`, [null, k.shape[3]]);
  const [recurrence] = decay.shape;
  const first = file.take(`${group}.first`, decay.shape);
  const weights: Tensors = inLayouts(new Map([['att.spatial_decay', decay], ['att.spatial_first', first]]));
  const program: Program = (ops, input) => reWkv(ops, input, 'att', { recurrence }, input('k'), input('v'));
  return {
    file: file.name, name: group, kind: 'reWkv', needs: 'forward',
    run: async (subject) => {
      const got = await subject.evaluate(program, new Map([['k', k], ['v', v]]), weights);
      return [wholeTensor(`${group}.y`, got, y)];
    },
  };
}

function biWkvCases(file: VectorFile, group: string): Case[] {
  const k = file.take(`${group}.k`, [null, null, null]);
  const [n, tokens, c] = k.shape;
  const image = ({ data }: StoredTensor): StoredTensor => ({ shape: [n, 1, tokens, c], data });
  const take = (name: string, shape: readonly number[]) => file.take(`${group}.${name}`, shape);
  const activations: Tensors = new Map([['k', image(k)], ['v', image(take('v', k.shape))]]);
  const weights: Tensors = new Map([['decay', take('decay', [c])], ['first', take('first', [c])]]);
  const y = image(take('y', k.shape));
  const program: Program = (ops, input) => {
    return ops.biWkv(input('k'), input('v'), input('decay'), input('first'), 'rows');
  };
  const cases: Case[] = [{
    file: file.name, name: group, kind: 'biWkv', needs: 'forward',
    run: async (subject) => [wholeTensor(`${group}.y`, await subject.evaluate(program, activations, weights), y)],
  }];
  if (!file.has(`${group}.gy`)) return cases;

  const gy = image(take('gy', k.shape));
  const expected: Tensors = new Map([
    ['k', image(take('g_k', k.shape))], ['v', image(take('g_v', k.shape))],
    ['decay', take('g_decay', [c])], ['first', take('g_first', [c])],
  ]);
  cases.push({
    file: file.name, name: `${group} gradients`, kind: 'biWkv', needs: 'gradients',
    run: async (subject) => {
      const { gradients } = await gradientsOf(subject, program, activations, weights, () => gy);
      return [...expected].map(([name, e]) => wholeTensor(`${group}.g_${name}`, given(gradients, name), e));
    },
  });
  return cases;
}
