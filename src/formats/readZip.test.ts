import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { load, loadFolder } from './fixtures/load.ts';
import { findImages, readImages } from './readImages.ts';
import { isZip, readZip } from './readZip.ts';
import { FormatError, sourceOf } from './volume.ts';
import type { SourceFile } from './volume.ts';

/** fflate writes what zip.js reads. */
function zipped(files: Readonly<Record<string, Uint8Array>>, level: 0 | 9 = 9): SourceFile {
  return sourceOf({ name: 'study.zip', bytes: zipSync(files, { level }) });
}

/** Every place where a little-endian value stands in a zip, replaced by another. */
function replaced(source: Uint8Array, from: number, to: number): Uint8Array {
  const bytes = source.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 0; at + 4 <= bytes.length; at += 1) if (view.getUint32(at, true) === from) view.setUint32(at, to, true);
  return bytes;
}

const series = loadFolder('dicom/dicom2nifti/hitachi/anatomical/001');
const study = (): Record<string, Uint8Array> =>
  Object.fromEntries(series.map(({ bytes }, index) => [`disc/s1/IM${index}`, bytes]));
const noise = Uint8Array.from({ length: 5000 }, (_, index) => (index * index * 31) >> 3);

describe('a zip archive', () => {
  it('gives its files, whole or their heads, whether deflated or stored', async () => {
    for (const level of [0, 9] as const) {
      const archive = zipped({ 'a/b.bin': noise, 'a/.hidden': noise, '__MACOSX/a/b.bin': noise, empty: new Uint8Array(0) }, level);
      expect(isZip(await archive.bytes(4))).toBe(true);
      const files = await readZip(archive);
      expect(files.map(({ name, size }) => [name, size])).toEqual([['a/b.bin', 5000], ['empty', 0]]);
      expect(await files[0]!.bytes()).toEqual(noise);
      expect(await files[0]!.bytes(100, 40)).toEqual(noise.subarray(40, 100));
      expect(await files[1]!.bytes()).toHaveLength(0);
    }
  });

  it('opens as the series in it', async () => {
    const open = await readImages(series.map(sourceOf));
    const packed = await readImages([zipped(study())]);
    expect(packed.slices).toBe(open.slices);
    expect(packed.data).toEqual(open.data);
    expect(packed.affine).toEqual(open.affine);
  });

  it('lists all series and pictures in it', async () => {
    const { images } = await findImages([zipped({ ...study(), 'brain.nii': load('nifti/synthetic/dt_i2.nii').bytes })]);
    expect(images.map(({ format, files }) => [format, files])).toEqual([['dicom', series.length], ['nifti', 1]]);
  });

  it('is refused in one sentence where it is cut short, damaged, nested or empty', async () => {
    const { bytes } = { bytes: await zipped(study()).bytes() };
    const cases: [Uint8Array, RegExp][] = [
      [bytes.subarray(0, bytes.length / 2), /^zip: study\.zip is damaged or cut short/],
      [zipSync({ 'inner.zip': bytes }), /^zip: inner\.zip|damaged|lies in another zip/],
      [zipSync({}), /^open: no image was found/],
    ];
    for (const [broken, sentence] of cases) {
      await expect(findImages([sourceOf({ name: 'study.zip', bytes: broken })])).rejects.toThrow(sentence);
    }
  });

  it('says which file does not unpack to what was packed', async () => {
    const bytes = zipSync({ 'a/b.bin': noise }, { level: 0 });
    const at = bytes.findIndex((_, index) => noise.subarray(100, 120).every((value, step) => bytes[index + step] === value));
    bytes[at]! ^= 1;
    const [file] = await readZip(sourceOf({ name: 'x.zip', bytes }));
    await expect(file!.bytes()).rejects.toThrow('zip: b.bin in x.zip is damaged or cut short; download it again');
  });

  it('never makes room for what an entry merely claims', async () => {
    const bytes = zipSync({ 'a/b.bin': noise });
    const bomb = { name: 'x.zip', bytes: replaced(bytes, noise.length, 0x7fffffff) };
    await expect(readZip(sourceOf(bomb))).rejects.toThrow(/^zip: b\.bin in x\.zip claims 2147483647 bytes unpacked/);
    const [lying] = await readZip(sourceOf({ name: 'x.zip', bytes: replaced(bytes, noise.length, noise.length + 9) }));
    await expect(lying!.bytes()).rejects.toThrow(FormatError);
  });
});
