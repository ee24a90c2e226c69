import { autotune, tuningKey, variantsWith } from '../../engine/autotune.ts';
import { choosePrecision, speaksForHalf } from '../../engine/choosePrecision.ts';
import type { EngineOptions } from '../../engine/engine.ts';
import { DeviceError } from '../../engine/errors.ts';
import { HALF_LIMIT, halfDifference } from '../../engine/halfDifference.ts';
import { isSoftware, variantsFor } from '../../kernels/variants.ts';
import type { Variants } from '../../kernels/variants.ts';
import type { NetworkWeights } from '../../weights/networkWeights.ts';
import type { FromWorker } from '../protocol.ts';
import type { PrecisionChoice, PrecisionState, Remembered } from '../precision.ts';
import { precisionText } from '../precisionText.ts';
import type { Machine } from './device.ts';
import { readDevices, writeDevices } from './deviceRecords.ts';
import type { DeviceRecord, ModelRecord } from './deviceRecords.ts';
import type { Model } from './models.ts';

/** What of a machine and a model matters here. */
type Device = Pick<Machine, 'gpu' | 'state'>;
type Weights = Pick<Model, 'id' | 'version' | 'weights'>;

/** A device that did not survive being measured so often is left alone. */
const MOST_UNFINISHED = 2;

/** How restorations are computed on a device: in which precision, with which tiles. Kept over visits. */
export class Precision {
  private readonly post: (message: FromWorker) => void;
  private choice: PrecisionChoice;
  /** The latest is first. */
  private records: readonly DeviceRecord[];
  /** Checks under way, by device and model. */
  private readonly checks = new Map<string, Promise<void>>();
  private measuring = false;
  /** Something went wrong while measuring: not again on this visit. */
  private failed = false;

  constructor(post: (message: FromWorker) => void, { choice, devices }: Remembered) {
    this.post = post;
    this.choice = choice;
    this.records = readDevices(devices);
  }

  choose(choice: PrecisionChoice): void {
    this.choice = choice;
  }

  /** What will probably be asked for, to be compiled while weights are on their way. */
  expected(device: GPUDevice): Variants {
    const found = this.recordOf(device);
    const settled = found?.models.some((known) => this.wants(known, isSoftware(device.adapterInfo))) ?? false;
    const halves = device.features.has('shader-f16') ? 'f16' : 'packed';
    return { ...(this.tiles(device) ?? variantsFor(device)), precision: settled ? halves : 'f32' };
  }

  /**
   * How the model's network is made on a machine. A choice of 16-bit is checked with the model first, once.
   *
   * @param checking hears that the check begins
   * @throws DeviceError where the device is lost
   */
  async optionsFor({ gpu, state }: Device, model: Weights, checking?: () => void): Promise<EngineOptions> {
    if (!gpu) return {};
    await model.weights();
    if (this.choice === 'f16' && !this.modelOf(gpu.device, model)) {
      checking?.();
      await this.check(gpu.device, model);
    }
    const known = this.modelOf(gpu.device, model);
    return { half: known !== null && this.wants(known, state.software), variants: this.tiles(gpu.device) };
  }

  /**
   * Measures what is not known yet of a graphics processor, and of the model on it: the fastest tiles, and both
   * precisions where the choice is automatic.
   *
   * @param interrupted asked in between; what is not measured to its end is forgotten
   * @returns whether something was measured
   */
  async measure({ gpu, state }: Device, model: Weights, interrupted: () => boolean): Promise<boolean> {
    if (!gpu || state.software || this.failed || interrupted()) return false;
    const { device } = gpu;
    const tuned = this.tiles(device) !== undefined;
    const compared = this.choice !== 'auto' || this.isCompared(this.modelOf(device, model));
    const unfinished = this.recordOf(device)?.unfinished ?? 0;
    if ((tuned && compared) || unfinished >= MOST_UNFINISHED) return false;
    const weights = await model.weights();
    // Kept before: should the browser go down with the device, the next visit knows.
    this.keep(device, { unfinished: unfinished + 1 });
    this.measuring = true;
    this.tell({ gpu, state }, model);
    let stopped = false;
    const cancelled = () => (stopped ||= interrupted());
    try {
      if (!tuned) {
        const tuning = await autotune(device, { cancelled });
        if (!cancelled()) this.keep(device, { tuning });
      }
      if (!compared && !cancelled()) {
        const { difference, milliseconds } = await choosePrecision(device, weights, this.tiles(device), cancelled);
        const timed = Number.isFinite(milliseconds.f32) ? milliseconds : null;
        this.keepModel(device, { model: nameOf(model), difference, milliseconds: timed });
      }
      this.keep(device, { unfinished: stopped ? unfinished : 0 });
      return !stopped;
    } catch (error) {
      this.failed = !stopped;
      if (!stopped) throw error;
      this.keep(device, { unfinished });
      return false;
    } finally {
      this.measuring = false;
    }
  }

  /** Says what the next restoration uses, and why. */
  tell(machine: Device, model: Weights | null): void {
    this.post({ type: 'precision', precision: this.stateOf(machine, model) });
  }

  stateOf({ gpu, state }: Device, model: Weights | null): PrecisionState {
    const { choice } = this;
    const { why } = precisionText;
    const says = (used: PrecisionState['used'], words: string) => ({ choice, used, says: words, fixed: gpu === null });
    if (!gpu) return says('f32', why.wasm);
    if (choice === 'f32') return says('f32', why.chosen);
    const known = model && this.modelOf(gpu.device, model);
    if (known && known.difference > HALF_LIMIT) {
      return says('f32', known.difference === Infinity ? why.fails : why.differs(known.difference, HALF_LIMIT));
    }
    if (choice === 'f16') return says('f16', known ? why.checked(known.difference) : why.unchecked);
    if (state.software) return says('f32', why.software);
    if (!known?.milliseconds) {
      const given = this.failed || (this.recordOf(gpu.device)?.unfinished ?? 0) >= MOST_UNFINISHED;
      return says('f32', this.measuring ? why.measuring : given ? why.unfinished : why.undecided);
    }
    const { difference, milliseconds } = known;
    if (!this.wants(known, false)) return says('f32', why.notFaster(milliseconds));
    return says('f16', why.faster(milliseconds.f32 / milliseconds.f16, difference));
  }

  private check(device: GPUDevice, model: Weights): Promise<void> {
    const key = `${tuningKey(device)} ${nameOf(model)}`;
    const known = this.checks.get(key);
    if (known) return known;
    const check = model.weights()
      .then((weights) => checkedDifference(device, weights, this.tiles(device)))
      .then((difference) => this.keepModel(device, { model: nameOf(model), difference, milliseconds: null }))
      .finally(() => this.checks.delete(key));
    this.checks.set(key, check);
    return check;
  }

  /** Whether a model of which that is known is to be restored with in 16 bits. */
  private wants({ difference, milliseconds }: ModelRecord, software: boolean): boolean {
    if (this.choice === 'f16') return difference <= HALF_LIMIT;
    return this.choice === 'auto' && !software && milliseconds !== null && speaksForHalf({ difference, milliseconds });
  }

  private isCompared(known: ModelRecord | null): boolean {
    return known !== null && (known.milliseconds !== null || known.difference > HALF_LIMIT);
  }

  /** Tiles that were measured to be the fastest; undefined where none were. */
  private tiles(device: GPUDevice): Variants | undefined {
    const tuning = this.recordOf(device)?.tuning;
    return tuning ? variantsWith(device, tuning) : undefined;
  }

  private recordOf(device: GPUDevice): DeviceRecord | undefined {
    const key = tuningKey(device);
    return this.records.find((record) => record.key === key);
  }

  private modelOf(device: GPUDevice, model: Weights): ModelRecord | null {
    const name = nameOf(model);
    return this.recordOf(device)?.models.find((known) => known.model === name) ?? null;
  }

  private keepModel(device: GPUDevice, known: ModelRecord): void {
    const others = this.recordOf(device)?.models.filter(({ model }) => model !== known.model) ?? [];
    this.keep(device, { models: [known, ...others] });
  }

  private keep(device: GPUDevice, change: Partial<DeviceRecord>): void {
    const key = tuningKey(device);
    const before = this.recordOf(device) ?? { key, tuning: null, unfinished: 0, models: [] };
    this.records = [{ ...before, ...change }, ...this.records.filter((record) => record.key !== key)];
    this.post({ type: 'remember', devices: writeDevices(this.records) });
  }
}

/** Where the weights are not read yet, nothing is known of them. */
const nameOf = ({ id, version }: Weights): string => version ?? id;

/** Infinity where the device has no float16 at all. */
async function checkedDifference(device: GPUDevice, weights: NetworkWeights, tiles?: Variants): Promise<number> {
  const lost = device.lost.then(({ message, reason }) => {
    throw new DeviceError(`device: the GPU was lost while 16-bit floats were checked (${message || reason}); try again`);
  });
  const difference = await Promise.race([halfDifference(device, weights, tiles), lost]).catch((error: unknown) => {
    if (error instanceof DeviceError) return Infinity;
    throw error;
  });
  // A device that is lost meanwhile looks like float16 that fails, and may be heard of a little later.
  if (difference === Infinity) await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, 100))]);
  return difference;
}
