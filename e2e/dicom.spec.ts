import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import dicomParser from 'dicom-parser';
import type { DataSet } from 'dicom-parser';
import { unzipSync } from 'fflate';
import { expect, test, type Page } from 'playwright/test';
import { dicomPet } from './files.ts';
import { SLOW, dropPaths, figures, letters, save } from './page.ts';

const FIXTURES = 'src/formats/fixtures/dicom/dicom2nifti/generic';
/** What pydicom and gdcm say of each slice: minimum, maximum, mean. */
const EXPECTED = new Map(
  readFileSync('src/formats/fixtures/expected.tsv', 'utf8').split('\n').map((line) => {
    const [path, , , , , , , ...values] = line.split('\t');
    return [path!, values.map(Number)] as const;
  }),
);
/** As long as the name in the files, which it replaces. */
const PATIENT = 'Muster^Erna';
const SERIES = '1.2.826.0.1.3680043.8.498.1725697665093567298244257421';
const STUDY = '1.2.826.0.1.3680043.8.498.1725697665093567298244257348';

/** The bytes with one number of a UID changed wherever it stands, in place. */
function otherUid(bytes: Buffer, uid: string): Buffer {
  const other = Buffer.from(`${uid.slice(0, -1)}${uid.endsWith('9') ? '8' : '9'}`);
  for (let at = bytes.indexOf(uid); at >= 0; at = bytes.indexOf(uid, at + 1)) other.copy(bytes, at);
  return bytes;
}

const parse = (bytes: Uint8Array, untilTag?: string): DataSet =>
  dicomParser.parseDicom(bytes, untilTag === undefined ? {} : { untilTag });

/** A folder with two series of one study: four slices in JPEG-LS, and three in JPEG 2000 under other UIDs. */
function twoSeries(): string {
  const folder = test.info().outputPath('study');
  for (const [series, slices] of [['jpegls', 4], ['j2k', 3]] as const) {
    mkdirSync(`${folder}/${series}`, { recursive: true });
    const names = readdirSync(`${FIXTURES}/compressed_${series}/001`).sort().slice(0, slices);
    for (const name of names) {
      const bytes = readFileSync(`${FIXTURES}/compressed_${series}/001/${name}`);
      if (series === 'j2k') {
        otherUid(bytes, SERIES);
        const set = parse(bytes, 'x7fe00010');
        otherUid(bytes, set.string('x00080018')!);
        const { dataOffset, length } = set.elements['x00100010']!;
        bytes.write(PATIENT.padEnd(length), dataOffset, 'latin1');
      }
      writeFileSync(`${folder}/${series}/${name}`, bytes);
    }
  }
  return folder;
}

/** Drops the two series and opens the second, that of JPEG 2000. */
async function openSecond(page: Page): Promise<void> {
  await dropPaths(page, [twoSeries()]);
  const dialog = page.getByRole('dialog', { name: 'Choose an image' });
  await expect(dialog.getByRole('listitem')).toHaveCount(2);
  await dialog.getByRole('button', { name: /3 slices/ }).click();
  await expect(page.getByText('256 × 256 × 3 · 1.00 × 1.00 × 1.00 mm')).toBeVisible();
}

async function restoreShown(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('1 of 3 slices restored')).toBeVisible({ timeout: SLOW });
}

/** The stored numbers of an uncompressed file with their rescaling. */
function valuesOf(bytes: Uint8Array): Float64Array {
  const set = parse(bytes);
  const { dataOffset, length } = set.elements['x7fe00010']!;
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataOffset, length);
  const slope = set.floatString('x00281053') ?? 1;
  const intercept = set.floatString('x00281052') ?? 0;
  const signed = set.uint16('x00280103') === 1;
  return Float64Array.from({ length: length / 2 }, (_, i) =>
    (signed ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true)) * slope + intercept);
}

test('a folder with two series shows both, and closing the choice leaves everything as it was', async ({ page }) => {
  await page.goto('./?device=wasm');
  await dropPaths(page, [twoSeries()]);
  const dialog = page.getByRole('dialog', { name: 'Choose an image' });
  const cards = dialog.getByRole('listitem');
  await expect(cards).toHaveCount(2);
  await expect(cards.nth(0)).toContainText('256 × 256 · 4 slices');
  await expect(cards.nth(0)).toContainText('MRI · DICOM · 4 files');
  await expect(cards.nth(1)).toContainText('256 × 256 · 3 slices');
  await expect(cards.locator('img')).toHaveCount(2);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText('Drop images here')).toBeVisible();

  // By keyboard: the first card has the focus, the arrow goes to the second.
  await dropPaths(page, [twoSeries()]);
  await expect(cards.nth(0).getByRole('button')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(cards.nth(1).getByRole('button')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByText('256 × 256 × 3 ·')).toBeVisible();

  // The other one without dropping the files again.
  await page.getByRole('button', { name: 'Other images (1)…' }).click();
  await expect(cards.locator('img')).toHaveCount(2);
  await cards.nth(0).getByRole('button').click();
  await expect(page.getByText('256 × 256 × 4 ·')).toBeVisible();
});

test('a slice of a compressed series, restored and saved as derived DICOM, opens again in the same place', async ({
  page,
}) => {
  test.setTimeout(SLOW);
  await page.goto('./?device=wasm');
  await openSecond(page);
  const before = await letters(page);
  // Sagittal: rows run to the back, columns to the feet.
  expect(before).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' });
  await restoreShown(page);
  const path = await save(page, 'DICOM series');
  expect(path).toMatch(/-restored\.zip$/);
  await expect(page.getByRole('status')).toContainText('1 of 3 slices are restored; the others are the input’s');

  const files = Object.values(unzipSync(readFileSync(path)));
  const saved = files.map((bytes) => parse(bytes, 'x7fe00010'));
  const sources = readdirSync(`${FIXTURES}/compressed_j2k/001`).sort().slice(0, 3);
  const originals = sources.map((name) => parse(readFileSync(`${FIXTURES}/compressed_j2k/001/${name}`), 'x7fe00010'));
  expect(saved.map((set) => set.string('x00200032')).sort()).toEqual(
    originals.map((set) => set.string('x00200032')).sort(),
  );
  const uids = (sets: DataSet[], tag: string) => sets.map((set) => set.string(tag)!);
  const old = new Set([...uids(originals, 'x00080018'), ...uids(originals, 'x00080018').map((uid) =>
    otherUid(Buffer.from(uid), uid).toString())]);
  expect(new Set(uids(saved, 'x00080018')).size).toBe(3);
  expect(uids(saved, 'x00080018').filter((uid) => old.has(uid))).toEqual([]);
  expect(uids(saved, 'x00020003')).toEqual(uids(saved, 'x00080018'));
  const [series, ...rest] = [...new Set(uids(saved, 'x0020000e'))];
  expect(rest).toEqual([]);
  expect([SERIES, otherUid(Buffer.from(SERIES), SERIES).toString()]).not.toContain(series);
  const card = JSON.parse(readFileSync('public/weights/light-all-in-one.json', 'utf8')) as { name: string };
  const hash = createHash('sha256').update(readFileSync('public/weights/light-all-in-one.safetensors')).digest('hex');
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  for (const [i, set] of saved.entries()) {
    expect(set.string('x0020000d')).toBe(STUDY);
    expect(set.string('x00100010')).toBe(PATIENT);
    expect(set.string('x00020010')).toBe('1.2.840.10008.1.2.1');
    expect(set.string('x00080008')).toMatch(/^DERIVED\\SECONDARY/);
    const derivation = set.string('x00082111')!;
    for (const words of [card.name, hash.slice(0, 16), version]) expect(derivation).toContain(words);
    for (const tag of ['x00200037', 'x00280030', 'x00280010', 'x00280011', 'x00200052']) {
      expect(set.string(tag)).toBe(originals[0]!.string(tag));
    }
    // The slices that were not restored have the values that pydicom finds in the input.
    const at = originals.findIndex((original) => original.string('x00200032') === set.string('x00200032'));
    if (at === 1) continue;
    const values = valuesOf(files[i]!);
    const [least, most, mean] = EXPECTED.get(`dicom/dicom2nifti/generic/compressed_j2k/001/${sources[at]}`)!;
    expect(Math.min(...values)).toBe(least);
    expect(Math.max(...values)).toBe(most);
    // Given with four decimals.
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(mean!, 3);
  }

  // As the reference of what is open: the same slices, and the restored one but for the rounding to whole numbers.
  await page.getByLabel('Reference', { exact: true }).setInputFiles(path);
  await expect(page.getByRole('status')).toContainText('is now the reference');
  await expect(async () => expect((await figures(page, 'restored')).rmse).toBeLessThan(0.5)).toPass();
  await page.keyboard.press('ArrowRight');
  await expect(async () => expect((await figures(page, 'input')).rmse).toBe(0)).toPass();

  // Opened anew, from the zip: one image, in the same place.
  await page.reload();
  await dropPaths(page, [path]);
  await expect(page.getByText('256 × 256 × 3 · 1.00 × 1.00 × 1.00 mm')).toBeVisible();
  expect(await letters(page)).toEqual(before);
  await expect(page.getByRole('radio', { name: 'Sagittal' })).toBeChecked();
});

test('a de-identified series carries nothing of the patient, in its bytes or its names', async ({ page }) => {
  test.setTimeout(SLOW);
  await page.goto('./?device=wasm');
  await openSecond(page);
  await restoreShown(page);
  const path = await save(page, 'DICOM series', async (dialog) => {
    const checkbox = dialog.getByRole('checkbox', { name: 'De-identify' });
    await expect(checkbox).not.toBeChecked();
    await checkbox.check();
    await dialog.getByText('What this removes, empties and replaces').click();
    await expect(dialog.getByText(/Patient’s Name/)).toBeVisible();
  });
  expect(basename(path)).toBe('deidentified-restored.zip');
  const entries = Object.entries(unzipSync(readFileSync(path)));
  expect(entries).toHaveLength(3);
  for (const [name, bytes] of entries) {
    expect(name).toMatch(/^restored-\d+\.dcm$/);
    for (const secret of [PATIENT, STUDY, SERIES]) expect(Buffer.from(bytes).includes(secret)).toBe(false);
    const set = parse(bytes, 'x7fe00010');
    expect(set.string('x00120062')).toBe('YES');
    expect(set.string('x00100010') ?? '').toBe('');
  }
});

test('a series is written file by file into a folder of its own inside the one that is picked', async ({ page }) => {
  test.setTimeout(SLOW);
  // The browser's own picker cannot be steered: a folder of the page's private file system stands in for the disk.
  await page.addInitScript(() => {
    const showDirectoryPicker = async () =>
      (await navigator.storage.getDirectory()).getDirectoryHandle('picked', { create: true });
    Object.assign(window, { showDirectoryPicker });
  });
  await page.goto('./?device=wasm');
  await openSecond(page);
  await restoreShown(page);
  const saveToFolder = async () => {
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('radio', { name: 'DICOM series' }).check();
    await page.getByRole('button', { name: 'Save to a folder…' }).click();
  };
  const onDisk = () =>
    page.evaluate(async () => {
      const found: Record<string, string[]> = {};
      const picked = await (await navigator.storage.getDirectory()).getDirectoryHandle('picked');
      for await (const [folder, handle] of (picked as unknown as { entries(): AsyncIterable<[string, unknown]> }).entries()) {
        const inside = handle as { entries(): AsyncIterable<[string, FileSystemFileHandle]> };
        const names: string[] = [];
        for await (const [name, file] of inside.entries()) {
          const head = await (await file.getFile()).slice(128, 132).text();
          names.push(`${name} ${head}`);
        }
        found[folder] = names.sort();
      }
      return found;
    });
  await saveToFolder();
  await expect(page.getByRole('status')).toContainText('3 files saved in ');
  const first = await onDisk();
  const [folder, ...others] = Object.keys(first);
  expect(others).toEqual([]);
  expect(folder).toMatch(/-restored$/);
  expect(first[folder!]).toEqual([1, 2, 3].map((n) => `restored-000${n}.dcm DICM`));
  // A second time: beside the first, nothing is overwritten.
  await saveToFolder();
  await expect(page.getByRole('status')).toContainText(`3 files saved in ${folder} 2`);
  expect(Object.keys(await onDisk()).sort()).toEqual([folder, `${folder} 2`]);
});

test('without a folder picker the zip is what is offered, and the picker’s Cancel changes nothing', async ({ page }) => {
  test.setTimeout(SLOW);
  await page.addInitScript(() => {
    const refuse = () => Promise.reject(new DOMException('The user aborted a request.', 'AbortError'));
    Object.assign(window, { showDirectoryPicker: location.search.includes('picker') ? refuse : undefined });
  });
  await page.goto('./?device=wasm&picker');
  await openSecond(page);
  await restoreShown(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Save' });
  await dialog.getByRole('radio', { name: 'DICOM series' }).check();
  await dialog.getByRole('button', { name: 'Save to a folder…' }).click();
  await expect(dialog).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);

  await page.goto('./?device=wasm');
  await openSecond(page);
  await restoreShown(page);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('radio', { name: 'DICOM series' }).check();
  await expect(dialog.getByRole('button', { name: 'Save as one .zip' })).toBeVisible();
  await expect(dialog.getByRole('button', { name: 'Save to a folder…' })).toHaveCount(0);
});

test('PET in Bq/mL is shown as SUV, which is explained, and saved in Bq/mL again', async ({ page }) => {
  test.setTimeout(SLOW);
  const grid = { columns: 24, rows: 16, slices: 3, value: (i: number, j: number, k: number) =>
    100 * i + 10 * j + 5000 * k };
  const pet = { weight: 70, dose: 370e6, halfLife: 6586.2 };
  const folder = test.info().outputPath('pet');
  mkdirSync(folder, { recursive: true });
  for (let k = 0; k < 3; k++) {
    const place = { spacing: [4, 4] as const, directions: [1, 0, 0, 0, 1, 0], position: [0, 0, 3 * k], thickness: 3,
      instance: k + 1 };
    writeFileSync(`${folder}/${k}.dcm`, dicomPet(grid, k, place, pet));
  }
  // Body-weight SUV: activity by the dose that is left after 30 minutes, by gram.
  const factor = (1000 * pet.weight) / (pet.dose * 2 ** (-1800 / pet.halfLife));
  await page.goto('./?device=wasm');
  await dropPaths(page, [folder]);
  await expect(page.getByText('PET · 24 × 16 × 3 ·')).toBeVisible();
  // Hot is dark, from 0 to percentile 99.5 of all voxels above 0.
  const values = Array.from({ length: 24 * 16 * 3 }, (_, n) =>
    grid.value(n % 24, Math.floor(n / 24) % 16, Math.floor(n / 384))).filter((v) => v > 0).sort((a, b) => a - b);
  const rank = 0.995 * (values.length - 1);
  const below = values[Math.floor(rank)]!;
  const high = factor * (below + (rank % 1) * (values[Math.floor(rank) + 1]! - below));
  const width = Number(await page.getByRole('spinbutton', { name: 'Window' }).inputValue());
  expect(width / high).toBeCloseTo(1, 2); // three digits are shown
  await expect(page.locator('.corner-left')).toContainText('SUV');
  await page.getByRole('button', { name: /notes?$/ }).click();
  await expect(page.getByRole('region', { name: 'Notes about this image' })).toContainText('SUV');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect(page.getByText('1 of 3 slices restored')).toBeVisible({ timeout: SLOW });
  const files = Object.values(unzipSync(readFileSync(await save(page, 'DICOM series'))));
  const byPlace = new Map(files.map((bytes) => [parse(bytes, 'x7fe00010').string('x00200032')!, bytes]));
  for (const k of [0, 2]) {
    const bytes = byPlace.get(`0\\0\\${3 * k}`)!;
    expect(parse(bytes, 'x7fe00010').string('x00541001')).toBe('BQML');
    const saved = valuesOf(bytes);
    const step = parse(bytes, 'x7fe00010').floatString('x00281053') ?? 1;
    for (const [n, value] of saved.entries()) {
      // Half a step of the file's own, and the two roundings to float32 on the way to SUV and back.
      expect(Math.abs(value - grid.value(n % 24, Math.floor(n / 24), k))).toBeLessThanOrEqual(step / 2 + 0.01);
    }
  }
});
