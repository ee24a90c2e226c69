import { describe, expect, it } from 'vitest';
import { createRunStore } from './runStore.ts';
import type { Folder, RunRecord } from './runStore.ts';

/** Files in memory; writing can be made to fail after a number of bytes, as when the power goes. */
class Disk implements Folder {
  readonly files = new Map<string, Uint8Array>();
  /** Bytes that can still be written. */
  room = Infinity;

  async read(name: string, most: number): Promise<Uint8Array | null> {
    const bytes = this.files.get(name);
    return bytes && bytes.length <= most ? bytes : null;
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const part = bytes.slice(0, Math.min(bytes.length, this.room));
    this.files.set(name, part);
    this.room -= part.length;
    if (part.length < bytes.length) throw new DOMException('the disk is full', 'QuotaExceededError');
  }

  async sizes(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.files].map(([name, { length }]) => [name, length]));
  }

  async remove(name: string): Promise<void> {
    if (this.room <= 0) throw new Error('gone');
    this.files.delete(name);
  }

  copy(room: number): Disk {
    const copy = new Disk();
    for (const [name, bytes] of this.files) copy.files.set(name, bytes);
    copy.room = room;
    return copy;
  }
}

const IMAGES = Uint8Array.of(1, 2, 3);
const checkpoint = (step: number) => Uint8Array.from({ length: 37 }, (_, i) => (step * 7 + i) % 256);

const recordAt = (step: number): RunRecord => ({
  title: 'My tiny network, on brain',
  start: 'tiny',
  origin: 'scratch',
  checkpointEvery: 5,
  validateEvery: 10,
  step,
  steps: 30,
  date: 1_700_000_000_000 + step,
  notices: ['One slice is empty.'],
  history: {
    losses: Array.from({ length: step }, (_, i) => ({ step: i + 1, loss: 1 / (i + 3), rate: 1e-3 })),
    validations: [{ step: 0, psnr: Infinity, ssim: 1, inputPsnr: 26.25, inputSsim: 0.5 }],
  },
  before: 'data:image/png;base64,iVBORw0KGgo=',
});

async function begun(...steps: number[]): Promise<Disk> {
  const disk = new Disk();
  const store = createRunStore(disk);
  await store.begin(IMAGES);
  for (const step of steps) await store.keep(checkpoint(step), recordAt(step));
  return disk;
}

describe('the runs on the disk', () => {
  it('give back the last checkpoint, the images and all figures, bit for bit', async () => {
    const store = createRunStore(await begun(5, 10, 15));
    const { record, checkpoint: bytes, images } = await store.open();
    expect(record).toEqual(recordAt(15));
    expect(bytes).toEqual(checkpoint(15));
    expect(images).toEqual(IMAGES);
    const about = await store.about();
    expect(about).toMatchObject({ step: 15, steps: 30, date: 1_700_000_000_015 });
  });

  it('never take more than two checkpoints', async () => {
    const disk = await begun(5, 10, 15, 20, 25);
    expect([...disk.files.keys()].filter((name) => name.startsWith('checkpoint'))).toHaveLength(2);
  });

  it('keep the last whole checkpoint wherever writing the next one breaks off', async () => {
    const before = await begun(5, 10);
    const whole = before.copy(Infinity);
    await createRunStore(whole).keep(checkpoint(15), recordAt(15));
    const record = (await whole.read('run-a.json', Infinity))!;
    const bytes = checkpoint(15).length + record.length;
    for (let room = 0; room < bytes; room += room < 60 ? 1 : 41) {
      const disk = before.copy(room);
      await expect(createRunStore(disk).keep(checkpoint(15), recordAt(15)), `${room} bytes`).rejects.toThrow();
      const { record: kept, checkpoint: found } = await createRunStore(disk).open();
      expect(kept.step).toBe(10);
      expect(found).toEqual(checkpoint(10));
    }
  });

  it('fall back to the checkpoint before one that was changed afterwards', async () => {
    const disk = await begun(5, 10);
    disk.files.set('checkpoint-b.safetensors', checkpoint(11));
    expect((await createRunStore(disk).open()).record.step).toBe(5);
  });

  it('are gone when a new one begins, so that its images never meet the old weights', async () => {
    const disk = await begun(5);
    const store = createRunStore(disk);
    await store.begin(Uint8Array.of(9));
    expect(await store.about()).toBeNull();
    await expect(store.open()).rejects.toThrow(/forget it and begin a new one$/);
  });

  it('leave nothing behind when they are forgotten', async () => {
    const disk = await begun(5, 10);
    await createRunStore(disk).forget();
    expect(disk.files.size).toBe(0);
  });

  it('are not offered where the record is anything but the record of a run', async () => {
    const good = JSON.parse(new TextDecoder().decode((await begun(5)).files.get('run-a.json')));
    const bad: unknown[] = [
      null, [], 'run', { ...good, format: 'other' }, { ...good, step: 31 }, { ...good, step: -1 },
      { ...good, steps: 1e99 }, { ...good, title: 7 }, { ...good, start: 'huge' }, { ...good, losses: [[1, 2]] }, { ...good, losses: 'many' },
      { ...good, losses: Array.from({ length: 6 }, () => [1, 1, 1]) }, { ...good, validations: [['a', 1, 1, 1, 1]] },
      { ...good, notices: {} }, { ...good, bytes: 36 }, { ...good, imageBytes: 4 }, { ...good, date: 1e300 },
    ];
    for (const json of bad) {
      const disk = await begun(5);
      disk.files.set('run-a.json', new TextEncoder().encode(JSON.stringify(json)));
      expect(await createRunStore(disk).about(), JSON.stringify(json).slice(0, 60)).toBeNull();
    }
    const disk = await begun(5);
    disk.files.set('run-a.json', Uint8Array.of(0xff, 0x7b));
    expect(await createRunStore(disk).about()).toBeNull();
  });

  it('bring no markup and no control characters of a damaged record to the page', async () => {
    const disk = await begun(5);
    const text = new TextDecoder().decode(disk.files.get('run-a.json'));
    const json = { ...JSON.parse(text), title: '<img src=x onerror=alert(1)>\u0000\n' };
    disk.files.set('run-a.json', new TextEncoder().encode(JSON.stringify(json)));
    expect((await createRunStore(disk).about())!.title).not.toMatch(/[<>\p{C}]/u);
    for (const before of [7, 'https://example.org/x.png', 'data:text/html;base64,PGI+', 'data:image/png;base64,A"><b>']) {
      disk.files.set('run-a.json', new TextEncoder().encode(JSON.stringify({ ...json, before })));
      expect((await createRunStore(disk).open()).record.before).toBeNull();
    }
  });
});
