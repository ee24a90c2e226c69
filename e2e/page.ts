import { readFileSync } from 'node:fs';
import { expect, test, type Locator, type Page } from 'playwright/test';

/** What PyTorch, numpy and nothing of this project made of the samples: see the file's own `method`. */
export const EXPECTED = JSON.parse(readFileSync('src/analysis/fixtures/samples-expected.json', 'utf8')) as {
  samples: {
    id: string;
    modality: string;
    shape: [number, number, number];
    slices: { input: Scores; restored: Scores }[];
    /** The same of the models for this task alone, by id. */
    others: Record<string, { slices: Scores[] }>;
    probes: { slice: number; row: number; column: number; restored: number }[];
  }[];
};

export interface Scores {
  readonly psnr: number;
  readonly ssim: number;
  readonly rmse: number;
}

export const sampleOf = (modality: string) => EXPECTED.samples.find((sample) => sample.modality === modality)!;

/** Software rendering takes minutes for what a GPU does in milliseconds. */
export const SLOW = 540_000;

export async function openSample(page: Page, modality: string, query = '?device=webgpu'): Promise<void> {
  await page.goto(`./${query}`);
  const name = { ct: /^CT/, pet: /^PET/, mri: /^MRI/ }[modality]!;
  await page.getByRole('button', { name }).click();
}

/** Waits until the slice on the screen is restored and measured, and nothing is being done. */
export async function restored(page: Page): Promise<void> {
  await expect(page.getByRole('region', { name: 'Metrics' }).locator('tbody td').nth(1)).toHaveText(/\d/, {
    timeout: SLOW,
  });
  await expect(page.getByRole('progressbar')).toHaveCount(0, { timeout: SLOW });
}

/** The figures in the metrics table: of the slice, not of the volume. */
export async function figures(page: Page, column: 'input' | 'restored'): Promise<Scores> {
  const read = async (name: string) => {
    const row = page.getByRole('region', { name: 'Metrics' }).getByRole('row', { name }).first();
    return Number((await row.getByRole('cell').nth(column === 'input' ? 0 : 1).textContent())!.replace('−', '-'));
  };
  return { psnr: await read('PSNR'), ssim: await read('SSIM'), rmse: await read('RMSE') };
}

/** Drops files or folders as the operating system does. */
export async function dropPaths(page: Page, paths: string[]): Promise<void> {
  // Once the worker has answered, the page listens.
  await expect(page.getByRole('region', { name: 'Device' })).toContainText(/WebGPU|WebAssembly/);
  await page.evaluate(() => {
    const seen = { drops: 0 };
    Object.assign(window, { seen });
    window.addEventListener('drop', () => seen.drops++, { once: true });
  });
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  // A page that is busy may answer "dragOver" too late, and the browser then lets go of the drop.
  await expect(async () => {
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
    }
    expect(await page.evaluate(() => (window as unknown as { seen: { drops: number } }).seen.drops)).toBe(1);
  }).toPass();
  await session.detach();
}

/** Saves through the dialog; the path of what was downloaded, under the name that it came with. */
export async function save(
  page: Page,
  what: 'NIfTI volume' | 'DICOM series' | 'NRRD volume' | 'MetaImage volume' | 'PNG image',
  adjust: (dialog: Locator) => Promise<void> = async () => undefined,
): Promise<string> {
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Save' });
  await dialog.getByRole('radio', { name: what }).check();
  await adjust(dialog);
  const coming = page.waitForEvent('download');
  await dialog.getByRole('button', { name: what === 'DICOM series' ? 'Save as one .zip' : 'Save file' }).click();
  const download = await coming;
  const path = test.info().outputPath(download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** Requests of a page and its workers to anywhere but `origin`, gathered from now on. */
export function requestsElsewhere(page: Page, origin: string): string[] {
  const elsewhere: string[] = [];
  page.context().on('request', (request) => {
    const address = new URL(request.url());
    const inside = address.protocol === 'blob:' || address.protocol === 'data:' || address.origin === origin;
    if (!inside) elsewhere.push(request.url());
  });
  return elsewhere;
}

/** The letters of the first pane. */
export async function letters(page: Page): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const side of ['left', 'right', 'top', 'bottom']) {
    found[side] = (await page.locator(`[data-side="${side}"]`).first().textContent()) ?? '';
  }
  return found;
}

/** What the tiny network is trained with where a test says nothing else: seconds on two processors. */
export interface TinyRun {
  readonly steps: number;
  readonly crop: number;
  readonly batch: number;
  readonly keepEvery: number;
}

export const TINY_RUN: TinyRun = { steps: 30, crop: 32, batch: 2, keepEvery: 5 };

/** Fills in the fine-tuning dialog, which is open or opened here, for a tiny network, and starts it. */
export async function startTiny(page: Page, run: Partial<TinyRun> = {}): Promise<Locator> {
  const { steps, crop, batch, keepEvery } = { ...TINY_RUN, ...run };
  const dialog = page.getByRole('dialog', { name: 'Fine-tune' });
  if (!(await dialog.isVisible())) await page.getByRole('button', { name: 'Fine-tune' }).click();
  await dialog.getByRole('radio', { name: /tiny network from scratch/ }).check();
  await dialog.getByText('Steps and rates').click();
  const numbers = { Steps: steps, 'Crop, pixels': crop, 'Crops a step': batch, 'Keep every': keepEvery };
  for (const [name, value] of Object.entries(numbers)) {
    await dialog.getByRole('spinbutton', { name, exact: true }).fill(String(value));
  }
  await dialog.getByRole('button', { name: 'Start' }).click();
  return dialog;
}

/** Waits until a run has taken so many steps. */
export async function reached(dialog: Locator, step: number): Promise<void> {
  const progress = dialog.getByRole('progressbar', { name: 'Fine-tuning' });
  await expect(async () => {
    expect(Number(await progress.getAttribute('aria-valuenow'))).toBeGreaterThanOrEqual(step);
  }).toPass({ timeout: SLOW, intervals: [100] });
}

/** Loss by step, as the dialog's table says it. */
export async function lossesOf(dialog: Locator): Promise<Map<number, string>> {
  const figures = dialog.locator('details', { hasText: 'Figures' });
  if ((await figures.getAttribute('open')) === null) await figures.locator('summary').click();
  const table = figures.getByRole('table', { name: /^Loss/ });
  await expect(table).toBeVisible();
  const rows = await table.locator('tbody tr').evaluateAll((all) =>
    all.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
  return new Map(rows.map(([step, loss]) => [Number(step), loss!]));
}
