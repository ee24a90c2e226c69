import { describe, expect, it } from 'vitest';
import type { DataSet } from 'dicom-parser';
import { changed, opened, saved, storedIn, valuesIn } from './fixtures/derivedOutput.ts';
import { commonSpecs, inOrder, pixelSpecs } from './fixtures/derivedSources.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load } from './fixtures/load.ts';
import type { NamedBytes, Volume } from './volume.ts';

const ENHANCED_MR = '1.2.840.10008.5.1.4.1.1.4.1';
const TYPE = 'ORIGINAL\\PRIMARY\\M\\NONE';

/**
 * An enhanced MR image of three frames, stored from head to feet, each with a slope of its own: frame f holds the
 * stored values f · 10 … f · 10 + 5. Its Frame Type is shared or each frame's own.
 */
function enhanced(sharedType: boolean): NamedBytes {
  const frameType: ElementSpec = ['00189226', 'SQ', [[['00089007', 'CS', TYPE]]]];
  const perFrame = [0, 1, 2].map((frame): ElementSpec[] => [
    ...(sharedType ? [] : [frameType]),
    ['00209111', 'SQ', [[['00209157', 'UL', [3 - frame]]]]],
    ['00209113', 'SQ', [[['00200032', 'DS', `0\\0\\${20 - 10 * frame}`]]]],
    ['00289145', 'SQ', [[
      ['00281052', 'DS', '0'], ['00281053', 'DS', String(2 ** -frame)], ['00281054', 'LO', 'US'],
    ]]],
  ]);
  return dicomFile('enhanced.dcm', inOrder(
    commonSpecs(ENHANCED_MR, 'MR').filter(([tag]) => !['00200032', '00200037', '00180050'].includes(tag)),
    pixelSpecs(16, 12, false).filter(([tag]) => tag !== '00280030'),
    [
      ['00080008', 'CS', TYPE],
      ['00081090', 'LO', 'Model'], ['00181000', 'LO', '1'], ['00181020', 'LO', '1'],
      ['00280008', 'IS', '3'],
      ['52009229', 'SQ', [[
        ...(sharedType ? [frameType] : []),
        ['00209116', 'SQ', [[['00200037', 'DS', '1\\0\\0\\0\\1\\0']]]],
        ['00289110', 'SQ', [[['00180050', 'DS', '10'], ['00280030', 'DS', '1.5\\1.25']]]],
      ]]],
      ['52009230', 'SQ', perFrame],
      ['7FE00010', 'OW', [0, 1, 2].flatMap((frame) => [0, 1, 2, 3, 4, 5].map((value) => 10 * frame + value))],
    ],
  ));
}

const itemsOf = (set: DataSet | undefined, tag: string): DataSet[] =>
  (set?.elements[tag]?.items ?? []).flatMap(({ dataSet }) => dataSet ?? []);

const frameTypes = (groups: readonly DataSet[]): (string | undefined)[] =>
  groups.map((group) => itemsOf(group, 'x00189226')[0]?.string('x00089007'));

describe('an enhanced multi-frame image', () => {
  it('stays one file, its frames in the file’s order though the volume’s is by place', async () => {
    const volume = await opened(enhanced(false));
    // From feet to head: the last frame of the file comes first.
    expect(volume.data[0]).toBe(5);
    const { files, sets: [set] } = await saved(changed(volume, (value) => value + 1));
    expect(files).toHaveLength(1);
    expect(set?.string('x00280008')).toBe('3');
    const groups = itemsOf(set, 'x52009230');
    expect(groups.map((group) => itemsOf(group, 'x00209113')[0]?.string('x00200032')))
      .toEqual(['0\\0\\20', '0\\0\\10', '0\\0\\0']);
    // One unit more is 1, 2 and 4 steps of the frames' own slopes.
    expect(set && storedIn(set)).toEqual([1, 2, 3, 4, 5, 6, 12, 13, 14, 15, 16, 17, 24, 25, 26, 27, 28, 29]);
    expect(groups.map((group) => itemsOf(group, 'x00289145')[0]?.string('x00281053'))).toEqual(['1', '0.5', '0.25']);
  });

  for (const sharedType of [false, true]) {
    it(`says so of image and frames; frame types ${sharedType ? 'shared' : 'per frame'}`, async () => {
      const { sets: [set] } = await saved(await opened(enhanced(sharedType)));
      expect(set?.string('x00080008')).toBe('DERIVED\\PRIMARY\\M\\FILTERED');
      const holders = sharedType ? itemsOf(set, 'x52009229') : itemsOf(set, 'x52009230');
      for (const type of frameTypes(holders)) expect(type).toBe('DERIVED\\PRIMARY\\M\\FILTERED');
      const derivations = itemsOf(set, 'x52009230').map((group) => itemsOf(group, 'x00089124')[0]);
      expect(derivations.map((item) => itemsOf(item, 'x00082112')[0]?.string('x00081160'))).toEqual(['1', '2', '3']);
      expect(derivations.map((item) => itemsOf(item, 'x00082112')[0]?.string('x00081155')))
        .toEqual(['1.2.3.4.1', '1.2.3.4.1', '1.2.3.4.1']);
      const evidence = itemsOf(itemsOf(set, 'x00089154')[0], 'x00081115')[0];
      expect(evidence?.string('x0020000e')).toBe('1.2.3.6');
      expect(itemsOf(evidence, 'x00081199')[0]?.string('x00081155')).toBe('1.2.3.4.1');
    });

    it(`of which one frame was restored is mixed; frame types ${sharedType ? 'shared' : 'per frame'}`, async () => {
      const { sets: [set], notices } = await saved(await opened(enhanced(sharedType)), { indices: [0] });
      expect(set?.string('x00080008')).toBe('MIXED\\PRIMARY\\M\\FILTERED');
      const groups = itemsOf(set, 'x52009230');
      expect(frameTypes(groups)).toEqual([TYPE, TYPE, 'DERIVED\\PRIMARY\\M\\FILTERED']);
      expect(groups.map((group) => itemsOf(group, 'x00089124').length)).toEqual([0, 0, 1]);
      expect(itemsOf(set, 'x52009229')[0]?.elements['x00189226']).toBeUndefined();
      expect(itemsOf(set, 'x00082112')[0]?.string('x00081160')).toBe('3');
      expect(notices).toEqual([
        'A multi-frame file is saved whole: 2 frames that were not restored hold the input’s values.',
      ]);
    });
  }

  it('of which the volume has some frames only is saved with these', async () => {
    const volume = await opened(enhanced(false));
    const { origin } = volume;
    const part: Volume = {
      ...volume, slices: 2, data: volume.data.subarray(0, 12),
      origin: origin.format === 'dicom' ? { format: 'dicom', slices: origin.slices.slice(0, 2) } : origin,
    };
    const { sets: [set] } = await saved(part);
    expect(set?.string('x00280008')).toBe('2');
    expect(itemsOf(set, 'x52009230').map((group) => itemsOf(group, 'x00209113')[0]?.string('x00200032')))
      .toEqual(['0\\0\\10', '0\\0\\0']);
    expect(set && storedIn(set)).toEqual([10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25]);
    expect(itemsOf(set, 'x00082112')[0]?.string('x00081160')).toBe('2\\3');
  });

  it('moves each frame’s own rescale where its values need it', async () => {
    const volume = await opened(enhanced(false));
    const wanted = changed(volume, (value, index) => (index < 6 ? [-9000, 0, 1, 2, 3, 7000][index] ?? 0 : value));
    const { sets: [set] } = await saved(wanted);
    const rescales = itemsOf(set, 'x52009230').map((group) => itemsOf(group, 'x00289145')[0]);
    // 16000 units are 64000 quarter steps: they fit once the intercept moves.
    expect(rescales.map((item) => item?.string('x00281053'))).toEqual(['1', '0.5', '0.25']);
    expect(rescales.map((item) => item?.string('x00281052'))).toEqual(['0', '0', '-9000']);
    expect(set && storedIn(set).slice(12).map((value) => value / 4 - 9000)).toEqual([-9000, 0, 1, 2, 3, 7000]);
  });
});

describe('a classic multi-frame image', () => {
  it('stays one file with all its frames', async () => {
    const volume = await opened(load('dicom/synthetic/multiframe_3.dcm'));
    const { files, sets: [set], notices } = await saved(volume, { indices: [1] });
    expect(files).toHaveLength(1);
    expect(set?.string('x00280008')).toBe('3');
    expect(set?.string('x00080008')).toMatch(/^DERIVED\\SECONDARY/);
    expect(set && valuesIn(set)).toEqual([...volume.data]);
    expect(notices.join(' ')).toMatch(/2 frames that were not restored/);
  });

  it('of which the volume has some frames only keeps these in its vectors', async () => {
    const file = dicomFile('nm.dcm', inOrder(
      commonSpecs('1.2.840.10008.5.1.4.1.1.20', 'NM'), pixelSpecs(16, 16, false), [
        ['00280008', 'IS', '3'], ['00280009', 'AT', [0x00540080, 0x00181065]], ['00180088', 'DS', '4'],
        ['00181065', 'DS', '0\\100\\200'], ['00540080', 'US', [1, 2, 3]],
        ['7FE00010', 'OW', Array.from({ length: 18 }, (_, index) => index)],
      ],
    ));
    const volume = await opened(file);
    const { origin } = volume;
    const part: Volume = {
      ...volume, slices: 2, data: volume.data.subarray(0, 12),
      origin: origin.format === 'dicom' ? { format: 'dicom', slices: origin.slices.slice(0, 2) } : origin,
    };
    const { sets: [set] } = await saved(part);
    const frames = origin.format === 'dicom' ? origin.slices.slice(0, 2).map(({ frame }) => frame) : [];
    const kept = [...frames].sort();
    expect(set?.string('x00280008')).toBe('2');
    expect(set?.string('x00181065')).toBe(kept.map((frame) => 100 * frame).join('\\'));
    expect([set?.uint16('x00540080', 0), set?.uint16('x00540080', 1)]).toEqual(kept.map((frame) => frame + 1));
    expect(set?.elements['x00540080']?.length).toBe(4);
  });
});

it('of single-frame files, only the restored ones are written, numbered in order', async () => {
  const folder = 'dicom/dicom2nifti/hitachi/anatomical/001';
  const volume = await opened(...['001', '002', '003', '004'].map((name) => load(`${folder}/${name}.dcm`)));
  const { files, sets, notices } = await saved(volume, { indices: [1, 3] });
  expect(files.map(({ name }) => name)).toEqual(['restored-0001.dcm', 'restored-0002.dcm']);
  const size = volume.rows * volume.columns;
  expect(sets.map(storedIn))
    .toEqual([1, 3].map((slice) => [...volume.data.subarray(slice * size, (slice + 1) * size)]));
  expect(notices.join(' ')).not.toMatch(/not restored/);
});

it('files of which nothing was restored are written where every slice is wanted, and say so', async () => {
  const folder = 'dicom/dicom2nifti/hitachi/anatomical/001';
  const volume = await opened(...['001', '002', '003', '004'].map((name) => load(`${folder}/${name}.dcm`)));
  const { sets } = await saved(volume, { indices: [1, 3], everySlice: true });
  const size = volume.rows * volume.columns;
  expect(sets.map(storedIn))
    .toEqual([0, 1, 2, 3].map((slice) => [...volume.data.subarray(slice * size, (slice + 1) * size)]));
  expect(sets.map((set) => /^(Not restored|Restored by)/.exec(set.string('x00082111') ?? '')?.[0]))
    .toEqual(['Not restored', 'Restored by', 'Not restored', 'Restored by']);
  expect(sets.map((set) => itemsOf(set, 'x00089215').length)).toEqual([0, 1, 0, 1]);
});
