import { ITEM_SIZE } from './elements.ts';
import { printable, WeightsError } from './errors.ts';
import { readPickle, type Storage } from './pickle.ts';
import { refuseUnlessLittleEndian, type PytorchCheckpoint } from './pytorch.ts';

/** The first pickle of a legacy file: PROTO 2, LONG1 of ten bytes 0x1950a86a20f9469cfc6c, STOP. */
const MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
const PROTOCOL_VERSION = 1001;

/** Whether the bytes begin as torch.save wrote checkpoints before PyTorch 1.6. */
export const isPytorchLegacy = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * Reads a checkpoint as torch.save wrote it before PyTorch 1.6, and still does with
 * `_use_new_zipfile_serialization=False`: pickles of a magic number, the protocol version, sys_info, the object and the
 * storage keys, then for each key its number of elements (int64) and the elements. Nothing is executed.
 *
 * @throws WeightsError
 */
export function readPytorchLegacy(bytes: Uint8Array): PytorchCheckpoint {
  if (!isPytorchLegacy(bytes)) {
    throw new WeightsError(
      "pytorch: the file is a pickle without PyTorch's magic number; load a file written by torch.save",
    );
  }
  let at = MAGIC.length;
  const found = new Map<string, Uint8Array>();
  const storageBytes = (storage: Storage): Uint8Array => {
    const data = found.get(storage.key);
    if (data !== undefined) return data;
    throw damaged(`storage ${printable(storage.key)} is missing`);
  };
  const next = () => {
    const pickle = readPickle(bytes.subarray(at), storageBytes);
    at += pickle.length;
    return pickle;
  };
  const version = next().value;
  if (version !== PROTOCOL_VERSION) {
    throw new WeightsError(
      `pytorch: the legacy file has protocol version ${typeof version === 'number' ? version : 'of another type'}, ` +
        `expected ${PROTOCOL_VERSION}; save it again with a current PyTorch`,
    );
  }
  const system = next().value;
  refuseUnlessLittleEndian(!(system instanceof Map) || system.get('little_endian') !== false);
  const { value, storages } = next();
  const keys = next().value;
  if (!Array.isArray(keys)) throw damaged('the list of storages is missing');

  const begin = at;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys as unknown[]) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined) throw damaged('the list of storages names one that no tensor uses');
    const left = bytes.byteLength - at - 8;
    const length = left < 0 ? 0 : Number(view.getBigInt64(at, true));
    const size = storage.length * ITEM_SIZE[storage.type];
    if (length !== storage.length || size > left) {
      throw damaged(
        `storage ${printable(storage.key)} should have ${storage.length} elements, its own count says ${length}, ` +
          `and ${Math.max(left, 0)} bytes are left`,
      );
    }
    found.set(storage.key, bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  return { value, storedBytes: at - begin };
}

const damaged = (what: string) =>
  new WeightsError(`pytorch: ${what}; the file is damaged or cut short, fetch it again`);
