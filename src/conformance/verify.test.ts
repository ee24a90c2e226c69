import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { NamedBytes } from '../formats/volume.ts';
import { FormatError } from '../formats/volume.ts';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import type { StoredTensor } from '../weights/tensor.ts';
import { readVectors } from './cases.ts';
import { referenceSubject } from './referenceSubject.ts';
import type { Subject } from './subject.ts';
import { verify, type CaseResult } from './verify.ts';

const read = (path: string): NamedBytes => {
  const url = new URL(path, import.meta.url);
  return { name: path.slice(path.lastIndexOf('/') + 1), bytes: new Uint8Array(readFileSync(url)) };
};
const shipped = readdirSync(new URL('../../public/conformance/', import.meta.url))
  .filter((name) => name.endsWith('.safetensors'))
  .map((name) => read(`../../public/conformance/${name}`));
const [biWkv, modules, erf, training] = ['bi-wkv', 'modules', 'erf', 'training-trace'].map((name) => {
  return read(`../../public/conformance/${name}.safetensors`);
});
const metrics = read('../analysis/fixtures/metrics.safetensors');
const kSpaceCrop = read('../image/fixtures/kspace-crop.safetensors');

/** A file with its tensors changed. */
function edited({ name, bytes }: NamedBytes, edit: (tensors: Map<string, StoredTensor>) => void): NamedBytes {
  const { tensors, metadata } = readSafetensors(bytes);
  edit(tensors);
  return { name, bytes: writeSafetensors(tensors, metadata) };
}

/** Only the tensors whose names match. */
function only(file: NamedBytes, pattern: RegExp): NamedBytes {
  return edited(file, (tensors) => {
    for (const name of tensors.keys()) if (!pattern.test(name)) tensors.delete(name);
  });
}

/** The first step of the run alone: the learning rate of a first step does not depend on how many follow. */
const firstStep = edited(training, (tensors) => {
  for (const name of ['loss', 'lr']) tensors.set(name, { shape: [1], data: tensors.get(name)!.data.slice(0, 1) });
  tensors.delete('param_norms_after');
});

const failures = (results: readonly CaseResult[]) => results.filter(({ passed }) => !passed);
const nothing = () => undefined;

describe('the reference', () => {
  test.for([
    ['Bi-WKV and its gradients', biWkv, 20],
    ['a block, its parts and every gradient', modules, 21],
    ['a first training step of the light network', firstStep, 1],
    ['the effective receptive field', erf, 1],
    ['the metrics', metrics, 3],
    ['the k-space crop', kSpaceCrop, 3],
  ] as const)('agrees with the vectors for %s', async ([, file, cases]) => {
    const { results, passed } = await verify([file], [referenceSubject], nothing);
    expect(failures(results)).toEqual([]);
    expect(results).toHaveLength(cases);
    expect(passed).toBe(true);
  });

  test('agrees with the other shipped vectors, light networks included', async () => {
    const above = [biWkv, modules, erf, training].map(({ name }) => name);
    const files = shipped.filter(({ name }) => !above.includes(name))
      .map((file) => (file.name.startsWith('networks') ? only(file, /^light\.(64|48)/) : file));
    const { results, passed } = await verify(files, [referenceSubject], nothing);
    expect(failures(results)).toEqual([]);
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['reWkv', 'network', 'kSpaceCrop']));
    expect(passed).toBe(true);
  });
});

describe('verification', () => {
  test('fails where a single value of any compared tensor is off by more than the tolerance', async () => {
    const files = [only(biWkv, /^t7\./), only(modules, /^m12\./), metrics];
    for (const file of files) {
      const compared = [...readSafetensors(file.bytes).tensors.keys()].filter((name) => {
        return /\.(y|g_.*|omni_merged|\w+_y|block_gx|grad\..*|psnr_ssim_rmse)$/.test(name);
      });
      expect(compared.length).toBeGreaterThan(2);
      for (const name of compared) {
        const spoilt = edited(file, (tensors) => {
          const { shape, data } = tensors.get(name)!;
          const changed = Float64Array.from(data);
          const largest = changed.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
          changed[changed.length >> 1] += 1e-5 * largest + 2e-7;
          tensors.set(name, { shape, data: changed });
        });
        const { results } = await verify([spoilt], [referenceSubject], nothing);
        expect(failures(results).map(({ tensor }) => tensor), `${name} was changed`).toContain(name);
      }
    }
  });

  test('fails where an input is another than the expected values came from', async () => {
    for (const name of ['t7.k', 't7.v', 't7.decay', 't7.first', 't7.gy']) {
      const spoilt = edited(only(biWkv, /^t7\./), (tensors) => {
        const { shape, data } = tensors.get(name)!;
        tensors.set(name, { shape, data: data.map((value, at) => (at === 5 ? value + 0.01 : value)) });
      });
      const { passed } = await verify([spoilt], [referenceSubject], nothing);
      expect(passed, `${name} was changed`).toBe(false);
    }
  });

  test('counts gradients as not applicable, never as passed, for a subject that has none', async () => {
    const forwardOnly: Subject = { name: 'webgpu', evaluate: referenceSubject.evaluate };
    const { results, notApplicable, passed } = await verify([biWkv], [forwardOnly], nothing);
    expect(results).toHaveLength(10);
    expect(notApplicable.get('webgpu')).toBe(10);
    expect(passed).toBe(true);
    expect((await verify([erf], [forwardOnly], nothing)).passed).toBe(false);
  });

  test('does not pass a subject that gives NaN, another shape or nothing', async () => {
    const subjects: Subject['evaluate'][] = [
      async () => ({ shape: [2, 1, 7, 12], data: new Float32Array(168).fill(NaN) }),
      async () => ({ shape: [7, 12], data: new Float32Array(84) }),
      async () => { throw new Error('the device was lost'); },
    ];
    const file = only(biWkv, /^t7\.(k|v|decay|first|y)$/);
    for (const evaluate of subjects) {
      const { results, passed } = await verify([file], [{ name: 'webgpu', evaluate }], nothing);
      expect(passed).toBe(false);
      expect(results[0].error).toBe(Infinity);
    }
  });

  test('reports each result as it comes', async () => {
    const seen: string[] = [];
    await verify([metrics], [referenceSubject], (result) => seen.push(result.case));
    expect(seen).toEqual(['ct metrics', 'pet metrics', 'mri metrics']);
  });
});

describe('vectors', () => {
  test('are found by the names of their tensors, whatever the file and the case are called', () => {
    const renamed = edited(only(biWkv, /^t7\./), (tensors) => {
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name);
        tensors.set(name.replace('t7', 'another.case'), tensor);
      }
    });
    const cases = readVectors([{ ...renamed, name: 'mine.safetensors' }]);
    expect(cases.map(({ name }) => name)).toEqual(['another.case', 'another.case gradients']);
  });

  test.for<[string, NamedBytes, RegExp]>([
    ['cut short', { ...metrics, bytes: metrics.bytes.slice(0, 5000) }, /metrics\.safetensors/],
    ['without an input', only(biWkv, /^t7\.[^v]*$/), /t7\.v is missing/],
    ['with a tensor of no known kind', edited(metrics, (t) => {
      t.set('ct.odd', { shape: [1], data: new Float32Array(1) });
    }), /ct\.odd belongs to no known kind/],
    ['with an expected value that is not finite', edited(metrics, (t) => {
      t.set('ct.psnr_ssim_rmse', { shape: [3], data: Float64Array.of(1, NaN, 1) });
    }), /holds NaN at 1/],
    ['with a tensor of another shape', edited(metrics, (t) => {
      t.set('ct.estimate', { shape: [2, 2], data: new Float32Array(4) });
    }), /ct\.estimate has shape \[2, 2\], expected \[70, 90\]/],
    ['without a seed', { ...erf, bytes: writeSafetensors(readSafetensors(erf.bytes).tensors, {}) }, /seed is missing/],
  ])('%s are refused in a sentence', ([, file, sentence]) => {
    expect(() => readVectors([file])).toThrow(FormatError);
    expect(() => readVectors([file])).toThrow(sentence);
  });

  test('must be there', () => {
    expect(() => readVectors([{ name: 'README.md', bytes: new Uint8Array(3) }])).toThrow('no .safetensors file');
  });
});
