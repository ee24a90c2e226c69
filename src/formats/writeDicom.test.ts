import { describe, expect, it } from 'vitest';
import { data as dcmjs } from 'dcmjs';
import type { DataSet } from 'dicom-parser';
import { changed, OPTIONS, opened, saved, utf8 } from './fixtures/derivedOutput.ts';
import { ctSpecs, inOrder, petSpecs } from './fixtures/derivedSources.ts';
import { dicomFile, encoded, SYNTAX } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';
import { load } from './fixtures/load.ts';
import { REQUIRED } from './fixtures/requiredAttributes.ts';
import { FormatError } from './volume.ts';
import type { NamedBytes, Volume } from './volume.ts';
import { freshUid, writeDicomSeries } from './writeDicom.ts';

const STORED = [0, 10, 20, 1024, 2000, 4095];

const ct = (...extra: ElementSpec[]): NamedBytes => dicomFile('ct.dcm', inOrder(ctSpecs(STORED), extra));

const pet = (): NamedBytes[] => [
  dicomFile('a.dcm', petSpecs([0, 1, 2, 3, 4, 65535], '0.5', 0)),
  dicomFile('b.dcm', petSpecs([9, 8, 7, 6, 5, 4], '0.03125', 1)),
];

/** Names of required attributes that are not as they must be. */
function lacking(set: DataSet, iod: keyof typeof REQUIRED): string[] {
  return REQUIRED[iod].filter(({ tag, type, when }) => {
    if (when && !when(set)) return false;
    const element = set.elements[tag];
    return !element || (type === 1 && element.length === 0);
  }).map(({ name }) => name);
}

/** A volume whose header is given and whose pixels are zero. */
function volumeOf(header: Uint8Array): Volume {
  return {
    name: 'test', format: 'dicom', modality: null, units: 'raw', columns: 3, rows: 2, slices: 1, times: 1,
    data: new Float32Array(6), spacing: null, affine: null, suv: null, notices: [],
    origin: { format: 'dicom', slices: [{ name: 'a', header, frame: 0 }] },
  };
}

describe('what a saved file is', () => {
  const sources: readonly (readonly [keyof typeof REQUIRED, string, () => NamedBytes[]])[] = [
    ['CT', 'a made slice', () => [ct()]],
    ['CT', 'CT_small', () => [load('dicom/pydicom/CT_small.dcm')]],
    ['MR', 'MR_small', () => [load('dicom/pydicom/MR_small.dcm')]],
    ['MR', 'MR_small, implicit', () => [load('dicom/pydicom/MR_small_implicit.dcm')]],
    ['MR', 'MR_small, big endian', () => [load('dicom/pydicom/MR_small_bigendian.dcm')]],
    ['PT', 'two made slices', pet],
  ];
  for (const [iod, name, files] of sources) {
    for (const deidentify of [false, true]) {
      it(`${iod}, ${name}${deidentify ? ', de-identified' : ''}: has all that its IOD requires`, async () => {
        const { sets, notices } = await saved(await opened(...files()), { deidentify });
        expect(sets.flatMap((set) => lacking(set, iod))).toEqual([]);
        expect(notices.join(' ')).not.toMatch(/lacks/);
      });
    }
  }

  it('attributes of type 2 that the source lacks are added empty, those of type 1 are named in a notice', async () => {
    const { sets, notices } = await saved(await opened(load('dicom/synthetic/no_geometry.dcm')));
    expect(sets[0]?.elements['x00180060']?.length).toBe(0);
    expect(sets[0]?.elements['x00100040']?.length).toBe(0);
    expect(notices.join(' ')).toMatch(/lacks what .*Image Position Patient.*saved files lack it too\./);
  });

  it('is read by dcmjs and dicom-parser alike, as Explicit VR Little Endian', async () => {
    const { files, sets } = await saved(await opened(ct()));
    const { meta, dict } = dcmjs.DicomMessage.readFile(files[0]?.bytes.buffer as ArrayBuffer);
    const [set] = sets;
    expect(meta['00020010']?.Value).toEqual([SYNTAX.explicit]);
    expect(meta['00020002']?.Value).toEqual([set?.string('x00080016')]);
    expect(meta['00020003']?.Value).toEqual([set?.string('x00080018')]);
    expect(meta['00020012']?.Value[0]).toMatch(/^2\.25\.\d+$/);
    expect(dict['00280010']?.Value).toEqual([2]);
    expect(dict['00281052']?.Value).toEqual([-1024]);
    expect(new Uint16Array(dict['7FE00010']?.Value[0] as ArrayBuffer)).toEqual(Uint16Array.from(STORED));
  });

  it('is a new instance in one new series; patient, study, place and acquisition stay', async () => {
    const source = await opened(...pet());
    const { sets, files } = await saved(source);
    expect(files.map(({ name }) => name)).toEqual(['restored-0001.dcm', 'restored-0002.dcm']);
    const instances = new Set(sets.map((set) => set.string('x00080018')));
    const series = new Set(sets.map((set) => set.string('x0020000e')));
    expect([instances.size, series.size]).toEqual([2, 1]);
    for (const uid of [...instances, ...series]) expect(uid).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
    sets.forEach((set, index) => {
      expect(utf8(set, 'x00100010')).toBe('Doe^Jäne');
      expect(set.string('x00080005')).toBe('ISO_IR 192');
      expect(set.string('x0020000d')).toBe('1.2.3.5');
      expect(set.string('x00200052')).toBe('1.2.3.7');
      expect(set.string('x00200032')).toBe(`0\\0\\${index * 2.5}`);
      expect(set.string('x00080031')).toBe('101011');
      expect(set.elements['x00540016']?.items?.[0]?.dataSet?.string('x00181072')).toBe('091500');
    });
  });

  it('says that it is derived, by what, and from what', async () => {
    const [set] = (await saved(await opened(ct(['00080201', 'SH', '+0200'])))).sets;
    expect(set?.string('x00080008')).toBe('DERIVED\\SECONDARY\\AXIAL');
    expect(set?.string('x00082111'))
      .toBe('Restored by the neural network light 1.2 in restore-rwkv-browser 0.1.0; not for diagnosis');
    expect(set && utf8(set, 'x0008103e')).toBe('Axial – restored');
    expect(set?.string('x00200011')).toBe('7001');
    const source = set?.elements['x00082112']?.items?.[0]?.dataSet;
    expect(source?.string('x00081150')).toBe('1.2.840.10008.5.1.4.1.1.2');
    expect(source?.string('x00081155')).toBe('1.2.3.4.1');
    expect(source?.string('x00081160')).toBeUndefined();
    expect(source?.elements['x0040a170']?.items?.[0]?.dataSet?.string('x00080100')).toBe('121322');
    const equipment = set?.elements['x0018a001']?.items?.[0]?.dataSet;
    expect(equipment?.string('x00181020')).toBe('restore-rwkv-browser 0.1.0');
    expect(equipment?.elements['x0040a170']?.items?.[0]?.dataSet?.string('x00080100')).toBe('109102');
    // 07:08:09 UTC in the zone that the file declares.
    expect([set?.string('x00080012'), set?.string('x00080013')]).toEqual(['20240506', '090809']);
    expect([set?.string('x00080023'), set?.string('x00080033')]).toEqual(['20240506', '090809']);
    expect([set?.string('x00281050'), set?.string('x00281051')]).toEqual(['40', '400']);
  });

  it('long descriptions keep to 64 characters, large series numbers to what an integer string holds', async () => {
    const [set] = (await saved(await opened(ct(
      ['0008103E', 'LO', 'x'.repeat(64)], ['00200011', 'IS', '2147483647'], ['00082111', 'ST', 'y'.repeat(1024)],
    )))).sets;
    expect(set && utf8(set, 'x0008103e')).toBe(`${'x'.repeat(53)} – restored`);
    expect(set?.string('x00200011')).toBe('1001');
    expect(set?.string('x00082111')).toMatch(/^Restored by .*; source: y+$/);
    expect(set?.string('x00082111')).toHaveLength(1024);
  });

  it('drops what described the source’s pixels or file only', async () => {
    const [set] = (await saved(await opened(ct(
      ['00080000', 'UL', [1000]], ['00080014', 'UI', '1.2.3.99'], ['00280106', 'US', [0]], ['00280107', 'US', [4095]],
      ['00287FE0', 'UR', 'http://there'], ['00880200', 'SQ', [[['00280010', 'US', [1]]]]],
      ['04000561', 'SQ', [[['04000565', 'CS', 'COERCE']]]], ['4FFE0001', 'SQ', [[['04000010', 'US', [1]]]]],
      ['60000010', 'US', [2]], ['60000100', 'US', [16]], ['60000102', 'US', [15]],
      ['60020010', 'US', [2]], ['60020100', 'US', [1]], ['60023000', 'OW', [0]],
    )))).sets;
    const gone = [
      'x00080000', 'x00080014', 'x00280106', 'x00280107', 'x00287fe0', 'x00880200', 'x04000561', 'x4ffe0001',
      'x60000010', 'x60000102',
    ];
    expect(gone.filter((tag) => set?.elements[tag])).toEqual([]);
    expect(set?.elements['x60023000']).toBeDefined();
  });

  it('says of lossily compressed sources that compression was lossy', async () => {
    const head = (syntax: string, ...extra: ElementSpec[]): Volume =>
      volumeOf(dicomFile('a', inOrder(ctSpecs([]), extra).filter(([tag]) => tag !== '7FE00010'), syntax).bytes);
    const lossy = async (volume: Volume): Promise<(string | undefined)[]> => {
      const [set] = (await saved(volume)).sets;
      return [set?.string('x00282110'), set?.string('x00282112'), set?.string('x00282114')];
    };
    expect(await lossy(head('1.2.840.10008.1.2.4.50'))).toEqual(['01', undefined, 'ISO_10918_1']);
    expect(await lossy(head('1.2.840.10008.1.2.4.91', ['00282110', 'CS', '00']))).toEqual(['00', undefined, undefined]);
    expect(await lossy(head('1.2.840.10008.1.2.4.80'))).toEqual([undefined, undefined, undefined]);
    expect(await lossy(head(
      SYNTAX.explicit, ['00282110', 'CS', '01'], ['00282112', 'DS', '9.5'], ['00282114', 'CS', 'ISO_15444_1'],
    ))).toEqual(['01', '9.5', 'ISO_15444_1']);
  });

  it('keeps elements of every representation, in sequences too, from every byte order', async () => {
    const specs = inOrder(ctSpecs(STORED), [
      ['00189073', 'FD', [1.25]], ['00189087', 'FD', [-2.5]], ['00186020', 'SL', [-3, 70000]],
      ['00280009', 'AT', [0x00181063]], ['00720052', 'AT', [0xfffee000]], ['00720074', 'IS', '5'],
      ['00189219', 'SS', [-7]], ['00081111', 'SQ', [[['00081150', 'UI', '1.2.840.10008.3.1.2.3.3'],
        ['0040A170', 'SQ', [[['00080104', 'LO', 'Gr\xfc\xdfe']], []]]], []]],
    ]);
    for (const syntax of Object.values(SYNTAX)) {
      const [set] = (await saved(await opened(dicomFile('a', specs, syntax)))).sets;
      expect(set?.double('x00189073')).toBe(1.25);
      expect([set?.int32('x00186020'), set?.int32('x00186020', 1)]).toEqual([-3, 70000]);
      expect(set?.attributeTag('x00280009')).toBe('x00181063');
      expect(set?.attributeTag('x00720052')).toBe('xfffee000');
      expect(set?.int16('x00189219')).toBe(-7);
      const items = set?.elements['x00081111']?.items;
      expect(items).toHaveLength(2);
      const inner = items?.[0]?.dataSet?.elements['x0040a170']?.items;
      expect(inner).toHaveLength(2);
      expect(inner?.[0]?.dataSet && utf8(inner[0].dataSet, 'x00080104')).toBe('Grüße');
    }
  });

  it('keeps 64-bit and unknown elements, and reads known sequences that were passed on as unknown', async () => {
    const item = encoded([['00081150', 'UI', '1.2.3']], SYNTAX.implicit);
    const sequence = new Uint8Array([0xfe, 0xff, 0x00, 0xe0, item.length, 0, 0, 0, ...item]);
    const eight = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const [set] = (await saved(await opened(ct(
      ['00081140', 'UN', sequence], ['00091001', 'UN', eight], ['00720081', 'OV', eight],
      ['00720082', 'SV', eight], ['00720083', 'UV', eight],
    )))).sets;
    expect(set?.elements['x00081140']?.items?.[0]?.dataSet?.string('x00081150')).toBe('1.2.3');
    for (const tag of ['x00091001', 'x00720081', 'x00720082', 'x00720083']) {
      const { dataOffset = 0, length = 0 } = set?.elements[tag] ?? {};
      expect((set?.byteArray as Uint8Array).subarray(dataOffset, dataOffset + length)).toEqual(eight);
    }
  });
});

/** Names as PS3.5 writes them: German (annex A of the CID examples), H.3.1, H.3.2, I.2, J.3, and Russian and Greek. */
const NAMES: readonly (readonly [terms: string, bytes: string, text: string])[] = [
  ['ISO_IR 100', '\xc4neas^R\xfcdiger', 'Äneas^Rüdiger'],
  ['ISO_IR 144', '\xbb\xee\xdace\xdc\xd1yp\xd3', 'Люкceмбypг'],
  ['ISO_IR 126', '\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2', 'Διονυσιος'],
  ['\\ISO 2022 IR 87', 'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
    'Yamada^Tarou=山田^太郎=やまだ^たろう'],
  ['ISO 2022 IR 13\\ISO 2022 IR 87',
    '\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J',
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
  ['\\ISO 2022 IR 149',
    'Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf',
    'Hong^Gildong=洪^吉洞=홍^길동'],
  ['GB18030', 'Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab', 'Wang^XiaoDong=王^小东'],
  ['ISO_IR 192', 'Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1', 'Wang^XiaoDong=王^小東'],
  ['ISO 2022 IR 100\\ISO 2022 IR 144', 'Bj\xf6rk=\x1b-L\xbb\xee\xda^J\xf6rg', 'Björk=Люк^Jörg'],
];

describe('names survive in', () => {
  for (const [terms, bytes, text] of NAMES) {
    it(`${terms.replace('\\', ' and ') || 'no character set'}`, async () => {
      const file = ct(
        ['00080005', 'CS', terms], ['00100010', 'PN', bytes],
        ['00081110', 'SQ', [[['00100010', 'PN', bytes]]]],
      );
      const { sets, files } = await saved(await opened(file));
      const [set] = sets;
      expect(set && utf8(set, 'x00100010')).toBe(text);
      const nested = set?.elements['x00081110']?.items?.[0]?.dataSet;
      expect(nested && utf8(nested, 'x00100010')).toBe(text);
      const { dict } = dcmjs.DicomMessage.readFile(files[0]?.bytes.buffer as ArrayBuffer);
      const { Alphabetic = '', Ideographic, Phonetic } = dict['00100010']?.Value[0] as Record<string, string>;
      expect([Alphabetic, Ideographic, Phonetic].filter((part) => part !== undefined).join('=')).toBe(text);
    });
  }
});

describe('what is refused', () => {
  it('a volume that is not from DICOM', async () => {
    const volume: Volume = { ...(await opened(ct())), origin: { format: 'picture', bitDepth: 8 } };
    await expect(writeDicomSeries(volume, OPTIONS)).rejects.toThrow(FormatError);
    await expect(writeDicomSeries(volume, OPTIONS)).rejects.toThrow(/opened from DICOM.*save as NIfTI/);
  });

  /** Milliseconds until the header is refused, with the reason that is expected. */
  async function refusedAfter(header: Uint8Array, reason: RegExp): Promise<number> {
    const start = performance.now();
    await expect(writeDicomSeries(volumeOf(header), OPTIONS)).rejects.toThrow(reason);
    return performance.now() - start;
  }

  for (const levels of [300, 50_000]) {
    it(`sequences nested ${levels} deep, at once`, async () => {
      const opening = [0x08, 0, 0x40, 0x11, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff]; // (0008,1140) SQ
      const item = [0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff];
      const closing = [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0, 0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0];
      const header = new Uint8Array(132 + levels * 36);
      header.set([0x44, 0x49, 0x43, 0x4d], 128);
      for (let level = 0; level < levels; level += 1) {
        header.set([...opening, ...item], 132 + level * 20);
        header.set(closing, 132 + levels * 20 + level * 16);
      }
      expect(await refusedAfter(header, /^dicom: .*nest/)).toBeLessThan(2000);
    });
  }

  it('headers of countless elements, at once', async () => {
    const elements = Array.from({ length: 140_000 }, (_, index): ElementSpec => {
      const tag = 0x00091000 + (index >> 12) * 0x20000 + (index & 0xfff);
      return [tag.toString(16).toUpperCase().padStart(8, '0'), 'UN', new Uint8Array(0)];
    });
    const header = dicomFile('a', elements).bytes;
    expect(await refusedAfter(header, /more than \d+ elements/)).toBeLessThan(2000);
  });
});

it('new UIDs are random UUIDs as decimal numbers', () => {
  const uids = Array.from({ length: 200 }, freshUid);
  expect(new Set(uids).size).toBe(200);
  for (const uid of uids) {
    const bits = BigInt(uid.replace('2.25.', ''));
    expect(bits < 2n ** 128n).toBe(true);
    expect((bits >> 76n) & 15n).toBe(4n);
    expect((bits >> 62n) & 3n).toBe(2n);
  }
});

it('saving leaves the volume as it was', async () => {
  const volume = await opened(ct());
  const before = volume.data.slice();
  const header = volume.origin.format === 'dicom' ? volume.origin.slices[0]?.header.slice() : null;
  await saved(changed(volume, (value) => value), { deidentify: true });
  expect(volume.data).toEqual(before);
  expect(volume.origin.format === 'dicom' ? volume.origin.slices[0]?.header : null).toEqual(header);
});
