import { plainText } from '../../formats/guard.ts';
import { FormatError } from '../../formats/volume.ts';
import { list, number, oneOf, record, text } from '../../image/cardFields.ts';
import type { Validation } from '../../training/training.ts';
import type { LossPoint, StoredRun, TuneHistory, TuneStart } from '../fineTune.ts';

/** A folder of small and large files; each call is done when what it wrote is on the disk. */
export interface Folder {
  /** null where there is no such file. */
  read(name: string, most: number): Promise<Uint8Array | null>;
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Of all files, by name. */
  sizes(): Promise<ReadonlyMap<string, number>>;
  remove(name: string): Promise<void>;
}

/** All that is kept of a run beside its images and its checkpoint. */
export interface RunRecord {
  readonly title: string;
  readonly start: TuneStart;
  /** The model's name that it began with. */
  readonly origin: string;
  readonly checkpointEvery: number;
  readonly validateEvery: number;
  readonly step: number;
  readonly steps: number;
  /** Milliseconds since 1970. */
  readonly date: number;
  readonly notices: readonly string[];
  readonly history: TuneHistory;
  /** The slice that is shown as it was restored before the first step, a PNG as data URL. */
  readonly before: string | null;
}

export interface KeptRun {
  readonly record: RunRecord;
  readonly checkpoint: Uint8Array;
  readonly images: Uint8Array;
}

const FORMAT = 'restore-rwkv run 1';
const IMAGES = 'images.safetensors';
/** Two generations: the one that is written is never the newest. */
const SLOTS = ['a', 'b'] as const;
type Slot = (typeof SLOTS)[number];
const checkpointName = (slot: Slot) => `checkpoint-${slot}.safetensors`;
const recordName = (slot: Slot) => `run-${slot}.json`;

/** Of a record: a hundred thousand steps with their figures take 5 MB. */
const LARGEST_RECORD = 2 ** 25;
/** Of images and checkpoints: what is written here is below half of it. */
const LARGEST_FILE = 2 ** 30;
const LONGEST = 200;
const LONGEST_NOTICE = 300;
const MOST_STEPS = 1e8;
const MOST_NOTICES = 100;
/** Of a picture as data URL, in characters; they are a few hundred pixels wide. */
const LONGEST_PICTURE = 2 ** 21;
/** Of the losses, the last ones are kept. */
const MOST_LOSSES = 100_000;

/**
 * One training run in a folder. The images are written once; a checkpoint goes to the older of two slots and counts
 * only when the record beside it, written after it with its size and sum, is there: whatever interrupts the writing,
 * the newest whole checkpoint stays.
 */
export function createRunStore(folder: Folder) {
  const recordOf = async (slot: Slot): Promise<Described | null> => {
    const bytes = await folder.read(recordName(slot), LARGEST_RECORD);
    try {
      return bytes && parseRecord(JSON.parse(new TextDecoder().decode(bytes)));
    } catch {
      return null;
    }
  };
  /** The slots that hold a run, the newest first. */
  const slots = async (): Promise<{ slot: Slot; described: Described }[]> => {
    const sizes = await folder.sizes();
    const found: { slot: Slot; described: Described }[] = [];
    for (const slot of SLOTS) {
      const described = await recordOf(slot);
      const whole = described?.bytes === sizes.get(checkpointName(slot)) && described?.imageBytes === sizes.get(IMAGES);
      if (described && whole) found.push({ slot, described });
    }
    return found.sort((a, b) => b.described.generation - a.described.generation);
  };
  const bytesOnDisk = async () => [...(await folder.sizes()).values()].reduce((sum, size) => sum + size, 0);
  const forget = async () => {
    // Records first: without them nothing counts, whatever comes in between.
    for (const slot of SLOTS) await folder.remove(recordName(slot));
    for (const slot of SLOTS) await folder.remove(checkpointName(slot));
    await folder.remove(IMAGES);
  };
  let imageBytes = 0;

  return {
    /** What there is; null where no whole run is kept. */
    async about(): Promise<StoredRun | null> {
      const [newest] = await slots();
      if (!newest) return null;
      const { title, step, steps, date } = newest.described.record;
      return { title, step, steps, date, bytes: await bytesOnDisk() };
    },

    /** The newest checkpoint whose bytes are those that were written. @throws FormatError where there is none */
    async open(): Promise<KeptRun> {
      for (const { slot, described } of await slots()) {
        const checkpoint = await folder.read(checkpointName(slot), LARGEST_FILE);
        const images = await folder.read(IMAGES, LARGEST_FILE);
        if (!checkpoint || !images || sumOf(checkpoint) !== described.sum) continue;
        imageBytes = images.length;
        return { record: described.record, checkpoint, images };
      }
      throw new FormatError('training: the run that is kept is damaged; forget it and begin a new one');
    },

    /** Takes the place of the run before. */
    async begin(images: Uint8Array): Promise<void> {
      await forget();
      await folder.write(IMAGES, images);
      imageBytes = images.length;
    },

    async keep(checkpoint: Uint8Array, record: RunRecord): Promise<StoredRun> {
      const [newest] = await slots();
      const slot: Slot = newest?.slot === 'a' ? 'b' : 'a';
      const generation = (newest?.described.generation ?? 0) + 1;
      const { history, ...rest } = record;
      const json = {
        format: FORMAT, generation, bytes: checkpoint.length, sum: sumOf(checkpoint), imageBytes, ...rest,
        notices: record.notices.slice(0, MOST_NOTICES),
        losses: history.losses.slice(-MOST_LOSSES).map(({ step, loss, rate }) => [step, loss, rate]),
        validations: history.validations.map(({ step, psnr, ssim, inputPsnr, inputSsim }) =>
          [step, psnr, ssim, inputPsnr, inputSsim]),
      };
      await folder.remove(recordName(slot));
      await folder.write(checkpointName(slot), checkpoint);
      await folder.write(recordName(slot), new TextEncoder().encode(JSON.stringify(json)));
      const { title, step, steps, date } = record;
      return { title, step, steps, date, bytes: await bytesOnDisk() };
    },

    forget,
  };
}

export type RunStore = ReturnType<typeof createRunStore>;

interface Described {
  readonly generation: number;
  readonly bytes: number;
  readonly sum: number;
  readonly imageBytes: number;
  readonly record: RunRecord;
}

/** @throws CardError, FormatError where it is no record of a run */
function parseRecord(json: unknown): Described {
  const fields = record(json, 'run');
  oneOf(fields['format'], [FORMAT], 'run: format');
  const count = (key: string, most = MOST_STEPS) => {
    const value = number(fields[key], `run: ${key}`);
    if (!Number.isInteger(value) || value < 0 || value > most) throw new FormatError(`run: ${key} is ${value}`);
    return value;
  };
  const words = (key: string) => plainText(text(fields[key], `run: ${key}`), LONGEST);
  const steps = count('steps');
  const step = count('step', steps);
  return {
    generation: count('generation', Number.MAX_SAFE_INTEGER),
    bytes: count('bytes', LARGEST_FILE),
    sum: count('sum', 2 ** 32),
    imageBytes: count('imageBytes', LARGEST_FILE),
    record: {
      title: words('title'),
      start: oneOf(fields['start'], ['model', 'light', 'tiny'] as const, 'run: start'),
      origin: words('origin'),
      checkpointEvery: Math.max(1, count('checkpointEvery')),
      validateEvery: Math.max(1, count('validateEvery')),
      step,
      steps,
      date: count('date', 8.64e15),
      notices: list(fields['notices'], 'run: notices', text).map((notice) => plainText(notice, LONGEST_NOTICE)),
      history: {
        losses: rows(fields['losses'], 3, step)
          .map(([at, loss, rate]): LossPoint => ({ step: at!, loss: loss!, rate: rate! })),
        validations: rows(fields['validations'], 5, step + 1)
          .map(([at, psnr, ssim, inputPsnr, inputSsim]): Validation =>
            ({ step: at!, psnr: psnr!, ssim: ssim!, inputPsnr: inputPsnr!, inputSsim: inputSsim! })),
      },
      before: pictureOf(fields['before']),
    },
  };
}

/** A picture is no reason to refuse a run: what is none is left out. */
function pictureOf(json: unknown): string | null {
  const isPicture = typeof json === 'string' && json.length <= LONGEST_PICTURE && /^data:image\/png;base64,[\w+/]+=*$/.test(json);
  return isPicture ? json : null;
}

/** At most `most` rows of `width` finite numbers; null stands for infinity, which JSON does not have. */
function rows(json: unknown, width: number, most: number): number[][] {
  if (!Array.isArray(json) || json.length > most) throw new FormatError('run: the figures are damaged');
  return json.map((row: unknown) => {
    if (!Array.isArray(row) || row.length !== width) throw new FormatError('run: the figures are damaged');
    return row.map((value: unknown) => {
      if (value === null) return Infinity;
      if (typeof value !== 'number') throw new FormatError('run: the figures are damaged');
      return value;
    });
  });
}

/** FNV-1a over 32-bit words and the bytes that are left: whether a file is the one that was written. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0x811c9dc5;
  const whole = Math.floor(bytes.length / 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < whole; i++) sum = Math.imul(sum ^ view.getUint32(4 * i, true), 0x01000193);
  for (let i = 4 * whole; i < bytes.length; i++) sum = Math.imul(sum ^ bytes[i]!, 0x01000193);
  return sum >>> 0;
}
