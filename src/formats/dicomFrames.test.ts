import { describe, expect, it } from 'vitest';
import { findDicomImages } from './dicomSeries.ts';
import { commonSpecs, inOrder, pixelSpecs } from './fixtures/derivedSources.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load, loadFolder } from './fixtures/load.ts';
import { sourceOf } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';

const CT0012 = 'dicom/dicomparser/encapsulated/multi-frame/CT0012';
const ENHANCED_PET = '1.2.840.10008.5.1.4.1.1.130';
const NM = '1.2.840.10008.5.1.4.1.1.20';

async function read(...files: readonly NamedBytes[]): Promise<Volume> {
  const { images } = await findDicomImages(files.map(sourceOf));
  return (images[0] ?? expect.fail('no image was found')).read();
}

function means({ data, rows, columns, slices }: Volume): number[] {
  const size = rows * columns;
  return Array.from({ length: slices }, (_, index) =>
    data.subarray(index * size, (index + 1) * size).reduce((sum, value) => sum + value, 0) / size);
}

const framesOf = ({ origin }: Volume): number[] =>
  origin.format === 'dicom' ? origin.slices.map(({ frame }) => frame) : [];

/** A file of 3 × 2 pixels a frame; frame k holds k + 1. */
function multiFrame(sopClass: string, modality: string, frames: number, specs: readonly ElementSpec[]): NamedBytes {
  return dicomFile('frames', inOrder(commonSpecs(sopClass, modality), pixelSpecs(16, 16, false), [
    ['00280008', 'IS', String(frames)],
    ['7FE00010', 'OW', Array.from({ length: 6 * frames }, (_, index) => Math.floor(index / 6) + 1)],
  ], specs));
}

const firstValues = ({ data, rows, columns, slices }: Volume): (number | undefined)[] =>
  Array.from({ length: slices }, (_, index) => data[index * rows * columns]);

describe('an enhanced file', () => {
  it('is the volume that its single slices were', async () => {
    // dcmqi converted these three CT slices to one Legacy Converted Enhanced CT.
    const single = await read(...loadFolder('dicom/dcmqi/segmentations/23x38x3/image'));
    const enhanced = await read(load('dicom/dcmqi/segmentations/23x38x3/multiframe/mf.dcm'));
    expect(enhanced.data).toEqual(single.data);
    expect(enhanced.affine).toEqual(single.affine);
    expect(enhanced.spacing).toEqual(single.spacing);
    expect([enhanced.slices, enhanced.times]).toEqual([3, 1]);
  });

  it('takes place and size from per-frame groups', async () => {
    const volume = await read(load('dicom/niivue_demos/enh.dcm'));
    // Means by pydicom 3.0.2; (0020,0032) of the first frame is -109.79\-58.4773\-5.40356, of the last 6.59644 in z.
    [104.4514, 100.0146, 99.0518, 100.167, 100.5657, 104.8174].forEach((mean, index) =>
      expect(means(volume)[index]).toBeCloseTo(mean, 3));
    expect(framesOf(volume)).toEqual([0, 1, 2, 3, 4, 5]);
    // The orientation has −5e-13 and 1e-6 in it: its normal is a millionth off z.
    [109.79, 58.4773, -5.40356].forEach((mm, line) => expect(volume.affine?.[4 * line + 3]).toBeCloseTo(mm, 5));
    expect(volume.spacing?.z).toBeCloseTo(2.4, 4);
    expect(volume.spacing).toMatchObject({ x: 3.375, y: 3.375 });
  });

  it('rescales and orders each frame by its own groups, and makes time points of repeated places', async () => {
    const group = (place: number, time: number, slope: string): ElementSpec[] => [
      ['00209111', 'SQ', [[['00209056', 'SH', '1'], ['00209057', 'UL', [place]], ['00209128', 'UL', [time]]]]],
      ['00209113', 'SQ', [[['00200032', 'DS', `5\\6\\${10 - 2 * place}`]]]],
      ['00289145', 'SQ', [[['00281052', 'DS', '0.5'], ['00281053', 'DS', slope], ['00281054', 'LO', 'BQML']]]],
    ];
    const volume = await read(multiFrame(ENHANCED_PET, 'PT', 4, [
      ['52009229', 'SQ', [[
        ['00209116', 'SQ', [[['00200037', 'DS', '1\\0\\0\\0\\1\\0']]]],
        ['00289110', 'SQ', [[['00180050', 'DS', '2'], ['00280030', 'DS', '3\\4']]]],
      ]]],
      ['52009230', 'SQ', [group(1, 2, '1'), group(1, 1, '2'), group(2, 1, '3'), group(2, 2, '4')]],
    ]));
    expect([volume.slices, volume.times]).toEqual([4, 2]);
    // Time 1: z = 6 (frame 2), z = 8 (frame 1); time 2: frames 3 and 0.
    expect(framesOf(volume)).toEqual([2, 1, 3, 0]);
    expect(firstValues(volume)).toEqual([3 * 3 + 0.5, 2 * 2 + 0.5, 4 * 4 + 0.5, 1 + 0.5]);
    expect(volume.affine).toEqual([-4, 0, 0, -5, 0, -3, 0, -6, 0, 0, 2, 6, 0, 0, 0, 1]);
    expect(volume.units).toBe('Bq/mL');
  });
});

describe('a classic multi-frame file', () => {
  it('of doses lies by its grid frame offset vector', async () => {
    const volume = await read(load('dicom/pydicom/rtdose.dcm'));
    // (3004,000C) is 0\5\…\70, (0020,0032) 189.43125\199.43125\-761.87, (0020,0037) 1\0\0\0\1\0.
    expect(volume.slices).toBe(15);
    expect(volume.spacing).toEqual({ x: 10, y: 10, z: 5 });
    expect(volume.affine).toEqual([-10, 0, 0, -189.43125, 0, -10, 0, -199.43125, 0, 0, 5, -761.87, 0, 0, 0, 1]);
    expect(volume.notices.join(' ')).toMatch(/dose grid scaling/);
  });

  it('of nuclear medicine steps by its slice vector, against the normal where spacing is negative', async () => {
    const volume = await read(multiFrame(NM, 'NM', 3, [
      ['00180088', 'DS', '-4'],
      ['00280009', 'AT', [0x00540080]],
      ['00540022', 'SQ', [[['00200032', 'DS', '1\\2\\30'], ['00200037', 'DS', '1\\0\\0\\0\\1\\0']]]],
      ['00540080', 'US', [1, 3, 2]],
    ]));
    // z of the frames: 30, 22, 26.
    expect(framesOf(volume)).toEqual([1, 2, 0]);
    expect(volume.affine?.slice(8, 12)).toEqual([0, 0, 4, 22]);
  });

  it('that steps in time is a film', async () => {
    const volume = await read(multiFrame(NM, 'US', 3, [['00181063', 'DS', '40'], ['00280009', 'AT', [0x00181063]]]));
    expect([volume.slices, volume.times]).toEqual([3, 3]);
    expect(firstValues(volume)).toEqual([1, 2, 3]);
  });

  it('with fewer frames than it declares shows those', async () => {
    const whole = multiFrame(NM, 'OT', 4, [['00180088', 'DS', '2']]);
    const volume = await read({ ...whole, bytes: whole.bytes.subarray(0, whole.bytes.length - 13) });
    expect(volume.slices).toBe(2);
    expect(volume.notices.join(' ')).toMatch(/cut short: 2 of 4 frames are there/);
  });

  it('with a forged number of frames is read by its bytes', async () => {
    const volume = await read(multiFrame(NM, 'OT', 3, [['00280008', 'IS', '2000000000']]));
    expect(volume.slices).toBe(3);
  });
});

describe('fragments', () => {
  it('of one frame each and of several give the same frames, with and without an offset table', async () => {
    const pieces = await read(load(`${CT0012}.fragmented_no_bot_jpeg_ls.80.dcm`));
    const table = await read(load(`${CT0012}.not_fragmented_bot_jpeg_ls.80.dcm`));
    expect(pieces.data.every((value, index) => value === table.data[index])).toBe(true);
    // Means by pydicom 3.0.2 from the uncompressed twin. Rows run to the left (0020,0037 is -1\0\0\0\1\0), so that
    // the normal points down and the first frame, 10 mm lower, is the second slice.
    expect(framesOf(pieces)).toEqual([1, 0]);
    expect(means(pieces)[0]).toBeCloseTo(-648.5445, 3);
    expect(means(pieces)[1]).toBeCloseTo(-639.3793, 3);
  });

  it('of RLE are one a frame', async () => {
    const volume = await read(load('dicom/pydicomdata/emri_small_RLE.dcm'));
    // Means by pydicom 3.0.2.
    [144.2778, 133.6704, 123.218, 112.5774, 98.7727, 86.6946, 80.8398, 91.0261, 107.9041, 118.0103]
      .forEach((mean, index) => expect(means(volume)[index]).toBeCloseTo(mean, 3));
  });

  /** RLE with one segment that holds 6 bytes as they are. */
  function rleFrame(value: number): Uint8Array {
    const bytes = new Uint8Array(72);
    bytes.set([1, 0, 0, 0, 64], 0);
    bytes.set([5, ...Array<number>(6).fill(value)], 64);
    return bytes;
  }
  const item = (bytes: Uint8Array): number[] =>
    [0xfe, 0xff, 0, 0xe0, bytes.length & 255, bytes.length >> 8, 0, 0, ...bytes];
  const SEQUENCE_END = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];

  /** Encapsulated frames behind an empty basic offset table, the element's length undefined. */
  function encapsulated(frames: number, specs: readonly ElementSpec[], value: readonly number[]): NamedBytes {
    const head = dicomFile('rle', inOrder(commonSpecs(NM, 'OT'), pixelSpecs(8, 8, false), [
      ['00280008', 'IS', String(frames)], ...specs,
    ]), '1.2.840.10008.1.2.5').bytes;
    const element = [0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 255, 255, 255, 255];
    return { name: 'rle', bytes: Uint8Array.from([...head, ...element, ...value]) };
  }

  it('are found by an extended offset table of 64 bits', async () => {
    const offsets = new Uint8Array(new BigUint64Array([0n, 160n]).buffer);
    const lengths = new Uint8Array(new BigUint64Array([72n, 72n]).buffer);
    // The second frame's fragment is the third: one that no table names lies between.
    const volume = await read(encapsulated(2, [['7FE00001', 'OV', offsets], ['7FE00002', 'OV', lengths]], [
      ...item(new Uint8Array()), ...item(rleFrame(7)), ...item(rleFrame(8)), ...item(rleFrame(9)), ...SEQUENCE_END,
    ]));
    expect(firstValues(volume)).toEqual([7, 9]);
  });

  it('that do not fit the frames are refused', async () => {
    const pieces = [7, 8, 9].flatMap((value) => item(rleFrame(value)));
    await expect(read(encapsulated(2, [], [...item(new Uint8Array()), ...pieces, ...SEQUENCE_END])))
      .rejects.toThrow(/3 compressed pieces without an offset table cannot be assigned to 2 frames/);
    await expect(read(encapsulated(3, [], [...item(new Uint8Array()), ...pieces])))
      .rejects.toThrow(/ends without its delimiter after 4 pieces; the file is cut short/);
  });

  it('fewer than the frames declared show those that are there', async () => {
    const pieces = [7, 8].flatMap((value) => item(rleFrame(value)));
    const volume = await read(encapsulated(3, [], [...item(new Uint8Array()), ...pieces, ...SEQUENCE_END]));
    expect(firstValues(volume)).toEqual([7, 8]);
    expect(volume.notices.join(' ')).toMatch(/frame 3 of 3 is not there/);
  });
});
