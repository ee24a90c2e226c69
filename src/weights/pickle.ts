import { Parser } from 'pickleparser';
import { decodeElements, ITEM_SIZE, type ElementType } from './elements.ts';
import { printable, printableShape, WeightsError } from './errors.ts';
import { PickleReader } from './pickleReader.ts';
import { CheckpointTensor, elementCount } from './tensor.ts';

/** A run of numbers that tensors are views of; its bytes lie outside the pickle. */
export interface Storage {
  readonly type: ElementType;
  readonly key: string;
  /** Elements. */
  readonly length: number;
}

const STORAGE_TYPES: Readonly<Record<string, ElementType>> = {
  DoubleStorage: 'F64', FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16', LongStorage: 'I64',
  IntStorage: 'I32', ShortStorage: 'I16', CharStorage: 'I8', ByteStorage: 'U8', BoolStorage: 'BOOL',
};

const MAX_RANK = 8;
/** The longest call that a checkpoint makes, `_rebuild_tensor_v2`, has seven arguments. */
const MAX_ARGUMENTS = 16;

/** The storages met so far, and where their bytes come from. */
interface Store {
  readonly storages: Map<string, Storage>;
  readonly storageBytes: (storage: Storage) => Uint8Array;
}

/** What a name in a pickle may stand for. */
type Callee = (...args: unknown[]) => unknown;

/**
 * Reads one pickle of a PyTorch checkpoint as data. Nothing is looked up or executed: the few names of an allow-list
 * stand for functions of this file, every other name is refused. Dicts become Map, tensors CheckpointTensor.
 *
 * @param bytes begins at the pickle; what follows its end is left alone
 * @param storageBytes gives the bytes of a storage, at least `length` elements; called when a tensor is read
 * @returns the object, the storages it refers to by key, and the length of the pickle in bytes
 * @throws WeightsError
 */
export function readPickle(
  bytes: Uint8Array, storageBytes: (storage: Storage) => Uint8Array,
): { value: unknown; storages: ReadonlyMap<string, Storage>; length: number } {
  const reader = new PickleReader(bytes);
  const storages = new Map<string, Storage>();
  const names = allowedNames({ storages, storageBytes });
  const parser = new Parser({
    unpicklingTypeOfDictionary: 'Map',
    unpicklingTypeOfSet: 'Set',
    nameResolver: { resolve: (module: unknown, name: unknown) => resolveName(module, name, names) },
    persistentResolver: { resolve: (id: unknown) => resolveStorage(id, names, storages) },
  });
  try {
    return { value: parser.read<unknown>(reader), storages, length: reader.position };
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    throw damaged(`the pickle breaks off or makes no sense near byte ${reader.position}`);
  }
}

const damaged = (found: string) => new WeightsError(`pytorch: ${found}; the file is damaged, fetch or save it again`);

function resolveName(module: unknown, name: unknown, names: ReadonlyMap<string, Callee>): Callee {
  // Not turned into text first: lists nested in lists would unfold to any length.
  if (typeof module !== 'string' || typeof name !== 'string') throw damaged('the pickle has a name that is no text');
  return names.get(`${module}.${name}`) ?? refuseName(`${module}.${name}`);
}

function refuseName(name: string): never {
  throw new WeightsError(
    `pytorch: the checkpoint refers to ${printable(name)}, which a checkpoint of weights has no need of; ` +
      'nothing was executed; if you trust its source, save its state_dict alone with torch.save',
  );
}

/** The allow-list, made anew for each pickle since a pickle may set properties on what it names. */
function allowedNames(store: Store): Map<string, Callee> {
  const tensor: Callee = (storage, offset, size, stride) => rebuildTensor(store, storage, offset, size, stride);
  // A scalar's value (an epoch's best PSNR) is of no use here, so NumPy's names stand for nothing at all.
  const nothing: Callee = () => ({});
  const names: [string, Callee][] = [
    ['collections.OrderedDict', orderedDict],
    ['torch._utils._rebuild_tensor_v2', tensor],
    ['torch._utils._rebuild_parameter', (data) => data],
    ['torch.Size', (sizes) => sizes],
    ['numpy.dtype', nothing],
    ['numpy.core.multiarray.scalar', nothing],
    ['numpy._core.multiarray.scalar', nothing],
    ['_codecs.encode', nothing],
  ];
  for (const type of Object.keys(STORAGE_TYPES)) {
    names.push([`torch.${type}`, () => refuseName(`a call of torch.${type}`)]);
  }
  return new Map(names.map(([name, callee]) => [name, limitArguments(callee)]));
}

/** Python 3 calls OrderedDict without arguments and sets the items afterwards. */
const orderedDict: Callee = (...args) => {
  if (args.length === 0) return new Map();
  throw new WeightsError(
    'pytorch: the checkpoint was written by Python 2, which is not supported; save the state_dict again with Python 3',
  );
};

/** Arguments may be one shared list, so that many short calls would copy a long list over and over. */
const limitArguments = (callee: Callee): Callee => (...args) => {
  if (args.length > MAX_ARGUMENTS) throw damaged(`the pickle makes a call with ${args.length} arguments`);
  return callee(...args);
};

/** A persistent id as PyTorch writes it: ('storage', torch.FloatStorage, key, device, elements[, view]). */
function resolveStorage(id: unknown, names: ReadonlyMap<string, Callee>, storages: Map<string, Storage>): Storage {
  if (!Array.isArray(id) || id[0] !== 'storage') throw damaged('the pickle refers to something else than a storage');
  const [, callee, key, , length, view] = id as unknown[];
  const type = Object.keys(STORAGE_TYPES).find((name) => names.get(`torch.${name}`) === callee);
  if (type === undefined || typeof key !== 'string' || !isSize(length)) {
    throw damaged('the pickle describes a storage without a known type, key or length');
  }
  if (view != null) {
    throw new WeightsError(
      `pytorch: storage ${printable(key)} is a view of another, as PyTorch before 0.4 wrote them; ` +
        'save the state_dict again with a current PyTorch',
    );
  }
  const known = storages.get(key);
  if (known !== undefined) {
    if (known.type === STORAGE_TYPES[type] && known.length === length) return known;
    throw damaged(`storage ${printable(key)} is described in two ways`);
  }
  const storage = Object.freeze({ type: STORAGE_TYPES[type], key, length });
  storages.set(key, storage);
  return storage;
}

/** `_rebuild_tensor_v2(storage, offset, size, stride, …)`: a strided view, its bounds checked against the storage. */
function rebuildTensor(
  { storages, storageBytes }: Store, reference: unknown, offset: unknown, size: unknown, stride: unknown,
): CheckpointTensor {
  const key = (reference as Partial<Storage> | null | undefined)?.key;
  const storage = typeof key === 'string' ? storages.get(key) : undefined;
  if (storage === undefined || storage !== reference || !isSize(offset)) {
    throw damaged('a tensor is described without a storage or offset');
  }
  if (!isSizes(size) || !isSizes(stride) || stride.length !== size.length) {
    throw damaged('a tensor is described without sizes and strides');
  }
  const count = elementCount(size);
  const last = size.reduce((index, n, axis) => index + (n - 1) * stride[axis], offset);
  // More elements than the storage has: an expanded tensor (stride 0), which would make a small file large.
  if (count > storage.length || (count > 0 && last >= storage.length)) {
    throw damaged(
      `a tensor of shape ${printableShape(size)}, stride ${printableShape(stride)} and offset ${offset} ` +
        `does not fit its storage of ${storage.length} elements`,
    );
  }
  const itemSize = ITEM_SIZE[storage.type];
  const [shape, strides] = [[...size], [...stride]];
  return new CheckpointTensor(shape, count * itemSize, () => {
    if (count === 0) return new Float32Array(0);
    const bytes = storageBytes(storage).subarray(offset * itemSize, (last + 1) * itemSize);
    const elements = decodeElements(bytes, storage.type);
    return isRowMajor(shape, strides) ? elements : gather(elements, shape, strides);
  });
}

function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** The elements of a strided view in row-major order. */
function gather(
  elements: Float32Array | Float64Array, shape: readonly number[], stride: readonly number[],
): Float32Array | Float64Array {
  const count = elementCount(shape);
  const result = elements instanceof Float64Array ? new Float64Array(count) : new Float32Array(count);
  const index = shape.map(() => 0);
  for (let i = 0, from = 0; i < count; i++) {
    result[i] = elements[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= index[axis] * stride[axis];
      index[axis] = 0;
    }
  }
  return result;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= MAX_RANK && value.every(isSize);
