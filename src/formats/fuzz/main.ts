import { readdirSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';
import { findImages } from '../readImages.ts';
import { FormatError, sourceOf } from '../volume.ts';
import type { NamedBytes, Volume } from '../volume.ts';
import { writeDicomSeries } from '../writeDicom.ts';
import { writeMetaImage } from '../writeMetaImage.ts';
import { writeNifti } from '../writeNifti.ts';
import { writeNrrd } from '../writeNrrd.ts';
import { dice, mutate } from './mutate.ts';
import type { Dice } from './mutate.ts';

/** `main FOLDER COUNT SEED [FIRST]`: opens COUNT damaged copies of the files in FOLDER and prints a JSON summary. */

/** What no file may do to the program that opens it. */
const SLOWEST = 2000;
const LARGEST = 2 ** 30;
/** Larger fixtures are left out: their copies would be most of the time. */
const MAX_FILE = 2 ** 20;
/** One in so many volumes that open is also written in every format. */
const WRITE_EVERY = 8;
const MAX_WRITTEN = 2 ** 20;

interface Failure {
  readonly iteration: number;
  readonly file: string;
  readonly what: string;
}

let largest = 0;

/** Sees every typed array and buffer that is made, whoever makes it. */
function watchAllocations(): void {
  const scope = globalThis as unknown as Record<string, new (...args: unknown[]) => ArrayBufferView | ArrayBuffer>;
  const names = [
    'ArrayBuffer', 'Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Uint16Array', 'Int16Array', 'Uint32Array',
    'Int32Array', 'Float32Array', 'Float64Array',
  ];
  for (const name of names) {
    const Original = scope[name]!;
    scope[name] = new Proxy(Original, {
      construct(target, args, newTarget) {
        const made = Reflect.construct(target, args, newTarget) as ArrayBuffer;
        largest = Math.max(largest, made.byteLength);
        return made;
      },
    });
  }
}

function filesIn(folder: string): NamedBytes[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesIn(path);
    if (/\.(ts|tsv|md)$/.test(entry.name) || statSync(path).size > MAX_FILE || statSync(path).size === 0) return [];
    return [{ name: path, bytes: new Uint8Array(readFileSync(path)) }];
  });
}

/** @throws Error where a volume that opened contradicts itself */
function checkVolume(volume: Volume): void {
  const { columns, rows, slices, times, data, spacing, affine } = volume;
  const sizes = [columns, rows, slices, times];
  if (!sizes.every((size) => Number.isInteger(size) && size > 0)) throw new Error(`sizes ${sizes.join(' × ')}`);
  if (slices % times !== 0) throw new Error(`${times} times of ${slices} slices`);
  if (data.length !== columns * rows * slices) throw new Error(`${data.length} voxels for ${sizes.join(' × ')}`);
  const lengths = spacing ? [spacing.x, spacing.y, spacing.z] : [];
  if (!lengths.every((length) => Number.isFinite(length) && length > 0)) throw new Error(`spacing ${lengths.join(', ')}`);
  if (affine && !(affine.length === 16 && affine.every(Number.isFinite))) throw new Error(`affine ${affine.join(', ')}`);
  const texts = [volume.name, ...volume.notices].join('');
  if (/[\u0000-\u001f<>]/.test(texts)) throw new Error(`text ${JSON.stringify(texts)}`);
}

async function write(volume: Volume): Promise<void> {
  writeNifti(volume);
  writeNrrd(volume);
  writeMetaImage(volume);
  if (volume.origin.format !== 'dicom') return;
  const model = { name: 'fuzz', version: '0' };
  await writeDicomSeries(volume, { model, software: 'fuzz', deidentify: volume.slices % 2 === 0 });
}

/** @returns whether an image opened */
async function open(file: NamedBytes, roll: Dice): Promise<boolean> {
  try {
    const { images } = await findImages([sourceOf(file)]);
    for (const image of images.slice(0, 2)) {
      const volume = await image.read();
      checkVolume(volume);
      if (roll(WRITE_EVERY) === 0 && volume.data.length < MAX_WRITTEN) await write(volume);
    }
    return true;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (!/^[a-z][a-z0-9 -]*: \S.{15,}$/.test(error.message)) throw new Error(`no sentence: ${JSON.stringify(error.message)}`);
    return false;
  }
}

async function main([folder = '', count = '0', seed = '0', first = '0']: string[]): Promise<void> {
  const files = filesIn(folder);
  const failures: Failure[] = [];
  let current = { iteration: 0, file: '' };
  const failed = (what: unknown): void => {
    const words = what instanceof Error ? `${what.name}: ${what.message} ${what.stack?.split('\n')[1] ?? ''}` : String(what);
    failures.push({ ...current, what: words });
  };
  process.on('unhandledRejection', failed);
  process.on('uncaughtException', failed);
  watchAllocations();

  let opened = 0;
  let slowest = 0;
  let most = 0;
  for (let iteration = Number(first); iteration < Number(first) + Number(count); iteration += 1) {
    const roll = dice(Number(seed) * 1_000_003 + iteration);
    const file = files[roll(files.length)]!;
    const bytes = mutate(file.bytes, files[roll(files.length)]!.bytes, roll);
    current = { iteration, file: relative(folder, file.name) };
    // A line a file tells the parent, should this process hang or die, what it was doing.
    writeSync(1, `${iteration} ${current.file}\n`);
    largest = 0;
    const start = performance.now();
    try {
      if (await open({ name: file.name, bytes }, roll)) opened += 1;
    } catch (error) {
      failed(error);
    }
    const took = performance.now() - start;
    if (took > SLOWEST) failed(`took ${Math.round(took)} ms`);
    if (largest > LARGEST) failed(`allocated ${largest} bytes at once`);
    slowest = Math.max(slowest, took);
    most = Math.max(most, largest);
    // Lets rejections that nobody waits for come out beside the file that caused them.
    if (iteration % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  const memory = process.resourceUsage().maxRSS * 1024;
  writeSync(1, `${JSON.stringify({ files: files.length, count: Number(count), opened, failures, slowest, most, memory })}\n`);
  process.exit(0);
}

void main(process.argv.slice(2));
