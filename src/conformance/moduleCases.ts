import { LIGHT, parameters, type Config } from '../model/config.ts';
import type { Ops, Program } from '../model/ops.ts';
import { block, channelMix, spatialMix } from '../model/restoreRwkv.ts';
import { inLayouts } from '../weights/networkWeights.ts';
import type { StateDict, StoredTensor } from '../weights/tensor.ts';
import type { Case } from './case.ts';
import { wholeTensor } from './compare.ts';
import { given, gradientsOf, stateDictGradients, trainableWeights } from './gradients.ts';
import type { VectorFile } from './vectors.ts';

/** Where the block's parameters stand among the weights. */
const AT = 'block';

/**
 * One R-RWKV block: `NAME.x` [N, H, W, C], its parameters `NAME.param.KEY` and what comes of them: `omni_merged`,
 * `omni_y` and `ln1_y`, of x itself; `att_y` and `ffn_y`, the mixes of LN1(x) and LN2(x); `block_y`. `NAME.gy` adds the
 * gradients of Σ gy ⊙ block_y: `block_gx` and `grad.KEY`.
 */
export function moduleCases(file: VectorFile): Case[] {
  const groups = new Set(file.matches(/^(.+?)\.param\..+$/).map(([group]) => group));
  return [...groups].flatMap((group) => casesOfBlock(file, group));
}

function casesOfBlock(file: VectorFile, group: string): Case[] {
  const x = file.take(`${group}.x`, [null, null, null, null]);
  const [, , , c] = x.shape;
  const [recurrence] = file.shapeOf(`${group}.param.att.spatial_decay`);
  const config: Config = { ...LIGHT, dim: c, recurrence };
  const keys = blockParameters(config);
  const stateDict: StateDict = new Map(keys.map(({ key, shape }) => {
    // As float64, so that the merged kernel is not rounded before it is compared.
    return [`${AT}.${key}`, { shape, data: Float64Array.from(file.take(`${group}.param.${key}`, shape).data) }];
  }));
  const weights = inLayouts(stateDict);
  const activations = new Map([['x', x]]);
  const wholeBlock: Program = (ops, input) => block(ops, input, AT, config, input('x'));
  const programs: Record<string, Program> = {
    omni_y: (ops, input) => ops.omniShift(input('x'), input(`${AT}.att.omni_shift`)),
    ln1_y: (ops, input) => norm(ops, input, 'ln1'),
    att_y: (ops, input) => spatialMix(ops, input, `${AT}.att`, config, norm(ops, input, 'ln1')),
    ffn_y: (ops, input) => channelMix(ops, input, `${AT}.ffn`, norm(ops, input, 'ln2')),
    block_y: wholeBlock,
  };
  const base = { file: file.name, kind: 'module' } as const;
  const cases: Case[] = [];

  if (file.has(`${group}.omni_merged`)) {
    const expected = file.take(`${group}.omni_merged`, [c, 1, 5, 5]);
    cases.push({
      ...base, name: `${group}.omni_merged`, needs: 'nothing',
      run: async () => {
        const merged = depthwiseFirst(given(weights, `${AT}.att.omni_shift`));
        return [wholeTensor(`${group}.omni_merged`, merged, expected)];
      },
    });
  }
  for (const [name, program] of Object.entries(programs)) {
    const tensor = `${group}.${name}`;
    if (!file.has(tensor)) continue;
    const expected = file.take(tensor, x.shape);
    cases.push({
      ...base, name: tensor, needs: 'forward',
      run: async (subject) => [wholeTensor(tensor, await subject.evaluate(program, activations, weights), expected)],
    });
  }
  if (file.has(`${group}.gy`)) {
    const gy = file.take(`${group}.gy`, x.shape);
    const gx = file.take(`${group}.block_gx`, x.shape);
    const expected = keys.map(({ key, shape }) => ({ key, tensor: file.take(`${group}.grad.${key}`, shape) }));
    cases.push({
      ...base, name: `${group} gradients`, needs: 'gradients',
      run: async (subject) => {
        const trainable = trainableWeights(stateDict);
        const { gradients } = await gradientsOf(subject, wholeBlock, activations, trainable, () => gy);
        const got = stateDictGradients(stateDict, gradients);
        return [
          wholeTensor(`${group}.block_gx`, given(gradients, 'x'), gx),
          ...expected.map(({ key, tensor }) => wholeTensor(`${group}.grad.${key}`, given(got, `${AT}.${key}`), tensor)),
        ];
      },
    });
  }
  return cases;
}

/** A layer norm of x with the block's weights. */
function norm<T>(ops: Ops<T>, input: (name: string) => T, name: 'ln1' | 'ln2'): T {
  return ops.layerNorm(input('x'), input(`${AT}.${name}.weight`), input(`${AT}.${name}.bias`));
}

/** The parameters of a block of width `config.dim`, by their keys inside it. */
function blockParameters(config: Config): { key: string; shape: readonly number[] }[] {
  const prefix = 'encoder_level1.0.';
  return parameters({ ...config, blocks: [1, 0, 0, 0] })
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, shape }) => ({ key: name.slice(prefix.length), shape }));
}

/** [5, 5, C] → (C, 1, 5, 5) */
function depthwiseFirst({ shape, data }: StoredTensor): StoredTensor {
  const [, , c] = shape;
  return { shape: [c, 1, 5, 5], data: data.map((_, at) => data[(at % 25) * c + Math.floor(at / 25)]) };
}
