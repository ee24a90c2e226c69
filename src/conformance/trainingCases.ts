import { LIGHT } from '../model/config.ts';
import { hashedStateDict } from '../weights/hashedWeights.ts';
import type { StateDict, StoredTensor } from '../weights/tensor.ts';
import type { Case } from './case.ts';
import { eachValue } from './compare.ts';
import { given, gradientsOf, stateDictGradients, trainableWeights } from './gradients.ts';
import { networkProgram } from './networkCases.ts';
import type { Subject, Tensors } from './subject.ts';
import type { VectorFile } from './vectors.ts';

/** Rates are of float64, and computed each from the one before: roundings add up to a few units in the last place. */
const EXACT = 1e-13;

/**
 * A training run of the light network on one batch `lq`, `hq` (N, 1, H, W): L1 loss, Adam, learning rate 2e-4 → 1e-6 by
 * cosine annealing over the run. `loss` and `lr` have one value a step; `grad_norms` are the Euclidean norms of each
 * parameter's gradient in the first step, `param_norms_after` (may be left out) those of the parameters at the end, in
 * the order of `__metadata__.order`.
 */
export function trainingCases(file: VectorFile): Case[] {
  return file.matches(/^(|.*\.)grad_norms$/).map(([group]) => {
    const lq = image(file.take(`${group}lq`, [null, 1, null, null]));
    const hq = image(file.take(`${group}hq`, [lq.shape[0], 1, lq.shape[1], lq.shape[2]]));
    const loss = file.take(`${group}loss`, [null]);
    const lr = file.take(`${group}lr`, loss.shape);
    const seed = file.seed();
    const stateDict = hashedStateDict(LIGHT, seed);
    const order = parameterOrder(file, stateDict);
    const gradNorms = file.take(`${group}grad_norms`, [order.length]);
    const after = `${group}param_norms_after`;
    const paramNorms = file.has(after) ? file.take(after, [order.length]) : null;
    return {
      file: file.name, name: `${group}training`, kind: 'training', needs: 'gradients',
      run: async (subject) => {
        const trace = await train(subject, hashedStateDict(LIGHT, seed), lq, hq, loss.data.length);
        const list = (norms: ReadonlyMap<string, number>) => vector(order.map((name) => norms.get(name) ?? NaN));
        return [
          eachValue(`${group}loss`, vector(trace.loss), loss),
          eachValue(`${group}lr`, vector(trace.lr), lr, { floor: 0, within: EXACT }),
          eachValue(`${group}grad_norms`, list(trace.gradNorms), gradNorms),
          ...(paramNorms ? [eachValue(after, list(trace.paramNorms), paramNorms)] : []),
        ];
      },
    };
  });
}

interface Trace {
  readonly loss: number[];
  readonly lr: number[];
  readonly gradNorms: ReadonlyMap<string, number>;
  readonly paramNorms: ReadonlyMap<string, number>;
}

async function train(
  subject: Subject, stateDict: StateDict, lq: StoredTensor, hq: StoredTensor, steps: number,
): Promise<Trace> {
  const loss: number[] = [];
  const lr: number[] = [];
  const adam = adamOf(stateDict);
  let gradNorms: ReadonlyMap<string, number> = new Map();
  for (let step = 0; step < steps; step++) {
    const { output, gradients } = await gradientsOf(
      subject, networkProgram(LIGHT), new Map([['x', lq]]), trainableWeights(stateDict), (y) => l1Gradient(y, hq),
    );
    const stateGradients = stateDictGradients(stateDict, gradients);
    if (step === 0) gradNorms = norms(stateGradients);
    loss.push(l1(output, hq));
    lr.push(cosineRate(step, steps));
    adam(stateGradients, lr[step]);
  }
  return { loss, lr, gradNorms, paramNorms: norms(stateDict) };
}

/** 2e-4 → 1e-6 by half a cosine over `steps` steps (the public code's CosineAnnealingLR). */
function cosineRate(step: number, steps: number): number {
  const [first, last] = [2e-4, 1e-6];
  return last + ((first - last) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/** Adam (0.9, 0.999, 1e-8) without weight decay, updating the parameters in place. */
function adamOf(stateDict: StateDict): (gradients: Tensors, rate: number) => void {
  const [beta1, beta2, epsilon] = [0.9, 0.999, 1e-8];
  const moments = new Map([...stateDict].map(([name, { data }]) => {
    return [name, { first: new Float64Array(data.length), second: new Float64Array(data.length) }];
  }));
  let step = 0;
  return (gradients, rate) => {
    step++;
    const [correction1, correction2] = [1 - beta1 ** step, 1 - beta2 ** step];
    for (const [name, { first, second }] of moments) {
      const { data } = given(stateDict, name);
      const g = given(gradients, name).data;
      for (let i = 0; i < data.length; i++) {
        first[i] = beta1 * first[i] + (1 - beta1) * g[i];
        second[i] = beta2 * second[i] + (1 - beta2) * g[i] ** 2;
        data[i] -= (rate * first[i]) / correction1 / (Math.sqrt(second[i] / correction2) + epsilon);
      }
    }
  };
}

/** Mean absolute difference. */
function l1(y: StoredTensor, target: StoredTensor): number {
  let sum = 0;
  for (let i = 0; i < y.data.length; i++) sum += Math.abs(y.data[i] - target.data[i]);
  return sum / y.data.length;
}

function l1Gradient({ shape, data }: StoredTensor, target: StoredTensor): StoredTensor {
  return { shape, data: Float64Array.from(data, (value, i) => Math.sign(value - target.data[i]) / data.length) };
}

/** Euclidean norm of each tensor. */
function norms(tensors: Tensors): Map<string, number> {
  return new Map([...tensors].map(([name, { data }]) => {
    let sum = 0;
    for (const value of data) sum += value ** 2;
    return [name, Math.sqrt(sum)];
  }));
}

/** The names in `__metadata__.order`, each a parameter of the light network. */
function parameterOrder(file: VectorFile, stateDict: StateDict): string[] {
  let order: unknown;
  try {
    order = JSON.parse(file.metadata['order'] ?? '');
  } catch {
    throw file.refuse('__metadata__.order is no JSON list of parameter names');
  }
  if (!Array.isArray(order) || !order.every((name) => typeof name === 'string' && stateDict.has(name))) {
    throw file.refuse('__metadata__.order names something that is no parameter of the light network');
  }
  return order as string[];
}

function vector(values: readonly number[]): StoredTensor {
  return { shape: [values.length], data: Float64Array.from(values) };
}

/** (N, 1, H, W) → [N, H, W, 1], the same memory. */
function image({ shape, data }: StoredTensor): StoredTensor {
  const [n, , h, w] = shape;
  return { shape: [n, h, w, 1], data };
}
