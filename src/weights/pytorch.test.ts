import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { WeightsError } from './errors.ts';
import { readPytorch } from './pytorch.ts';
import { readPytorchLegacy } from './pytorchLegacy.ts';
import { readWeights } from './readWeights.ts';
import { CheckpointTensor } from './tensor.ts';

const bytesOf = (name: string) => new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', name)));

// Pickles, put together by hand.
const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const uint32 = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >> 24) & 255];
const text = (value: string) => [...ascii('X'), ...uint32(ascii(value).length), ...ascii(value)];
const int = (value: number) => [...ascii('J'), ...uint32(value)];
const global = (module: string, name: string) => ascii(`c${module}\n${name}\n`);
const tuple = (...items: number[][]) => [...ascii('('), ...items.flat(), ...ascii('t')];
const call = (callee: number[], ...args: number[][]) => [...callee, ...tuple(...args), ...ascii('R')];
const dict = (...entries: [string, number[]][]) => [
  ...ascii('}('), ...entries.flatMap(([key, value]) => [...text(key), ...value]), ...ascii('u'),
];
const pickle = (...parts: number[][]) => Uint8Array.from([0x80, 2, ...parts.flat(), ...ascii('.')]);
const storage = (key: string, length: number, type = 'FloatStorage', ...more: number[][]) => [
  ...tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(length), ...more), ...ascii('Q'),
];
const tensor = (from: number[], offset: number, shape: number[], stride: number[]) =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'), from, int(offset), tuple(...shape.map(int)),
    tuple(...stride.map(int)), [0x89], call(global('collections', 'OrderedDict')),
  );

interface Packed {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly size?: number;
  readonly packedSize?: number;
  readonly zip64?: boolean;
}

/** A zip archive, honest or not about its sizes. */
function zip(files: readonly Packed[]): Uint8Array {
  const bytes: number[] = [];
  const directory: number[] = [];
  const uint16 = (n: number) => [n & 255, n >> 8];
  const uint64 = (n: number) => [...uint32(n), 0, 0, 0, 0];
  const none = uint32(-1);
  for (const { name, data, method = 0, size = data.length, packedSize = data.length, zip64 = false } of files) {
    const at = bytes.length;
    const file = ascii(name);
    const extra = zip64 ? [...uint16(1), ...uint16(24), ...uint64(size), ...uint64(packedSize), ...uint64(at)] : [];
    const sizes = [...uint32(0), ...(zip64 ? [...none, ...none] : [...uint32(packedSize), ...uint32(size)])];
    const shared = [...uint16(0), ...uint16(method), ...uint32(0), ...sizes, ...uint16(file.length)];
    bytes.push(...ascii('PK\x03\x04'), ...uint16(45), ...shared, ...uint16(0), ...file);
    for (const byte of data) bytes.push(byte);
    directory.push(...ascii('PK\x01\x02'), ...uint16(45), ...uint16(45), ...shared, ...uint16(extra.length));
    directory.push(...Array<number>(10).fill(0), ...(zip64 ? none : uint32(at)), ...file, ...extra);
  }
  const count = uint16(files.length);
  const place = [...uint32(directory.length), ...uint32(bytes.length)];
  const end = [...ascii('PK\x05\x06'), 0, 0, 0, 0, ...count, ...count, ...place, 0, 0];
  return Uint8Array.from([...bytes, ...directory, ...end]);
}

const checkpoint = (data: Uint8Array, storages: Record<string, Uint8Array> = {}) =>
  zip([
    { name: 'a/data.pkl', data },
    ...Object.entries(storages).map(([key, content]) => ({ name: `a/data/${key}`, data: content })),
  ]);
const valueOf = (data: Uint8Array, storages: Record<string, Uint8Array> = {}) =>
  readPytorch(checkpoint(data, storages)).value as Map<string, unknown>;
const tensorOf = (value: unknown): CheckpointTensor => {
  expect(value).toBeInstanceOf(CheckpointTensor);
  return value as CheckpointTensor;
};
const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(WeightsError);
    const { message } = error as WeightsError;
    expect(message).not.toMatch(/\n/);
    expect(message.length).toBeLessThan(300);
    return message;
  }
  throw new Error('expected a refusal');
}

describe('tensors of a pickle', () => {
  it('are strided views of a storage', () => {
    const from = storage('0', 8);
    const value = valueOf(
      pickle(dict(['transposed', tensor(from, 1, [3, 2], [1, 3])], ['gaps', tensor(from, 0, [2, 2], [4, 2])],
        ['scalar', tensor(from, 7, [], [])], ['none', tensor(from, 8, [0, 3], [3, 1])])),
      { 0: floats(0, 1, 2, 3, 4, 5, 6, 7) },
    );
    expect(tensorOf(value.get('transposed')).shape).toEqual([3, 2]);
    expect([...tensorOf(value.get('transposed')).read()]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...tensorOf(value.get('gaps')).read()]).toEqual([0, 2, 4, 6]);
    expect([...tensorOf(value.get('scalar')).read()]).toEqual([7]);
    expect(tensorOf(value.get('none')).read()).toHaveLength(0);
  });

  it('keep float64, widen float32, and count integers', () => {
    const value = valueOf(
      pickle(dict(['double', tensor(storage('0', 1, 'DoubleStorage'), 0, [1], [1])],
        ['long', tensor(storage('1', 1, 'LongStorage'), 0, [], [])])),
      { 0: new Uint8Array(Float64Array.of(Math.E).buffer), 1: new Uint8Array(BigInt64Array.of(-3n).buffer) },
    );
    expect(tensorOf(value.get('double')).read()).toEqual(Float64Array.of(Math.E));
    expect(tensorOf(value.get('long')).read()).toEqual(Float64Array.of(-3));
  });

  it('may be parameters, and stand beside NumPy scalars and text', () => {
    const parameter = call(global('torch._utils', '_rebuild_parameter'), tensor(storage('0', 2), 0, [2], [1]), [0x88]);
    const dtype = call(global('numpy', 'dtype'), text('f8'));
    const scalar = call(global('numpy.core.multiarray', 'scalar'), dtype, text('x'));
    const all = pickle(dict(['w', parameter], ['psnr', scalar], ['name', text('réseau')]));
    const value = valueOf(all, { 0: floats(5, 6) });
    expect([...tensorOf(value.get('w')).read()]).toEqual([5, 6]);
    expect(value.get('name')).toBe('réseau');
  });

  const one = storage('0', 4);
  it.each<[string, number[], RegExp]>([
    ['reach past their storage', tensor(one, 1, [2, 2], [2, 1]), /does not fit its storage of 4/],
    ['are expanded beyond their storage', tensor(one, 0, [2 ** 30], [0]), /shape \[1073741824\], stride \[0\]/],
    ['overflow', tensor(one, 0, [2 ** 30, 2 ** 30, 2 ** 30, 2 ** 30], [2 ** 30, 1, 1, 1]), /does not fit/],
    ['have negative strides', tensor(one, 3, [4], [-1]), /without sizes and strides/],
    ['have more strides than sizes', tensor(one, 0, [4], [1, 1]), /without sizes and strides/],
    ['have a negative offset', tensor(one, -1, [4], [1]), /without a storage or offset/],
    ['have no storage', tensor(text('0'), 0, [4], [1]), /without a storage or offset/],
    ['describe one storage twice', tuple(tensor(one, 0, [4], [1]), tensor(storage('0', 5), 0, [4], [1])), /two ways/],
    ['view a storage as PyTorch 0.3 did', tensor(storage('0', 4, 'FloatStorage', tuple()), 0, [4], [1]), /before 0\.4/],
    ['are of complex numbers', tensor(storage('0', 4, 'ComplexFloatStorage'), 0, [4], [1]), /ComplexFloatStorage/],
  ])('are refused where they %s', (_, described, expected) => {
    expect(refusal(() => valueOf(pickle(described), { 0: floats(1, 2, 3, 4) }))).toMatch(expected);
  });

  it('are refused where the archive has less than the storage should hold', () => {
    const value = valueOf(pickle(dict(['w', tensor(storage('0', 2 ** 29), 0, [2 ** 29], [1])])), { 0: floats(1) });
    expect(refusal(() => tensorOf(value.get('w')).read())).toMatch(/has 4 bytes in the archive, expected 2147483648/);
  });

  it('cannot be changed by the pickle that made them', () => {
    const changed = [...tensor(storage('0', 4), 0, [4], [1]), ...dict(['shape', int(9)]), ...ascii('b')];
    expect(refusal(() => valueOf(pickle(changed), { 0: floats(1, 2, 3, 4) }))).toMatch(/makes no sense/);
  });
});

describe('a pickle that would do more than describe weights', () => {
  it.each([
    ['os', 'system'], ['builtins', 'eval'], ['torch', 'load'], ['torch.hub', 'load'], ['collections', 'Counter'],
    ['__proto__', 'constructor'], ['torch', 'constructor'],
  ])('is refused for naming %s.%s', (module, name) => {
    const message = refusal(() => valueOf(pickle(call(global(module, name), text('touch /tmp/x')))));
    expect(message).toContain(`refers to ${module}.${name}, which a checkpoint of weights has no need of`);
    expect(message).toContain('nothing was executed');
    const onStack = [...text(module), ...text(name), 0x93];
    expect(refusal(() => valueOf(pickle(onStack)))).toContain(`${module}.${name}`);
  });

  it('is refused in one short line whatever the name holds', () => {
    const named = [...text('a\n\u0007'), ...text('b'.repeat(100_000)), 0x93];
    expect(refusal(() => valueOf(pickle(named)))).toMatch(/a\?\?\.bbb/);
  });

  const list = [...ascii(']('), ...Array<number>(100).fill(0x4e), ...ascii('e')];
  it.each<[string, number[], RegExp]>([
    ['calls what is no function', [...text('f'), ...tuple(), ...ascii('R')], /makes no sense/],
    ['calls a storage type', call(global('torch', 'FloatStorage'), int(9)), /call of torch\.FloatStorage/],
    ['calls with a long list of arguments', [...global('torch', 'Size'), ...list, ...ascii('R')], /100 arguments/],
    ['names something with a list', [...list, ...list, 0x93], /no text/],
    ['makes instances', [...global('torch', 'Size'), ...tuple(), 0x81], /opcode 0x81/],
    ['uses extension codes', [0x82, 1], /opcode 0x82/],
    ['has integers of any length', [0x8b, ...uint32(4), 1, 2, 3, 4], /opcode 0x8b/],
    ['steps back by a negative length', [...ascii('B'), ...uint32(-7)], /asks for -7 bytes/],
    ['asks for more than is there', [...ascii('X'), ...uint32(2 ** 31 - 1)], /asks for 2147483647 bytes/],
    ['asks for 2⁶⁰ bytes', [0x8e, 0, 0, 0, 0, 0, 0, 0, 0x10], /asks for 1152921504606847000 bytes/],
    ['takes from an empty stack', ascii('uuu'), /makes no sense/],
    ['goes on forever', Array<number>(1_000_100).fill(0x4e), /far more objects/],
    ['sets state over and over', ascii(`}${'}b'.repeat(40)}`), /far more objects/],
    ['refers to something else outside', [...text('module'), ...ascii('Q')], /something else than a storage/],
  ])('is refused where it %s', (_, code, expected) => {
    expect(refusal(() => valueOf(pickle(code)))).toMatch(expected);
  });

  it('leaves the prototypes of this program alone', () => {
    const polluting = dict(['__proto__', dict(['polluted', int(1)])], ['constructor', dict(['polluted', int(1)])]);
    const onCallee = [...global('torch', 'Size'), ...dict(['prototype', int(1)], ['polluted', int(1)]), ...ascii('b0')];
    const value = valueOf(pickle(onCallee, polluting));
    expect(value.has('__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(value)).toBe(Map.prototype);
  });

  it('may contain itself', () => {
    // d = {}; d['state_dict'] = d
    const own = [...ascii('}q\x00'), ...text('state_dict'), ...ascii('h\x00s')];
    expect(refusal(() => readWeights({ name: 'x', bytes: checkpoint(pickle(own)) }))).toMatch(/no tensors/);
  });
});

describe('a small file that claims to be large', () => {
  const small = Uint8Array.from({ length: 1024 });
  const size = 2 ** 31 - 1;
  const huge = pickle(dict(['patch_embed.weight', tensor(storage('0', 2 ** 29), 0, [2 ** 29], [1])]));
  const legacy = bytesOf('tiny-legacy.pth').subarray(0, 137);
  const manyTimes = pickle(
    dict(...Array.from({ length: 9 }, (_, i): [string, number[]] =>
      [`patch_embed.weight${i}`, tensor(storage('0', 2 ** 29), 0, [2 ** 29], [1])])),
  );

  const described = { name: 'a/data.pkl', data: huge };
  it.each<[string, Uint8Array]>([
    ['stored in a zip', zip([described, { name: 'a/data/0', data: small, size }])],
    ['deflated in a zip', zip([described, { name: 'a/data/0', data: small, method: 8, size }])],
    ['stored, packed alike', zip([{ name: 'a/data.pkl', data: huge, size, packedSize: size }])],
    ['in its pickle', checkpoint(huge, { 0: small })],
    ['in nine tensors', checkpoint(manyTimes, { 0: small })],
    ['in a legacy file', Uint8Array.from([
      ...legacy, ...huge, ...pickle(ascii(']('), text('0'), ascii('e')), ...uint32(2 ** 29), 0, 0, 0, 0, ...small,
    ])],
  ])('%s is refused without the memory', (_, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    const message = refusal(() => readWeights({ name: 'x', bytes }));
    expect(message).toMatch(/^(pytorch|weights): /);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it('in entries that overlap is refused', () => {
    const data = new Uint8Array(1000);
    const again = { name: 'b', data: new Uint8Array(0), size: 1000, packedSize: 1000 };
    const twice = zip([{ name: 'a/data.pkl', data }, again]);
    expect(refusal(() => readPytorch(twice))).toMatch(/claim 2000 bytes but only 10\d\d precede/);
  });

  it('by tensors that share their numbers is refused', () => {
    // Every parameter of tiny.pth made a view of one storage that has just enough for the largest.
    const shared = bytesOf('tiny-shared-storage.pth');
    const files = unzipSync(shared);
    const data = files['tiny-shared-storage/data/0'];
    const source = new TextDecoder('latin1').decode(files['tiny-shared-storage/data.pkl']);
    // Offsets follow the persistent id as BININT, BININT1 or BININT2: all set to 0. The storage's count goes from
    // 66809 to 18432, the size of `up4_3.body.0.weight` (64, 32, 3, 3).
    const rewritten = source
      .replaceAll(/Q(?:J[\s\S]{4}|M[\s\S]{2}|K[\s\S])/g, 'QK\x00')
      .replaceAll(/J\xf9\x04\x01\x00/g, 'J\x00\x48\x00\x00');
    const bytes = zip([
      { name: 'a/data.pkl', data: Uint8Array.from(rewritten, (letter) => letter.charCodeAt(0)) },
      { name: 'a/data/0', data: data.subarray(0, 18432 * 4) },
    ]);
    expect(refusal(() => readWeights({ name: 'x', bytes }))).toMatch(/so they share their numbers/);
  });
});

describe('archives', () => {
  const expected = readWeights({ name: 'tiny.pth', bytes: bytesOf('tiny.pth') }).stateDict;
  const files = Object.entries(unzipSync(bytesOf('tiny.pth')));
  const repack = (change: (name: string, data: Uint8Array) => Packed) =>
    readWeights({ name: 'x', bytes: zip(files.map(([name, data]) => change(name, data))) });

  it('may be compressed', () => {
    const packed = repack((name, data) => ({ name, data: deflateSync(data), method: 8, size: data.length }));
    expect(packed.stateDict).toEqual(expected);
  });

  it('may have zip64 sizes and offsets', () => {
    expect(repack((name, data) => ({ name, data, zip64: true })).stateDict).toEqual(expected);
  });

  it('may give their directory in zip64 records alone', () => {
    const bytes = bytesOf('tiny.pth');
    bytes.fill(0xff, bytes.length - 14, bytes.length - 2);
    expect(readWeights({ name: 'x', bytes }).stateDict).toEqual(expected);
  });

  it('may carry the `_metadata` that PyTorch keeps on a state_dict', () => {
    const metadata = [...dict(['_metadata', dict()]), ...ascii('b.')];
    const withMetadata = repack((name, data) => ({
      name, data: name.endsWith('data.pkl') ? Uint8Array.from([...data.subarray(0, -1), ...metadata]) : data,
    }));
    expect(withMetadata.stateDict).toEqual(expected);
  });

  const nothing = { name: 'm/data.pkl', data: pickle([0x4e]) };
  const big = Uint8Array.from(ascii('big'));
  const garbled = { name: 'm/data.pkl', data: Uint8Array.of(7, 7, 7), method: 8, size: 40 };
  it.each<[string, Packed[], RegExp]>([
    ['is no checkpoint', [{ name: 'word/document.xml', data: Uint8Array.of(1) }], /no data\.pkl/],
    ['is a program', [nothing, { name: 'm/constants.pkl', data: nothing.data }], /TorchScript/],
    ['has numbers of the other endianness', [nothing, { name: 'm/byteorder', data: big }], /big-endian/],
    ['is compressed otherwise', [{ ...nothing, method: 14, size: 5 }], /zip method 14/],
    ['does not unpack', [garbled], /does not unpack/],
    ['holds no tensors', [{ name: 'm/data.pkl', data: pickle(dict(['epoch', int(3)])) }], /holds no tensors/],
  ])('are refused where one %s', (_, content, message) => {
    expect(refusal(() => readWeights({ name: 'x', bytes: zip(content) }))).toMatch(message);
  });
});

describe('legacy files', () => {
  const bytes = bytesOf('tiny-legacy.pth');

  it('are refused where a storage claims another count', () => {
    const changed = Uint8Array.from(bytes);
    // The first storage's int64 count follows the fifth pickle, at byte 38039 (found with Python's pickletools).
    changed[38039 + 5] = 1;
    expect(refusal(() => readPytorchLegacy(changed))).toMatch(/should have \d+ elements, its own count says 10995\d+/);
  });

  it.each([
    ['another protocol', 18, 0, /protocol version 768|expected 1001/],
    ['big-endian numbers', 73, 0x89, /big-endian/],
    ['another magic number', 5, 0, /magic number/],
  ])('are refused with %s', (_, at, value, expected) => {
    const changed = Uint8Array.from(bytes);
    changed[at] = value;
    expect(refusal(() => readPytorchLegacy(changed))).toMatch(expected);
  });
});
