import type { NamedBytes } from '../formats/volume.ts';
import { FormatError } from '../formats/volume.ts';
import type { Case } from './case.ts';
import { kSpaceCropCases, metricsCases } from './imageCases.ts';
import { moduleCases } from './moduleCases.ts';
import { erfCases, hashedWeightsCache, networkCases } from './networkCases.ts';
import { trainingCases } from './trainingCases.ts';
import { VectorFile } from './vectors.ts';
import { wkvCases } from './wkvCases.ts';

/**
 * The cases that a folder of vectors holds, found by the names of the tensors in its safetensors files.
 *
 * Every tensor is an input or an expected value of at least one case.
 *
 * @throws FormatError if there is no safetensors file, or one is damaged, lacks a tensor or has one of no known kind
 */
export function readVectors(files: readonly NamedBytes[]): Case[] {
  const vectors = files.filter(({ name }) => name.endsWith('.safetensors'));
  if (vectors.length === 0) {
    throw new FormatError('conformance: there is no .safetensors file here; name a folder of conformance vectors');
  }
  const hashedWeights = hashedWeightsCache();
  return vectors.flatMap((named) => {
    const file = new VectorFile(named);
    const cases = [
      ...wkvCases(file),
      ...moduleCases(file),
      ...networkCases(file, hashedWeights),
      ...erfCases(file, hashedWeights),
      ...trainingCases(file),
      ...metricsCases(file),
      ...kSpaceCropCases(file),
    ];
    file.refuseLeftovers();
    return cases;
  });
}
