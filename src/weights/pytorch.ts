import { ITEM_SIZE } from './elements.ts';
import { printable, WeightsError } from './errors.ts';
import { readPickle, type Storage } from './pickle.ts';
import { MAX_PICKLE_BYTES } from './pickleReader.ts';
import { openZip, readZipEntry } from './zip.ts';

/** What torch.save was given: Map, lists, numbers, text and CheckpointTensor. */
export interface PytorchCheckpoint {
  readonly value: unknown;
  /** Bytes of storage in the file; tensors that together need more share storage. */
  readonly storedBytes: number;
}

/**
 * Reads a checkpoint as torch.save writes it since PyTorch 1.6: a zip archive with the object in `<name>/data.pkl` and
 * one entry `<name>/data/<key>` a storage. Nothing is executed; tensors are decoded when they are read.
 *
 * @throws WeightsError
 */
export function readPytorch(bytes: Uint8Array): PytorchCheckpoint {
  const archive = openZip(bytes);
  const pickleName = [...archive.entries.keys()].find((name) => /^([^/]*\/)?data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : archive.entries.get(pickleName);
  if (pickle === undefined) {
    throw new WeightsError(
      'pytorch: the zip archive has no data.pkl, so it is no PyTorch checkpoint; load a file written by torch.save',
    );
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  if (archive.entries.has(`${folder}constants.pkl`)) {
    throw new WeightsError(
      'pytorch: the file is a TorchScript program, which is not executed here; ' +
        'save the weights alone with torch.save(model.state_dict(), path)',
    );
  }
  if (pickle.size > MAX_PICKLE_BYTES) {
    throw new WeightsError(
      `pytorch: data.pkl has ${pickle.size} bytes and at most ${MAX_PICKLE_BYTES} are read; save the state_dict alone`,
    );
  }
  const byteOrder = archive.entries.get(`${folder}byteorder`);
  if (byteOrder !== undefined && byteOrder.size < 16) {
    refuseUnlessLittleEndian(new TextDecoder().decode(readZipEntry(archive, byteOrder)) === 'little');
  }

  const unpacked = new Map<string, Uint8Array>();
  const storageBytes = (storage: Storage): Uint8Array => {
    const known = unpacked.get(storage.key);
    if (known !== undefined) return known;
    const entry = archive.entries.get(`${folder}data/${storage.key}`);
    const expected = storage.length * ITEM_SIZE[storage.type];
    if (entry === undefined || entry.size < expected) {
      throw new WeightsError(
        `pytorch: storage ${printable(storage.key)} has ${entry?.size ?? 'no'} bytes in the archive, ` +
          `expected ${expected}; the file is damaged or cut short, fetch it again`,
      );
    }
    const data = readZipEntry(archive, entry);
    unpacked.set(storage.key, data);
    return data;
  };
  const { value } = readPickle(readZipEntry(archive, pickle), storageBytes);
  return { value, storedBytes: archive.totalSize };
}

/** @throws WeightsError for a checkpoint that was written on a big-endian machine */
export function refuseUnlessLittleEndian(littleEndian: boolean): void {
  if (littleEndian) return;
  throw new WeightsError(
    'pytorch: the checkpoint was written on a big-endian machine, which is not supported; ' +
      'load it with PyTorch on a little-endian one and save it again',
  );
}
