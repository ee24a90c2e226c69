import { FormatError, type NamedBytes } from '../formats/volume.ts';
import { printable, printableShape, WeightsError } from '../weights/errors.ts';
import { readSafetensors } from '../weights/safetensors.ts';
import { elementCount, type StoredTensor } from '../weights/tensor.ts';

export type CaseKind =
  | 'biWkv' | 'reWkv' | 'module' | 'network' | 'erf' | 'training' | 'metrics' | 'kSpaceCrop';

/** The tensors of a file of vectors; it remembers which of them cases have taken. */
export class VectorFile {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #tensors: ReadonlyMap<string, StoredTensor>;
  readonly #taken = new Set<string>();

  /** @throws FormatError if the file is no safetensors file or holds a value that is not finite */
  constructor({ name, bytes }: NamedBytes) {
    this.name = name;
    const { tensors, metadata } = parse(name, bytes);
    this.metadata = metadata;
    this.#tensors = tensors;
    for (const [tensor, { data }] of tensors) {
      const at = data.findIndex((value) => !Number.isFinite(value));
      if (at >= 0) throw this.refuse(`${printable(tensor)} holds ${data[at]} at ${at}, expected finite numbers`);
    }
  }

  has(tensor: string): boolean {
    return this.#tensors.has(tensor);
  }

  /** The extents of a tensor that is there. */
  shapeOf(tensor: string): readonly number[] {
    const found = this.#tensors.get(tensor);
    if (!found) throw this.refuse(`${printable(tensor)} is missing`);
    return found.shape;
  }

  /** Names of the tensors that match, as the groups of the pattern. */
  matches(pattern: RegExp): string[][] {
    return [...this.#tensors.keys()].flatMap((name) => {
      const match = pattern.exec(name);
      return match ? [match.slice(1)] : [];
    });
  }

  /**
   * A tensor that a case uses.
   *
   * @param shape its extents, null for one that is free
   * @throws FormatError if it is missing or has another shape
   */
  take(tensor: string, shape: readonly (number | null)[]): StoredTensor {
    const found = this.#tensors.get(tensor);
    if (!found) throw this.refuse(`${printable(tensor)} is missing`);
    const fits = found.shape.length === shape.length && shape.every((n, axis) => n === null || n === found.shape[axis]);
    if (!fits) {
      const expected = printableShape(shape.map((n) => n ?? NaN)).replaceAll('NaN', 'any');
      throw this.refuse(`${printable(tensor)} has shape ${printableShape(found.shape)}, expected ${expected}`);
    }
    if (elementCount(found.shape) === 0) throw this.refuse(`${printable(tensor)} is empty`);
    this.#taken.add(tensor);
    return found;
  }

  /** The seed of the weights that the vectors were made with. */
  seed(): number {
    const text = this.metadata['seed'] ?? '';
    if (!/^\d{1,10}$/.test(text)) {
      throw this.refuse(`__metadata__.seed is ${text ? printable(text) : 'missing'}, expected a whole number`);
    }
    return Number(text);
  }

  /** @throws FormatError if no case took a tensor: a vector that is never looked at would pass whatever it says */
  refuseLeftovers(): void {
    const left = [...this.#tensors.keys()].find((name) => !this.#taken.has(name));
    if (left !== undefined) throw this.refuse(`${printable(left)} belongs to no known kind of vector`);
    if (this.#tensors.size === 0) throw this.refuse('it holds no tensors');
  }

  refuse(found: string): FormatError {
    return new FormatError(`conformance: ${printable(this.name)}: ${found}; fetch the vectors again`);
  }
}

function parse(name: string, bytes: Uint8Array): ReturnType<typeof readSafetensors> {
  try {
    return readSafetensors(bytes);
  } catch (error) {
    if (error instanceof WeightsError) throw new FormatError(`conformance: ${printable(name)}: ${error.message}`);
    throw error;
  }
}
