import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { load } from './fixtures/load.ts';
import { inFolder, ramp, RAMP } from './fixtures/ramp.ts';
import { isNrrd, nrrdDataFiles, readNrrd } from './readNrrd.ts';
import type { NamedBytes, Volume } from './volume.ts';

const open = (name: string): Promise<Volume> => readNrrd(load(`nrrd/${name}`), inFolder('nrrd'));
const text = (...lines: readonly string[]): NamedBytes =>
  ({ name: 'made.nrrd', bytes: new TextEncoder().encode(`${lines.join('\n')}\n`) });
const alone = async (): Promise<null> => null;

/** space directions and origin given to unu, one axis a column; in RAS these are the affine. */
const RAS = [-1.9, 0.2, 0.1, 30, 0.3, 2.4, -0.5, -20, 0.05, 0.6, 3.9, -10, 0, 0, 0, 1];
const flipped = (x: number, y: number): number[] =>
  RAS.map((value, index) => value * (index < 4 ? x : index < 8 ? y : 1));
const SPACING = { x: Math.hypot(1.9, 0.3, 0.05), y: Math.hypot(0.2, 2.4, 0.6), z: Math.hypot(0.1, 0.5, 3.9) };

describe('NRRD files as Teem wrote them', () => {
  it('gzip in RAS', async () => {
    const volume = await open('ras_gzip.nrrd');
    expect(volume).toMatchObject({ ...RAMP, times: 1, format: 'nrrd', affine: RAS, name: expect.any(String) });
    expect([...volume.data]).toEqual(ramp());
    expect(volume.origin).toEqual({ format: 'plain', type: 'int16' });
    expect(volume.spacing?.x).toBeCloseTo(SPACING.x, 12);
    expect(volume.spacing?.z).toBeCloseTo(SPACING.z, 12);
    expect(volume.notices).toEqual([]);
  });

  it('text in LPS, whose first two axes point the other way', async () => {
    const volume = await open('lps_text.nrrd');
    expect(volume.affine).toEqual(flipped(-1, -1));
    expect([...volume.data]).toEqual(ramp());
  });

  it('ITK’s own', async () => {
    const volume = await open('itk.nrrd');
    expect([...volume.data]).toEqual(ramp());
    // Spacing and origin given to ITK, in LPS.
    expect(volume.spacing?.x).toBeCloseTo(2, 12);
    expect(volume.spacing?.y).toBeCloseTo(2.5, 12);
    expect([volume.affine?.[3], volume.affine?.[7], volume.affine?.[11]]).toEqual([-30, 20, -10]);
  });

  it('a list as the first axis becomes times, and so does one as the last', async () => {
    for (const [name, affine] of [['list_first', flipped(-1, -1)], ['list_last', flipped(-1, 1)]] as const) {
      const volume = await open(`${name}.nrrd`);
      expect(volume).toMatchObject({ ...RAMP, slices: 6, times: 2, affine });
      expect([...volume.data]).toEqual(ramp(2));
    }
  });

  it('colour becomes luma of a single slice', async () => {
    const volume = await open('rgb_2d.nrrd');
    expect(volume).toMatchObject({ columns: 5, rows: 4, slices: 1, times: 1, spacing: { x: 0.5, y: 0.7, z: 1 } });
    // Red, green and blue are the ramp's three slices, raised by 50.
    const [red = 0, green = 0, blue = 0] = [7, 27, 47].map((index) => (ramp()[index] ?? 0) + 50);
    expect(volume.data[7]).toBeCloseTo(0.299 * red + 0.587 * green + 0.114 * blue, 4);
    expect(volume.notices.join(' ')).toMatch(/colour/);
  });

  it('a detached header finds its big-endian floats', async () => {
    const volume = await open('detached.nhdr');
    expect([...volume.data]).toEqual(ramp());
    expect(volume).toMatchObject({ spacing: { x: 2, y: 2.5, z: 4 }, affine: null });
    expect(volume.notices.join(' ')).toMatch(/left and right may be exchanged/);
    expect(nrrdDataFiles(load('nrrd/detached.nhdr'))).toEqual(['big_float.raw']);
  });

  it('a detached header finds its files by list or by number', async () => {
    for (const name of ['list.nhdr', 'numbered.nhdr']) {
      expect([...(await open(name)).data]).toEqual(ramp());
      expect(nrrdDataFiles(load(`nrrd/${name}`))).toEqual(['slice01.raw', 'slice02.raw', 'slice03.raw']);
    }
    // scanner-xyz does not say how the patient lies in the scanner.
    expect((await open('numbered.nhdr')).affine).toBeNull();
  });
});

describe('odd headers', () => {
  const start = ['NRRD0004', 'type: uint8', 'dimension: 3', 'sizes: 2 1 2'];

  it('a line and bytes are skipped, also within gzip', async () => {
    const voxels = [9, 9, 1, 2, 3, 4];
    const header = text(...start, 'encoding: gz', 'line skip: 1', 'byte skip: 2', '');
    const bytes = new Uint8Array([...header.bytes, 0x78, 10, ...gzipSync(Uint8Array.from(voxels))]);
    expect([...(await readNrrd({ name: 'x', bytes }, alone)).data]).toEqual([1, 2, 3, 4]);
    const raw = text(...start, 'encoding: raw', 'byteskip: -1', '');
    const last = new Uint8Array([...raw.bytes, ...voxels]);
    expect([...(await readNrrd({ name: 'x', bytes: last }, alone)).data]).toEqual([1, 2, 3, 4]);
  });

  it('Windows line ends, comments, keys and unknown fields', async () => {
    const header = [...start, '# x: y', 'modality:=DWMRI', 'thicknesses: 1 1 1', 'encoding: ascii', '', '1 2,3', '4'];
    const volume = await readNrrd({ ...text(header.join('\r\n')) }, alone);
    expect([...volume.data]).toEqual([1, 2, 3, 4]);
  });

  it('units of space and of samples', async () => {
    const header = ['encoding: text', 'space: RAS', 'space directions: (0.1,0,0) (0,0.1,0) (0,0,0.2)',
      'space origin: (1,2,3)', 'space units: "cm" "cm" "cm"', 'sample units: "HU"', '', '1 2 3 4'];
    const volume = await readNrrd(text(...start, ...header), alone);
    expect(volume).toMatchObject({ spacing: { x: 1, y: 1, z: 2 }, units: 'HU', modality: 'ct' });
    expect(volume.affine).toEqual([1, 0, 0, 10, 0, 1, 0, 20, 0, 0, 2, 30, 0, 0, 0, 1]);
  });

  it('a picture in space gets a slice direction at right angles', async () => {
    const header = text('NRRD0004', 'type: float', 'dimension: 2', 'sizes: 2 2', 'encoding: text',
      'space: LPS', 'space directions: (0,2,0) (0,0,-3)', 'space origin: (5,6,7)', '', '1 2 3 4');
    // LPS: columns run to the back, rows to the feet; their cross product is (−1, 0, 0) there, (1, 0, 0) in RAS.
    expect((await readNrrd(header, alone)).affine).toEqual([0, 0, 1, -5, -2, 0, 0, -6, 0, -3, 0, 7, 0, 0, 0, 1]);
  });

  it('voxels of unknown size are said to be', async () => {
    const volume = await readNrrd(text(...start, 'encoding: text', '', '1 2 3 4'), alone);
    expect(volume.spacing).toBeNull();
    expect(volume.notices.join(' ')).toMatch(/how large its voxels are/);
  });

  it('64-bit integers keep the precision of a double', async () => {
    const header = text('NRRD0004', 'type: longlong', 'dimension: 2', 'sizes: 1 1', 'endian: big', 'encoding: raw', '');
    const bytes = new Uint8Array([...header.bytes, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf6]);
    const volume = await readNrrd({ name: 'x', bytes }, alone);
    expect([...volume.data]).toEqual([-10]);
    expect(volume.origin).toEqual({ format: 'plain', type: 'float64' });
  });
});

describe('what cannot be read is refused in one sentence', () => {
  const refused = async (file: NamedBytes, reason: RegExp, find = alone): Promise<void> =>
    expect(readNrrd(file, find)).rejects.toMatchObject({ name: 'FormatError', message: expect.stringMatching(reason) });
  const header = (over: Record<string, string>, body = '1 2 3 4'): NamedBytes => {
    const fields = { type: 'float', dimension: '2', sizes: '2 2', encoding: 'text', ...over };
    return text('NRRD0004', ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`), '', body);
  };

  it('bzip2 and hex', async () => {
    await refused(load('nrrd/bzip2.nrrd'), /^nrrd: encoding "bzip2" is not supported; save .* gzip or raw$/);
    await refused(load('nrrd/hex.nrrd'), /encoding "hex" is not supported/);
  });

  it('missing data files, by name and never outside the drop', async () => {
    await refused(load('nrrd/detached.nhdr'), /voxels lie in big_float\.raw, which is not there; open both files/);
    const outside = header({ 'data file': '../../etc/passwd' });
    expect(nrrdDataFiles(outside)).toEqual(['passwd']);
    await refused(outside, /lie in passwd, which is not there/);
  });

  it('sizes that the bytes cannot hold, before memory is asked for', async () => {
    await refused(header({ sizes: '30000 30000' }), /900000000 numbers were declared, 8 bytes of text cannot/);
    await refused(header({ sizes: '30000 30000', encoding: 'raw' }), /need 3600000000 bytes, .*can hold only 8/);
    const bomb = header({ sizes: '30000 30000', encoding: 'gzip', type: 'double' });
    const bytes = new Uint8Array([...bomb.bytes.subarray(0, -8), ...gzipSync(new Uint8Array(1 << 20))]);
    await refused({ name: 'x', bytes }, /cut short/);
  });

  it('sizes, axes and skips that make no sense', async () => {
    for (const sizes of ['0 4', '-2 2', '2.5 2', 'two 2', '', '1e9 1e9 1e9']) {
      await refused(header({ sizes }), /^nrrd: /);
    }
    await refused(header({ spacings: '1 1 1' }), /"spacings" has 3 values for 2 axes/);
    await refused(header({ 'line skip': '99' }), /lines to skip are not there/);
    await refused(header({ 'byte skip': '1e12', encoding: 'raw' }), /can hold only/);
    await refused(header({ type: 'block' }), /type "block" is not supported/);
    await refused(header({ kinds: 'complex domain' }), /complex numbers are not supported/);
  });

  it('numbers that are none', async () => {
    await refused(header({}, '1 2 three 4 5 6'), /number 3 of 4 is not a number/);
    await refused(header({}, '1 2 3      '), /number 4 of 4 is missing/);
    const odd = await readNrrd(header({}, 'nan -inf 1e3 -0.5'), alone);
    expect([...odd.data]).toEqual([NaN, -Infinity, 1000, -0.5]);
  });

  it('numbered files without number, or too many of them', async () => {
    await refused(header({ 'data file': 'a%d%d.raw 1 3 1' }), /does not name 1 to 65536 data files/);
    await refused(header({ 'data file': 'a%d.raw 1 99999999 1' }), /does not name/);
    await refused(header({ 'data file': 'a%d.raw 1 3 0' }), /does not name/);
    await refused(header({ 'data file': 'LIST\na.raw\nfolder/a.raw' }), /does not name its data files properly/);
  });

  it('a header cut anywhere, or a gzip stream cut anywhere', async () => {
    const whole = load('nrrd/ras_gzip.nrrd');
    for (let length = 9; length < whole.bytes.length - 10; length += 7) {
      await refused({ name: 'x', bytes: whole.bytes.subarray(0, length) }, /^nrrd: .{20,}/);
    }
  });

  it('is known by its magic alone', () => {
    expect(isNrrd(load('nrrd/rgb_2d.nrrd').bytes)).toBe(true);
    expect(isNrrd(new TextEncoder().encode('NRRDish'))).toBe(false);
  });
});
