import { unroll } from './unroll.ts';

/**
 * An activation [batch, height, width, channels] somewhere in a buffer `B` (an id while planning, a GPUBuffer when run).
 * Pixels lie `stride` floats apart from `offset` on; each holds `lanes` floats: the channels, zero-padded to vec4s (or
 * 1 for an image of one channel). Views let kernels read and write parts of wider tensors, which makes concat free.
 */
export interface View<B> {
  readonly buffer: B;
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly lanes: number;
  readonly offset: number;
  readonly stride: number;
  /** How elements are stored, which lanes, offset and stride count; f32 where nothing is said. */
  readonly precision?: Precision;
}

/**
 * How activations are stored; all are computed with as float32. `packed` are float16 two in a word, for devices that have
 * no such type.
 */
export type Precision = 'f32' | 'f16' | 'packed';

/** One compute dispatch: what to compile, what to bind, how many workgroups. */
export interface Dispatch<B> {
  readonly label: string;
  readonly code: string;
  readonly entryPoint: string;
  /** Contents of the uniform at binding 0, u32 each. */
  readonly params: readonly number[];
  readonly bindings: readonly { readonly binding: number; readonly buffer: B; readonly access: 'read' | 'write' }[];
  readonly workgroups: readonly [number, number, number];
}

/** Channels are stored in vec4s. */
export const lanesFor = (channels: number): number => Math.ceil(channels / 4) * 4;

export const pixelsOf = (view: Pick<View<unknown>, 'batch' | 'height' | 'width'>): number =>
  view.batch * view.height * view.width;

/** Of an element. */
export const bytesEach = ({ precision = 'f32' }: Pick<View<unknown>, 'precision'>): number => (precision === 'f32' ? 4 : 2);

/** A tightly packed view over a whole buffer. */
export function wholeView<B>(buffer: B, shape: readonly number[]): View<B> {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const lanes = lanesFor(channels);
  return { buffer, batch, height, width, channels, lanes, offset: 0, stride: lanes };
}

const pathOf = (name: string) => `../../shaders/lib/${name}.wgsl`;
const snippets = import.meta.glob<string>('../../shaders/lib/*.wgsl', { query: '?raw', import: 'default', eager: true });

/**
 * The WGSL of a kernel variant: `#include "lib/x.wgsl"` resolved (`lib/xPacked.wgsl`, if there is one, where what it
 * converts is the type of packed halves), the values of the module-level `const NAME = …;` and `alias NAME = …;` replaced, loops over
 * constants unrolled, f16 enabled where a type needs it. A shader file is thus complete and readable with its defaults.
 *
 * @throws Error for a name that the file does not declare, or a missing snippet
 */
export function specialise(code: string, values: Readonly<Record<string, number | boolean | string>>): string {
  let known = specialised.get(code);
  if (!known) specialised.set(code, (known = new Map<string, string>()));
  const key = JSON.stringify(values);
  let result = known.get(key);
  if (result === undefined) known.set(key, (result = specialiseAnew(code, values)));
  return result;
}

/** By shader and values: training makes its dispatches anew in each step. */
const specialised = new Map<string, Map<string, string>>();

function specialiseAnew(code: string, values: Readonly<Record<string, number | boolean | string>>): string {
  const isPacked = (alias: string) => values[alias] === TYPES.packed.vec4 || values[alias] === TYPES.packed.scalar;
  const complete = (text: string): string => text.replace(/^#include "lib\/(\w+)\.wgsl"$/gm, (_, name: string) => {
    const packed = isPacked(name === 'input' ? 'Input' : 'Stored');
    const snippet = (packed ? snippets[pathOf(`${name}Packed`)] : undefined) ?? snippets[pathOf(name)];
    if (snippet === undefined) throw new Error(`shader snippet lib/${name}.wgsl does not exist in shaders`);
    return complete(snippet);
  });
  let result = complete(code);
  for (const [name, value] of Object.entries(values)) {
    const declaration = new RegExp(`^(const|alias) ${name} = [^;]+;`, 'm');
    if (!declaration.test(result)) throw new Error(`shader declares no constant or alias named ${name}`);
    const text = typeof value === 'number' ? `${value}u` : String(value);
    result = result.replace(declaration, (_, kind: string) => `${kind} ${name} = ${text};`);
  }
  const half = Object.values(values).some((value) => ['vec4h', 'vec2h', 'f16'].includes(String(value)));
  return unroll(half ? `enable f16;\n${result}` : result);
}

const TYPES = {
  f32: { vec4: 'vec4f', vec2: 'vec2f', scalar: 'f32' },
  f16: { vec4: 'vec4h', vec2: 'vec2h', scalar: 'f16' },
  packed: { vec4: 'vec2u', vec2: 'u32', scalar: 'u32' },
} as const;
type Stored = Pick<View<unknown>, 'precision'>;
/** The WGSL type in which a view's vec4s are stored. */
export const storedVec4 = ({ precision = 'f32' }: Stored) => TYPES[precision].vec4;
/** The same of its pairs. */
export const storedVec2 = ({ precision = 'f32' }: Stored) => TYPES[precision].vec2;
/** The same of its single elements; where they are packed of a pair. */
export const storedScalar = ({ precision = 'f32' }: Stored) => TYPES[precision].scalar;

/** Uniform fields `offset, stride` of a view in units of `unit` floats. */
export const place = (view: View<unknown>, unit: 1 | 2 | 4): [number, number] => [view.offset / unit, view.stride / unit];

/** How many pairs of vec4s, at most `most` vec4s, cover `vectors` with the least waste; the more of equals. */
export function pairsFor(vectors: number, most: number): number {
  let best = 1;
  const covered = (pairs: number) => Math.ceil(vectors / (2 * pairs)) * 2 * pairs;
  for (let pairs = 2; 2 * pairs <= most; pairs++) if (covered(pairs) <= covered(best)) best = pairs;
  return best;
}
