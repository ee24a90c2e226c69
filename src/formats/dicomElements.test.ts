import * as dicomParser from 'dicom-parser';
import { describe, expect, it } from 'vitest';
import { parseDicomDataSet } from './dicomDataSet.ts';
import { firstItem, itemsOf, readElements } from './dicomElements.ts';
import { findDicomImages } from './dicomSeries.ts';
import { encoded } from './fixtures/dicomFile.ts';
import { load } from './fixtures/load.ts';
import { FormatError, sourceOf } from './volume.ts';

const EXPLICIT = { explicit: true, littleEndian: true };
const read = (bytes: Uint8Array) => readElements(bytes, 0, bytes.length, EXPLICIT, () => false);

describe('the elements of a data set', () => {
  for (const path of [
    'pydicom/CT_small.dcm', 'pydicom/MR_small_implicit.dcm', 'pydicom/MR_small_bigendian.dcm', 'pydicom/rtplan.dcm',
    'niivue_demos/enh.dcm', 'synthetic/ODD_nested_200.dcm', 'pydicom/reportsi.dcm', 'pydicom/dicomdirtests/DICOMDIR',
  ]) {
    it(`${path}: are those that dicom-parser finds, at the same places`, () => {
      const { bytes } = load(`dicom/${path}`);
      const theirs = dicomParser.parseDicom(bytes, { untilTag: 'x7fe00010' });
      const ours = parseDicomDataSet(bytes).dataSet;
      const tags = Object.keys(theirs.elements).filter((tag) => !tag.startsWith('x0002'));
      expect(Object.keys(ours.elements)).toEqual(tags);
      for (const tag of tags) expect(ours.elements[tag]?.dataOffset, tag).toBe(theirs.elements[tag]?.dataOffset);
    });
  }

  it('behind 64-bit representations are found', () => {
    const bytes = encoded([
      ['00080006', 'UV', new Uint8Array(8)], ['7FE00001', 'OV', new Uint8Array(16)],
      ['7FE00003', 'SV', new Uint8Array(8)],
    ]);
    expect(Object.keys(read(bytes).dataSet.elements)).toEqual(['x00080006', 'x7fe00001', 'x7fe00003']);
  });

  it('in items of defined and undefined length are read when asked for', () => {
    const inner = encoded([['00080100', 'SH', 'A1'], ['00080104', 'LO', 'word']]);
    const open = Uint8Array.from([
      ...[0x08, 0, 0x40, 0x11], 0x53, 0x51, 0, 0, 255, 255, 255, 255,
      ...[0xfe, 0xff, 0, 0xe0, 255, 255, 255, 255], ...inner, ...[0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0],
      ...[0xfe, 0xff, 0, 0xe0, inner.length, 0, 0, 0], ...inner,
      ...[0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0], ...encoded([['00200013', 'IS', '12']]),
    ]);
    const run = read(open);
    expect(run.outcome).toBe('complete');
    expect(run.dataSet.string('x00200013')).toBe('12');
    expect(itemsOf(run, 'x00081140').map(({ dataSet }) => dataSet.string('x00080104'))).toEqual(['word', 'word']);
    expect(firstItem(run, 'x00081140')?.dataSet.string('x00080100')).toBe('A1');
    expect(firstItem(run, 'x00081111')).toBeNull();
  });

  it('cut anywhere tell how much more is wanted', () => {
    const { bytes } = load('dicom/synthetic/explicit_le.dcm');
    const whole = parseDicomDataSet(bytes);
    for (let length = 140; length < whole.elements.end; length += 11) {
      const { wanted } = parseDicomDataSet(bytes.subarray(0, length), bytes.length);
      expect(wanted).toBeGreaterThan(length);
    }
    expect(parseDicomDataSet(bytes.subarray(0, whole.elements.end + 40), bytes.length).wanted).toBe(0);
  });
});

describe('sequences nested without end', () => {
  /** As many levels as fit, each a sequence and an item of undefined or of the remaining length. */
  function nested(size: number, defined: boolean): Uint8Array {
    const meta = encoded([['00020010', 'UI', '1.2.840.10008.1.2.1']]);
    const bytes = new Uint8Array(132 + meta.length + size);
    bytes.set([0x44, 0x49, 0x43, 0x4d], 128);
    bytes.set(meta, 132);
    const view = new DataView(bytes.buffer);
    for (let at = 132 + meta.length; at + 20 <= bytes.length; at += 20) {
      const left = bytes.length - at - 12;
      bytes.set([0x08, 0, 0x40, 0x11, 0x53, 0x51], at);
      view.setUint32(at + 8, defined ? left : 0xffffffff, true);
      bytes.set([0xfe, 0xff, 0, 0xe0], at + 12);
      view.setUint32(at + 16, defined ? left - 8 : 0xffffffff, true);
    }
    return bytes;
  }

  for (const defined of [false, true]) {
    it(`${defined ? 'with' : 'without'} lengths end in one sentence, at once`, async () => {
      for (const size of [2 ** 16, 2 ** 24]) {
        const started = performance.now();
        const outcome = await findDicomImages([sourceOf({ name: 'deep', bytes: nested(size, defined) })])
          .catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(FormatError);
        expect((outcome as FormatError).message).toMatch(/^dicom: [^\n]+$/);
        // A hundred times what it takes here; a walk that restarts at every level would take minutes.
        expect(performance.now() - started).toBeLessThan(1000);
      }
    });
  }
});
