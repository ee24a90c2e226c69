import type { NamedBytes } from '../formats/volume.ts';
import type { Config } from '../model/config.ts';
import { printable, WeightsError } from './errors.ts';
import { inferConfig } from './inferConfig.ts';
import { readPytorch } from './pytorch.ts';
import { readPytorchLegacy } from './pytorchLegacy.ts';
import { readSafetensors } from './safetensors.ts';
import { findStateDict, readStateDict } from './stateDict.ts';
import { CheckpointTensor, type StateDict } from './tensor.ts';

/**
 * Reads the weights of a Restore-RWKV from a safetensors file or a PyTorch checkpoint, told apart by their first bytes.
 *
 * @returns the multi-branch parameters under PyTorch's names, the configuration that their shapes describe, the names
 *   of tensors that this network does not have, and the text metadata of safetensors
 * @throws WeightsError, one sentence, for anything that is not a complete and finite Restore-RWKV
 */
export function readWeights(
  file: NamedBytes,
): { stateDict: StateDict; config: Config; ignored: string[]; metadata: Record<string, string> } {
  const { value, storedBytes, metadata } = readContainer(file.bytes);
  const tensors = findStateDict(value);
  const config = inferConfig(new Map([...tensors].map(([name, { shape }]) => [name, shape])));
  return { ...readStateDict(tensors, config, storedBytes), config, metadata };
}

interface Container {
  readonly value: unknown;
  readonly storedBytes: number;
  readonly metadata: Record<string, string>;
}

function readContainer(bytes: Uint8Array): Container {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return { ...readPytorch(bytes), metadata: {} };
  // A header length below 2⁵⁶ has a zero among its eight bytes, and JSON follows. It may begin with 0x80 as a pickle
  // does, so it is asked about first; PyTorch's magic number has neither the zero nor the brace.
  if (bytes[8] === 0x7b && bytes.subarray(0, 8).includes(0)) return openSafetensors(bytes);
  if (bytes[0] === 0x80) return { ...readPytorchLegacy(bytes), metadata: {} };
  const start = new TextDecoder().decode(bytes.subarray(0, 24));
  throw new WeightsError(
    `weights: the file ${bytes.length === 0 ? 'is empty' : `begins with "${printable(start)}"`}, which is neither ` +
      'safetensors nor a PyTorch checkpoint; load a .safetensors or .pth file',
  );
}

function openSafetensors(bytes: Uint8Array): Container {
  const { tensors, metadata } = readSafetensors(bytes);
  const value = new Map(
    [...tensors].map(([name, { shape, data }]) => [name, new CheckpointTensor(shape, data.byteLength, () => data)]),
  );
  // The reader has seen to it that no two tensors share bytes.
  return { value, storedBytes: Infinity, metadata };
}
