import type { Variants } from '../kernels/variants.ts';
import { FULL, LIGHT } from '../model/config.ts';
import { hashedParameter, hashedStateDict } from '../weights/hashedWeights.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { countMacs } from './cost.ts';
import type { RequestedDevice } from './device.ts';
import { ON_DEVICE, REPORT_KIND, REPORT_SCHEMA } from './deviceReport.ts';
import type { AdapterReport, BenchCase, CaseReport, DeviceReport, LeftOut, Timing, TrainingReport } from './deviceReport.ts';
import { createEngine } from './engine.ts';
import { DeviceError } from './errors.ts';
import { floorOf, measureRates, type DeviceRates, type Floor } from './floor.ts';
import { groupKernels } from './kernelReport.ts';
import type { Plan } from './plan.ts';
import { profile, type KernelTime } from './profile.ts';
import { spread } from './spread.ts';

/** One way to compute the image, ready to be timed. */
export interface Contender {
  readonly name: string;
  readonly peer: boolean;
  /** Computes the image to its end, `images` times where a single one is too short to be timed. */
  run(images: number): Promise<unknown>;
  /** What waits for every image by itself is timed by single images. */
  readonly single?: boolean;
  dispose?(): void;
}

/** A case with what it computes: seeded, so that anyone computes the same. */
export interface Subject extends BenchCase {
  readonly weights: NetworkWeights;
  /** [size · size] in [0, 1] */
  readonly image: Float32Array;
}

export interface MeasureOptions {
  readonly cases: readonly BenchCase[];
  /** Milliseconds that a case may take; what would take longer is left out. */
  readonly budget: number;
  /** Bytes of activations that an image may take; what would be cut into tiles is left out. */
  readonly memory?: number;
  /** Tile shapes; by default those for the device. */
  readonly variants?: Variants;
  /** Whether activations are stored as float16. */
  readonly half?: boolean;
  /** Whether to time kernels. */
  readonly kernels: boolean;
  /** Whether to time the engine with reading the result back, too. */
  readonly readBack: boolean;
  /** Who else computes a case; they take turns, so that other load on the machine hits all alike. */
  contenders?(subject: Subject): Promise<readonly Contender[]>;
  /** How many of the cases are done; a part of one counts by its part. */
  progress?(done: number): void;
  /** After each case: what there is so far. */
  ends?(measured: Measured): void;
  /** Asked between images. */
  cancelled?(): boolean;
}

export interface Measured {
  readonly adapter: AdapterReport | null;
  readonly cases: readonly CaseReport[];
  readonly leftOut: readonly LeftOut[];
}

/** What was measured today on a machine, as it is shared. */
export const reportOf = (machine: string, measured: Measured, training: TrainingReport | null): DeviceReport => ({
  kind: REPORT_KIND, schema: REPORT_SCHEMA, date: new Date().toISOString().slice(0, 10), machine, ...measured, training,
});

/** Rounds after two warm-ups: at most, and at least where the budget is short. */
const ROUNDS = 10;
const LEAST_ROUNDS = 3;
/** Rounds beyond the least end after this part of the budget. */
const ENOUGH = 0.4;
const WARM_UPS = 2;
/** Images are timed several at a time until they take so long (ms): waiting for the device has a price of its own. */
const LONG_ENOUGH = 100;
const MOST_IMAGES = 64;
/** About the parts of a case's time after which rounds begin, and after which kernels are timed. */
const RUN_IN = 0.2;
const KERNELS_FROM = 0.75;
/** Milliseconds between contenders: threads of the one before may spin for a while, waiting for more. */
const REST = 100;
/** Runs of which the kernels' times are the medians. */
const PROFILES = 5;

const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'] as const;

/** Why a case is not measured; its message is a clause. */
class LeftOutError extends Error {}

/**
 * Times images through seeded networks on a device: prepared, run without and with reading back, kernel by kernel, and
 * held against the least time that the device's own rates allow.
 *
 * @param found null: only the contenders are timed
 * @throws DeviceError where the device is lost before anything is measured
 */
export async function measureDevice(found: RequestedDevice | null, options: MeasureOptions): Promise<Measured> {
  const leftOut: LeftOut[] = [];
  const bench = new Bench(found, options, leftOut);
  const adapter = await bench.adapter();
  const cases: CaseReport[] = [];
  for (const [i, { variant, size }] of options.cases.entries()) {
    bench.begin(i);
    try {
      cases.push(await bench.measure({ variant, size }));
    } catch (error) {
      if (!(error instanceof LeftOutError || error instanceof DeviceError)) throw error;
      leftOut.push({ variant, size, why: error.message });
    }
    options.ends?.({ adapter, cases: [...cases], leftOut: [...leftOut] });
  }
  return { adapter, cases, leftOut };
}

class Bench {
  private readonly found: RequestedDevice | null;
  private readonly options: MeasureOptions;
  private readonly leftOut: LeftOut[];
  private readonly half: boolean;
  /** Rejects when the device is lost. */
  private readonly lost: Promise<never>;
  private lostMessage: string | null = null;
  private rates: DeviceRates | null = null;
  /** The fastest way of the last case that was measured. */
  private known: { readonly flops: number; readonly milliseconds: number } | null = null;
  private cold = true;
  private index = 0;
  private rest = 0;
  private weights: { readonly variant: string; readonly weights: NetworkWeights } | null = null;

  constructor(found: RequestedDevice | null, options: MeasureOptions, leftOut: LeftOut[]) {
    this.found = found;
    this.options = options;
    this.leftOut = leftOut;
    this.half = options.half ?? false;
    const lost = found?.device.lost ?? new Promise<never>(() => undefined);
    this.lost = lost.then(({ message, reason }) => {
      this.lostMessage = `device: the GPU was lost while it was measured (${message || reason}); reload and try again`;
      throw new DeviceError(this.lostMessage);
    });
    this.lost.catch(() => undefined); // heard in `unlessLost`
  }

  /** The next case is the one with that number. */
  begin(index: number): void {
    this.index = index;
    this.options.progress?.(index);
  }

  async adapter(): Promise<AdapterReport | null> {
    if (!this.found) return null;
    const { device, description } = this.found;
    this.rates = await this.unlessLost(measureRates(device));
    const features = FEATURES.filter((name) => device.features.has(name));
    return { ...description, features, precision: this.half ? 'f16' : 'f32', rates: this.rates };
  }

  async measure({ variant, size }: BenchCase): Promise<CaseReport> {
    this.proceed();
    const config = variant === 'light' ? LIGHT : FULL;
    const flops = 2 * countMacs(config, size, size);
    const floor = this.rates && floorOf(config, size, size, this.rates, this.half);
    const scaled = this.known ? (this.known.milliseconds * flops) / this.known.flops : 0;
    this.expectAffordable(Math.max(floor?.milliseconds ?? 0, scaled));
    if (this.weights?.variant !== variant) {
      this.weights = { variant, weights: toNetworkWeights(hashedStateDict(config, 0), config) };
    }
    const image = Float32Array.from(hashedParameter('image', [size * size], 0), (value) => 0.5 + 0.5 * value);
    const subject: Subject = { variant, size, weights: this.weights.weights, image };
    const contenders: Contender[] = [];
    try {
      const prepared = floor && await this.prepare(subject, floor, contenders);
      contenders.push(...(await this.options.contenders?.(subject) ?? []));
      this.options.progress?.(this.index + RUN_IN / 2);
      const timings = await this.takeTurns(contenders, { variant, size });
      const fastest = Math.min(...timings.filter(({ peer }) => !peer).map(({ median }) => median));
      this.known = { flops, milliseconds: fastest };
      const plan = prepared && { ...prepared.report, kernels: await this.kernels(prepared.plan, fastest) };
      return { variant, size, flops, plan, timings };
    } finally {
      for (const contender of contenders) contender.dispose?.();
    }
  }

  private async prepare({ weights, image, size }: Subject, floor: Floor, contenders: Contender[]) {
    const { device } = this.found!;
    const engine = createEngine(device, weights, { variants: this.options.variants, memory: this.options.memory, half: this.half });
    contenders.push({
      name: ON_DEVICE,
      peer: false,
      async run(images) {
        for (let i = 0; i < images; i++) await engine.run(image, size, size);
        await device.queue.onSubmittedWorkDone();
      },
      dispose: () => engine.dispose(),
    });
    if (this.options.readBack) {
      const run = () => engine.restore(image, size, size);
      contenders.push({ name: 'engine, with read-back', peer: false, single: true, run });
    }
    const start = performance.now();
    const { tiles, plan } = await this.unlessLost(engine.prepare(size, size));
    const prepare = performance.now() - start;
    const cold = this.cold;
    this.cold = false;
    if (tiles.length > 1) {
      throw new LeftOutError(`the whole image does not fit, it would be computed in ${tiles.length} parts`);
    }
    return { plan, report: { prepare, cold, dispatches: plan.steps.length, bytes: plan.bytes, floor } };
  }

  /** First runs, warm-ups, then rounds as the budget allows. */
  private async takeTurns(contenders: readonly Contender[], of: BenchCase): Promise<Timing[]> {
    const begun = performance.now();
    this.rest = contenders.length > 1 ? REST : 0;
    const timed: { contender: Contender; images: number; first: number; samples: number[] }[] = [];
    for (const contender of contenders) {
      const first = await this.time(contender, 1);
      try {
        const more = WARM_UPS - 1 + LEAST_ROUNDS;
        // Some drivers compile a kernel when it first runs: an image that took long is tried again.
        const again = first * more > this.options.budget && first * 2 <= this.options.budget;
        this.expectAffordable(again ? await this.time(contender, 1) : first, more);
      } catch (error) {
        if (!contender.peer) throw error;
        this.leftOut.push({ ...of, why: `${contender.name}, where ${(error as Error).message}` });
        continue;
      }
      timed.push({ contender, first, images: await this.imagesFor(contender), samples: [] });
    }
    let rounds = ROUNDS;
    this.options.progress?.(this.index + RUN_IN);
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      for (const { contender, images, samples } of timed) samples.push(await this.time(contender, images));
      this.options.progress?.(this.index + RUN_IN + (KERNELS_FROM - RUN_IN) * ((round + 1) / rounds));
      const [now, turn] = [performance.now(), performance.now() - start];
      const affordable = round + 1 + Math.floor((ENOUGH * this.options.budget - (now - begun)) / turn);
      rounds = Math.max(LEAST_ROUNDS, Math.min(rounds, affordable));
    }
    return timed.map(({ contender: { name, peer }, first, samples }) => ({
      name, peer, first, min: Math.min(...samples), ...spread(samples), rounds: samples.length,
    }));
  }

  /** Milliseconds an image. */
  private async time(contender: Contender, images: number): Promise<number> {
    // What else the thread has to hear, a Cancel above all, is heard in between.
    await new Promise((resolve) => setTimeout(resolve, this.rest));
    this.proceed();
    const start = performance.now();
    await this.unlessLost(contender.run(images));
    return (performance.now() - start) / images;
  }

  /** How many images at a time make a sample long enough; warms up. */
  private async imagesFor(contender: Contender): Promise<number> {
    for (let images = 1; ; images *= 2) {
      const milliseconds = images * (await this.time(contender, images));
      if (contender.single || milliseconds >= LONG_ENOUGH || images >= MOST_IMAGES) return images;
    }
  }

  private async kernels(plan: Plan, milliseconds: number) {
    const { device } = this.found!;
    if (!this.options.kernels) return null;
    const runs: KernelTime[][] = [];
    const times = Math.max(1, Math.min(PROFILES, Math.floor(this.options.budget / 5 / milliseconds)));
    for (let i = 0; i < times; i++) {
      this.proceed();
      const run = await this.unlessLost(profile(device, plan));
      if (!run) return null;
      runs.push(run);
      this.options.progress?.(this.index + KERNELS_FROM + (1 - KERNELS_FROM) * ((i + 1) / (times + 1)));
    }
    return groupKernels(runs);
  }

  /** @throws LeftOutError where images of that length do not fit the budget */
  private expectAffordable(milliseconds: number, images = WARM_UPS + LEAST_ROUNDS): void {
    const { budget } = this.options;
    if (milliseconds * images <= budget) return;
    const seconds = (of: number) => `${of < 10_000 ? (of / 1000).toFixed(1) : Math.round(of / 1000)} s`;
    throw new LeftOutError(
      `an image takes about ${seconds(milliseconds)}, and ${images} of them more than the ${seconds(budget)} given`,
    );
  }

  private proceed(): void {
    if (this.lostMessage !== null) throw new DeviceError(this.lostMessage);
    if (this.options.cancelled?.()) throw new LeftOutError('cancelled');
  }

  /** A lost device answers everything at once, or never. */
  private async unlessLost<Result>(work: Promise<Result>): Promise<Result> {
    const result = await Promise.race([work, this.lost]).catch(async (error: unknown) => {
      // What was under way may hear of the loss first.
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 100)), this.lost.catch(() => undefined)]);
      throw this.lostMessage === null ? error : new DeviceError(this.lostMessage);
    });
    if (this.lostMessage !== null) throw new DeviceError(this.lostMessage);
    return result;
  }
}
