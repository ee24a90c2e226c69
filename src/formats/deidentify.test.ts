import { describe, expect, it } from 'vitest';
import { data as dcmjs } from 'dcmjs';
import { BASIC_PROFILE, PROFILE_SUMMARY } from './deidentificationProfile.ts';
import { opened, saved, storedIn } from './fixtures/derivedOutput.ts';
import { ctSpecs, inOrder, petSpecs } from './fixtures/derivedSources.ts';
import { dicomFile } from './fixtures/dicomFile.ts';
import type { ElementSpec } from './fixtures/dicomFile.ts';

const DEIDENTIFIED = { deidentify: true };
const STORED = [0, 10, 20, 1024, 2000, 4095];

/**
 * Attributes that tell who, when and where, by PS3.15 (2024b), written down apart from the table under test; each is
 * emptied, removed or replaced by the basic profile.
 */
const TELLING: readonly (readonly [tag: string, vr: string])[] = [
  ['00080014', 'UI'], ['00080020', 'DA'], ['00080021', 'DA'], ['00080022', 'DA'], ['0008002A', 'DT'],
  ['00080030', 'TM'], ['00080031', 'TM'], ['00080032', 'TM'], ['00080050', 'SH'], ['00080080', 'LO'],
  ['00080081', 'ST'], ['00080090', 'PN'], ['00080092', 'ST'], ['00080094', 'SH'], ['00081010', 'SH'],
  ['00081030', 'LO'], ['0008103E', 'LO'], ['00081040', 'LO'], ['00081048', 'PN'], ['00081050', 'PN'],
  ['00081060', 'PN'], ['00081070', 'PN'], ['00081080', 'LO'], ['00082111', 'ST'], ['00084000', 'LT'],
  ['00100010', 'PN'], ['00100020', 'LO'], ['00100021', 'LO'], ['00100030', 'DA'], ['00100032', 'TM'],
  ['00101000', 'LO'], ['00101001', 'PN'], ['00101005', 'PN'], ['00101010', 'AS'], ['00101040', 'LO'],
  ['00101060', 'PN'], ['00101090', 'LO'], ['00102154', 'SH'], ['00102160', 'SH'], ['00102180', 'SH'],
  ['001021B0', 'LT'], ['00104000', 'LT'], ['00181000', 'LO'], ['00181030', 'LO'], ['00184000', 'LT'],
  ['0018A003', 'ST'], ['0020000D', 'UI'], ['00200010', 'SH'], ['00200052', 'UI'], ['00204000', 'LT'],
  ['00321032', 'PN'], ['00321060', 'LO'], ['00380010', 'LO'], ['00380300', 'LO'], ['00400244', 'DA'],
  ['00400253', 'SH'], ['00400254', 'LO'], ['00400280', 'ST'], ['00401001', 'SH'], ['0040A075', 'PN'],
  ['0040A123', 'PN'],
];

const TEXT = new Set('AE CS LO LT PN SH ST UC UR UT'.split(' '));

/** Content of a representation that occurs nowhere else; null where a value cannot be told from others. */
function secret(vr: string, number: number): string | null {
  const digits = String(number).padStart(4, '0');
  if (TEXT.has(vr)) return `Zq${digits}`;
  if (vr === 'UI') return `1.9.8.${digits}.77`;
  if (vr === 'DA') return `18${digits}`.padEnd(8, '7');
  if (vr === 'TM') return `11${digits}.98`;
  if (vr === 'DT') return `1871${digits}111111.5`;
  if (vr === 'AS') return `${String(number % 1000).padStart(3, '0')}W`;
  if (vr === 'DS' || vr === 'IS') return `87${digits}`;
  return null;
}

const vrOf = (tag: string): string =>
  dcmjs.DicomMetaDictionary.dictionary[`(${tag.slice(0, 4)},${tag.slice(4)})`]?.vr ?? 'UN';

const latin1 = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

describe('de-identification', () => {
  it('leaves no trace of any attribute of the profile: at the top, in sequences, or private', async () => {
    const secrets: string[] = [];
    const make = (tag: string, vr: string): ElementSpec[] => {
      const text = secret(vr, secrets.length + 1);
      if (text === null) return [];
      secrets.push(text);
      return [[tag, vr, text]];
    };
    const listed = [...BASIC_PROFILE.keys()].filter((tag) => tag >= '00080000' && tag < '7FE00000');
    const all = (): ElementSpec[] =>
      inOrder(listed.flatMap((tag) => make(tag, vrOf(tag))), TELLING.flatMap(([tag, vr]) => make(tag, vr)));
    const top = all();
    // Kept by the profile with its items: contributing equipment; its purpose nests one deeper.
    const nested: ElementSpec = ['0018A001', 'SQ', [inOrder(all(), [['0040A170', 'SQ', [all()]]])]];
    const inProfileSequence: ElementSpec = ['00400275', 'SQ', [all()]];
    const apart: ElementSpec[] = [
      ...make('00090010', 'LO'), ...make('00091001', 'LO'), ['00091002', 'SQ', [all()]], ...make('00115001', 'PN'),
      ...make('00080FF1', 'LO'), ...make('50000022', 'LO'), ...make('60000022', 'LO'), ...make('60004000', 'LT'),
    ];
    const asUnknown: ElementSpec = ['00101080', 'UN', new TextEncoder().encode('Zq9999')];
    const before = secrets.length;
    const file = dicomFile('Zq0001.dcm', inOrder(ctSpecs(STORED), top, apart, [nested, inProfileSequence, asUnknown]));
    // What ctSpecs needs for itself is overwritten where the profile lists it; the class and place stay.
    expect(before).toBeGreaterThan(2000);
    // Random UIDs could hold the digits of a secret by chance.
    let made = 0;
    const uid = (): string => `2.25.${made++}`;
    const { files } = await saved(await opened(file), { deidentify: true, uid });
    const output = latin1(files[0]?.bytes ?? new Uint8Array());
    expect([...secrets, 'Zq9999'].filter((text) => output.includes(text))).toEqual([]);
    expect(files[0]?.name).toBe('restored-0001.dcm');
    // The same file, saved as it is, has them: the search would find what is there.
    const open = latin1((await saved(await opened(file))).files[0]?.bytes ?? new Uint8Array());
    expect(secrets.filter((text) => open.includes(text)).length).toBeGreaterThan(1000);
  });

  it('the table knows every telling attribute', () => {
    expect(TELLING.filter(([tag]) => !BASIC_PROFILE.has(tag))).toEqual([]);
  });

  it('gives one UID one new one, in all files of a save, and another in the next', async () => {
    const slice = (index: number): ElementSpec[] => inOrder(ctSpecs(STORED, 12, false, index), [
      ['00081140', 'SQ', [[
        ['00081150', 'UI', '1.2.840.10008.5.1.4.1.1.2'], ['00081155', 'UI', `1.2.3.4.${index === 0 ? 2 : 1}`],
      ]]],
    ]);
    const volume = await opened(dicomFile('a', slice(0)), dicomFile('b', slice(1)));
    const { sets } = await saved(volume, DEIDENTIFIED);
    const [a, b] = sets;
    for (const tag of ['x0020000d', 'x00200052', 'x0020000e']) {
      expect(a?.string(tag)).toMatch(/^2\.25\.\d+$/);
      expect(a?.string(tag)).toBe(b?.string(tag));
    }
    const referenced = (set: typeof a, tag: string): string | undefined =>
      set?.elements[tag]?.items?.[0]?.dataSet?.string('x00081155');
    // Each refers to the other as a neighbour and to its own source.
    expect(referenced(a, 'x00081140')).toBe(referenced(b, 'x00082112'));
    expect(referenced(b, 'x00081140')).toBe(referenced(a, 'x00082112'));
    expect(a?.elements['x00081140']?.items?.[0]?.dataSet?.string('x00081150')).toBe('1.2.840.10008.5.1.4.1.1.2');
    expect(a?.string('x00080016')).toBe('1.2.840.10008.5.1.4.1.1.2');
    const again = (await saved(volume, DEIDENTIFIED)).sets[0];
    expect(again?.string('x0020000d')).not.toBe(a?.string('x0020000d'));
  });

  it('says that and how it was done, and still what derived the image', async () => {
    const [set] = (await saved(await opened(dicomFile('a', ctSpecs(STORED))), DEIDENTIFIED)).sets;
    expect(set?.string('x00120062')).toBe('YES');
    expect(set?.string('x00120063')).toMatch(/Basic Profile/);
    const code = set?.elements['x00120064']?.items?.[0]?.dataSet;
    expect([code?.string('x00080100'), code?.string('x00080102'), code?.string('x00080104')])
      .toEqual(['113100', 'DCM', 'Basic Application Confidentiality Profile']);
    expect(set?.string('x00280303')).toBe('REMOVED');
    expect(set?.string('x00082111')).toBe(
      'Restored by the neural network light 1.2 in restore-rwkv-browser 0.1.0; not for diagnosis',
    );
    expect(set?.string('x0008103e')).toBe('restored');
    // The day of saving tells too.
    expect(latin1(set?.byteArray as Uint8Array)).not.toContain('20240506');
  });

  it('empties what must be there, removes what may go, replaces what needs a value', async () => {
    const [ct] = (await saved(await opened(dicomFile('a', ctSpecs(STORED))), DEIDENTIFIED)).sets;
    expect(ct?.elements['x00100010']?.length).toBe(0);
    expect(ct?.elements['x00100020']?.length).toBe(0);
    expect(ct?.elements['x00080020']?.length).toBe(0);
    expect(ct?.elements['x00080021']).toBeUndefined();
    // Series Date and Time are of type 1 in PET, Acquisition Date of type 2.
    const [pet] = (await saved(await opened(dicomFile('p', petSpecs(STORED, '1'))), DEIDENTIFIED)).sets;
    expect([pet?.string('x00080021'), pet?.string('x00080031')]).toEqual(['19000101', '000000']);
    expect(pet?.elements['x00080022']?.length).toBe(0);
    expect(pet?.elements['x00540016']?.items?.[0]?.dataSet?.elements['x00181072']).toBeUndefined();
    expect(pet?.elements['x00540016']?.items?.[0]?.dataSet?.string('x00180031')).toBe('FDG');
  });

  it('leaves geometry, acquisition and pixels alone', async () => {
    const volume = await opened(dicomFile('a', ctSpecs(STORED)));
    const [open] = (await saved(volume)).sets;
    const [closed] = (await saved(volume, DEIDENTIFIED)).sets;
    expect(closed && storedIn(closed)).toEqual(STORED);
    for (const tag of ['x00180060', 'x00180050', 'x00200032', 'x00200037', 'x00280030', 'x00281052', 'x00080070']) {
      expect(closed?.string(tag)).toBe(open?.string(tag));
      expect(closed?.string(tag)).toBeTruthy();
    }
  });

  it('warns of text in pixels and of SUV lost', async () => {
    const notices = async (...specs: ElementSpec[]): Promise<string> =>
      (await saved(await opened(dicomFile('a', specs)), DEIDENTIFIED)).notices.join(' ');
    const burned = /burned into the pixels/;
    expect(await notices(...ctSpecs(STORED))).not.toMatch(burned);
    expect(await notices(...inOrder(ctSpecs(STORED), [['00280301', 'CS', 'YES']]))).toMatch(burned);
    const capture = inOrder(ctSpecs(STORED), [
      ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.7'], ['00080060', 'CS', 'OT'],
    ]);
    expect(await notices(...capture)).toMatch(burned);
    expect(await notices(...inOrder(capture, [['00280301', 'CS', 'NO']]))).not.toMatch(burned);
    expect(await notices(...petSpecs(STORED, '1'))).toMatch(/SUV can no longer be computed/);
  });

  it('the summary counts every attribute of the table once', () => {
    expect(PROFILE_SUMMARY.lines.reduce((total, { count }) => total + count, 0)).toBe(BASIC_PROFILE.size);
    for (const { examples } of PROFILE_SUMMARY.lines) expect(examples.length).toBeGreaterThan(3);
  });
});
