import { pipelineFor } from '../kernels/pipeline.ts';
import { isSoftware, variantsFor, type Variants } from '../kernels/variants.ts';
import { LIGHT } from '../model/config.ts';
import { hashedParameter, hashedStateDict } from '../weights/hashedWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { hashedName } from '../weights/seededHash.ts';
import { assignBuffers } from './buffers.ts';
import { lookupIn, readBack } from './engine.ts';
import { DeviceError, MemoryError } from './errors.ts';
import { fusionFor } from './fusionFor.ts';
import type { Node } from './graph.ts';
import { lower, type Lowered } from './lower.ts';
import { networkGraph } from './networkGraph.ts';
import { bytesOf, compile, encode, WeightBuffers, type Plan } from './plan.ts';
import { spread } from './spread.ts';

/** Kernels that are chosen together; a family's dispatches have labels that begin with one of these words. */
const FAMILIES = {
  shift: ['shiftedNorm', 'shiftedLinear', 'shiftedMix', 'layerNorm', 'omniShift', 'linear', 'channelMix'],
  linear: ['linear'],
  biWkv: ['biWkv'],
  channelMix: ['channelMix'],
  conv: ['conv'],
} as const;
export type Family = keyof typeof FAMILIES;

/** Another way to tile a family's kernels. */
export interface Candidate {
  readonly family: Family;
  readonly name: string;
  readonly change: Partial<Variants>;
}

const linear = (by: 'Registers' | 'Workgroup', tokens: number, outputs: number): Candidate => ({
  family: 'linear', name: `${by.toLowerCase()} ${tokens}×${outputs}`,
  change: { linear: { entryPoint: `through${by}`, tokens, outputs } },
});
const biWkv = (lane: 'f32' | 'vec4f', chunk: number, block: number, whole: number): Candidate => ({
  family: 'biWkv', name: `${lane}, chunks of ${chunk}, blocks of ${block}, whole to ${whole}`,
  change: { biWkv: { lane, chunk, block, segments: 16, whole } },
});
const channelMix = (tokens: number): Candidate => ({
  family: 'channelMix', name: `workgroup ${tokens}`, change: { channelMix: { entryPoint: 'throughWorkgroup', tokens } },
});
const apart = (pixels: number, lanes: number): Candidate => ({
  family: 'shift', name: `apart, ${pixels} pixels, ${lanes} lanes`,
  change: { shift: 'apart', omniShift: { pixels, rows: 1 }, layerNorm: { lanes } },
});
const joined: Candidate = { family: 'shift', name: 'joined', change: { shift: 'joined' } };
const conv = (pixels: number, outputs: number): Candidate => ({
  family: 'conv', name: `${pixels}×${outputs}`, change: { conv: { pixels, outputs, subgroups: false } },
});

/**
 * What is tried: first how kernels are fused, then those that take most of the time. All keep to what WebGPU promises, 16
 * KiB of workgroup memory and 256 threads. Channel mix through memory would take 1.4 times the activations.
 */
export const CANDIDATES: readonly Candidate[] = [
  joined, apart(4, 4), apart(8, 4), apart(4, 1),
  linear('Workgroup', 8, 2), linear('Workgroup', 4, 2), linear('Workgroup', 4, 1), linear('Workgroup', 16, 1),
  linear('Registers', 4, 2), linear('Registers', 8, 1), linear('Registers', 4, 4),
  biWkv('f32', 32, 4, 256), biWkv('f32', 64, 8, 256), biWkv('f32', 16, 4, 128), biWkv('f32', 16, 4, 0),
  biWkv('vec4f', 16, 4, 128), biWkv('vec4f', 32, 4, 128), biWkv('f32', 16, 8, 256),
  channelMix(4), channelMix(2), channelMix(12),
  conv(8, 1), conv(4, 2), conv(2, 1), conv(2, 2),
];

export interface Choice {
  readonly family: Family;
  readonly name: string;
  /** How many times as fast as the default the family's kernels were. */
  readonly gain: number;
}

/** What was found to be faster than the default on a device: plain JSON, to be remembered by `tuningKey`. */
export interface Tuning {
  readonly schema: 1;
  /** False where time was up, or it was cancelled, before everything was tried. */
  readonly complete: boolean;
  /** How many times as fast as with the default a whole image was. */
  readonly gain: number;
  /** One for a family at most; families without one keep the default. */
  readonly choices: readonly Choice[];
}

/** A candidate that was tried: its gain over the best one before it, or why it is out. */
export interface Trial {
  readonly candidate: Candidate;
  readonly gain: number | null;
  readonly verdict: 'chosen' | 'not faster' | 'not compiled' | 'other results' | 'more memory';
}

/** Milliseconds that the steps of a plan take so many times over. */
export type Stopwatch = (plan: Plan, times: number, variants: Variants) => Promise<number>;

export interface AutotuneOptions {
  /** Milliseconds beyond what the default's own pipelines take, which are needed anyway; 2000. */
  readonly budget?: number;
  /** Asked between trials; then nothing is chosen. */
  readonly cancelled?: () => boolean;
  /** What is held against; by default that for the device. Its activations are best in f32. */
  readonly base?: Variants;
  readonly candidates?: readonly Candidate[];
  /** Edge of the image; by default as large as the device computes in some milliseconds. */
  readonly size?: number;
  /** Tunes software devices, too, whose default is as good as it gets. */
  readonly force?: boolean;
  /** After each trial. */
  readonly tried?: (trial: Trial) => void;
  readonly stopwatch?: Stopwatch;
}

const BUDGET = 2000;
/** Parts of the budget after which nothing more is compiled, and nothing more tried. */
const COMPILING = 0.5;
const TRYING = 0.8;
/** Candidates compiled at a time: those under way cannot be called back. */
const COMPILERS = 4;
const SIZES = [128, 256, 512] as const;
/** Milliseconds an image: slower devices are tuned with the next smaller one, faster ones with the next larger. */
const SLOW = 20;
const FAST = 4;
/** A sample takes at least so long (ms), or so many repetitions. */
const SAMPLE = 6;
const MOST_TIMES = 64;
const ROUNDS = 7;
/** A candidate slower than the best after so many rounds is out. */
const LEAST_ROUNDS = 3;
/** Times as fast as the best that a candidate must be: less may be noise. */
const WORTH = 1 / 0.95;
/** Results in [0, 1] may differ by so much. */
const TOLERANCE = 1e-4;
/** Times the default's activations that a candidate may take. */
const MEMORY = 1.1;

const unchanged = (complete: boolean): Tuning => ({ schema: 1, complete, gain: 1, choices: [] });

/**
 * Tries other tile shapes than the default's on the device: family by family, each candidate in turns with the best so
 * far, on a seeded image through the seeded light network. The result holds what won by a clear margin, if a whole image
 * is faster with all of it; on software devices it holds nothing.
 *
 * @throws DeviceError where the device is lost meanwhile, or cannot run the default
 */
export async function autotune(device: GPUDevice, options: AutotuneOptions = {}): Promise<Tuning> {
  if (isSoftware(device.adapterInfo) && !options.force) return unchanged(true);
  const tuner = new Tuner(device, options);
  try {
    return await tuner.tune();
  } finally {
    tuner.destroy();
  }
}

/** The device's default with the choices in place of its own. */
export const variantsWith = (device: GPUDevice, { choices }: Tuning): Variants =>
  choices.reduce((variants, { family, name }) => ({ ...variants, ...known(family, name)?.change }), variantsFor(device));

const known = (family: unknown, name: unknown): Candidate | undefined =>
  CANDIDATES.find((candidate) => candidate.family === family && candidate.name === name);

/** A tuning out of what was remembered, which may be anything; null where it is none, or names unknown candidates. */
export function readTuning(value: unknown): Tuning | null {
  const fields = recordOf(value);
  if (fields?.['schema'] !== 1 || typeof fields['complete'] !== 'boolean') return null;
  const { complete, gain, choices } = fields;
  if (!isGain(gain) || !Array.isArray(choices) || choices.length > Object.keys(FAMILIES).length) return null;
  const read: Choice[] = [];
  for (const entry of choices as unknown[]) {
    const choice = recordOf(entry);
    const candidate = known(choice?.['family'], choice?.['name']);
    const times = choice?.['gain'];
    if (!candidate || !isGain(times) || read.some(({ family }) => family === candidate.family)) return null;
    read.push({ family: candidate.family, name: candidate.name, gain: times });
  }
  return { schema: 1, complete, gain, choices: read };
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> | null =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : null;
const isGain = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value > 0;

const shaders = import.meta.glob<string>(
  ['../../shaders/{linear,biWkv,channelMix,shifted*,layerNorm,omniShift,conv}.wgsl', '../../shaders/lib/*.wgsl'],
  { query: '?raw', import: 'default', eager: true },
);
let version: number | null = null;

/** What a tuning holds for: the adapter and its driver as far as they are told, the candidates and their shaders. */
export function tuningKey({ adapterInfo }: Pick<GPUDevice, 'adapterInfo'>): string {
  version ??= hashedName(JSON.stringify([CANDIDATES, shaders]));
  const { vendor, architecture, device, description } = adapterInfo;
  return [vendor, architecture, device, description, version].join(' | ');
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

type Runner = Readonly<{ variants: Variants; plan: Plan }>;
class Tuner {
  private readonly device: GPUDevice;
  private readonly options: AutotuneOptions;
  private readonly base: Variants;
  private readonly candidates: readonly Candidate[];
  private readonly weights = toNetworkWeights(hashedStateDict(LIGHT, 0), LIGHT);
  private readonly buffers: WeightBuffers;
  private readonly stopwatch: Stopwatch;
  private readonly plans = new Set<Plan>();
  /** Recorded and fused, by size and fusion. */
  private readonly graphs = new Map<string, Node>();
  /** Rejects when the device is lost. */
  private readonly lost: Promise<never>;
  private size = 0;
  private image = new Float32Array();
  private expected = new Float32Array();

  constructor(device: GPUDevice, options: AutotuneOptions) {
    this.device = device;
    this.options = options;
    this.base = options.base ?? variantsFor(device);
    this.candidates = options.candidates ?? CANDIDATES;
    this.buffers = new WeightBuffers(device);
    this.stopwatch = options.stopwatch ?? ((plan, times) => onTheDevice(device, plan, times));
    this.lost = device.lost.then(({ message, reason }) => {
      throw new DeviceError(`device: the GPU was lost while it was tuned (${message || reason}); reload and try again`);
    });
    this.lost.catch(() => undefined); // heard in `unlessLost`
  }

  async tune(): Promise<Tuning> {
    const { budget = BUDGET, tried } = this.options;
    let best = await this.prepareBase();
    const begun = performance.now();
    const spent = () => (performance.now() - begun) / budget;
    const ready = await this.compileAhead(() => spent() < COMPILING, COMPILING * budget);
    const most = MEMORY * best.plan.bytes;
    const choices = new Map<Family, Choice>();
    let complete = true;
    for (const candidate of this.candidates) {
      if (this.options.cancelled?.()) return unchanged(false);
      if (spent() > TRYING || !ready.has(candidate)) {
        complete = false;
        continue;
      }
      const { winner, ...trial } = await this.try(candidate, best, most);
      tried?.({ candidate, ...trial });
      if (!winner || trial.gain === null) continue;
      const { family, name } = candidate;
      choices.set(family, { family, name, gain: trial.gain * (choices.get(family)?.gain ?? 1) });
      this.release(best.plan);
      best = winner;
    }
    if (choices.size === 0) return unchanged(complete);
    // Alone each was faster; together, among all the others, they must be so, too.
    const plan = await this.unlessLost(this.plan());
    await this.run(plan);
    const gain = await this.gainOf({ variants: this.base, plan }, best, ROUNDS);
    if (this.options.cancelled?.()) return unchanged(false);
    return gain > 1 ? { schema: 1, complete, gain, choices: [...choices.values()] } : unchanged(complete);
  }

  destroy(): void {
    for (const plan of this.plans) plan.destroy();
    this.buffers.destroy();
  }

  /** The default's plan, for an image that takes some milliseconds. */
  private async prepareBase(): Promise<Runner> {
    const { size } = this.options;
    const prepared = async (edge: number): Promise<Runner> => {
      this.size = edge;
      this.image = Float32Array.from(hashedParameter('image', [edge * edge], 0), (value) => 0.5 + 0.5 * value);
      const runner = { variants: this.base, plan: await this.unlessLost(this.plan()) };
      this.expected = await this.run(runner.plan);
      return runner;
    };
    const first = await prepared(size ?? SIZES[1]);
    if (size) return first;
    // Clocks rise while it runs.
    const milliseconds = Math.min(await this.time(first, 1), await this.time(first, 1), await this.time(first, 1));
    if (milliseconds >= FAST && milliseconds <= SLOW) return first;
    this.release(first.plan);
    return prepared(milliseconds < FAST ? SIZES[2] : SIZES[0]);
  }

  /** Compiles what the candidates need, several at a time, for as long as is given. */
  private async compileAhead(proceed: () => boolean, milliseconds: number): Promise<ReadonlySet<Candidate>> {
    const ready = new Set<Candidate>();
    const waiting = this.candidates[Symbol.iterator]();
    const compiler = async () => {
      for (const candidate of waiting) {
        if (!proceed() || this.options.cancelled?.()) return;
        const { dispatches } = this.program({ ...this.base, ...candidate.change });
        await Promise.allSettled(dispatches.map((dispatch) => pipelineFor(this.device, dispatch)));
        ready.add(candidate);
      }
    };
    await this.unlessLost(Promise.race([sleep(milliseconds), Promise.all(Array.from({ length: COMPILERS }, compiler))]));
    return new Set(ready);
  }

  /** A candidate against the best so far: its plan where it won. */
  private async try(
    { family, change }: Candidate, best: Runner, most: number,
  ): Promise<Omit<Trial, 'candidate'> & { winner?: Runner }> {
    const variants = { ...best.variants, ...change };
    const program = this.program(variants);
    if (bytesOf(assignBuffers(program.dispatches)) > most) return { gain: null, verdict: 'more memory' };
    let plan: Plan, result: Float32Array;
    try {
      plan = await this.unlessLost(this.plan(program));
      result = await this.run(plan);
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      await this.expectThere();
      return { gain: null, verdict: error instanceof MemoryError ? 'more memory' : 'not compiled' };
    }
    const rival = { variants, plan };
    const differs = result.some((value, i) => !(Math.abs(value - this.expected[i]!) <= TOLERANCE));
    const gain = differs ? null : await this.gainOf(part(best, family), part(rival, family), LEAST_ROUNDS);
    if (gain !== null && gain >= WORTH) return { gain, verdict: 'chosen', winner: rival };
    this.release(plan);
    return { gain, verdict: differs ? 'other results' : 'not faster' };
  }

  /** How many times as fast the second is, from the medians of rounds in turns, which end when it is behind. */
  private async gainOf(first: Runner, second: Runner, least: number): Promise<number> {
    if (second.plan.steps.length === 0) return 1;
    const once = await this.time(first, 1);
    const times = Math.min(MOST_TIMES, Math.max(1, Math.ceil(SAMPLE / Math.max(once, 1e-3))));
    const samples: [number[], number[]] = [[], []];
    let gain = 1;
    for (let round = 0; round < ROUNDS; round++) {
      // Each begins as often as the other: clocks that rise or fall meanwhile favour neither.
      for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        samples[which].push(await this.time([first, second][which]!, times));
      }
      gain = spread(samples[0]).median / spread(samples[1]).median;
      if (round + 1 >= least && gain < 1) break;
      if (this.options.cancelled?.()) return 1;
    }
    return gain;
  }

  private time = ({ plan, variants }: Runner, times: number) => this.unlessLost(this.stopwatch(plan, times, variants));

  private program(variants: Variants): Lowered {
    const fusion = fusionFor(variants);
    const key = JSON.stringify([this.size, fusion]);
    const lookup = lookupIn(this.weights.tensors);
    const graph = this.graphs.get(key) ?? networkGraph(LIGHT, (path) => lookup(path).shape, this.size, this.size, fusion);
    this.graphs.set(key, graph);
    return lower(graph, lookup, variants);
  }

  private async plan(program = this.program(this.base)): Promise<Plan> {
    const plan = await compile(this.device, program, this.buffers);
    this.plans.add(plan);
    return plan;
  }

  private release(plan: Plan): void {
    this.plans.delete(plan);
    plan.destroy();
  }

  private async run(plan: Plan): Promise<Float32Array<ArrayBuffer>> {
    this.device.queue.writeBuffer(plan.inputs.get('image')!.buffer, 0, this.image);
    const encoder = this.device.createCommandEncoder();
    encode(encoder, plan);
    this.device.queue.submit([encoder.finish()]);
    return this.unlessLost(readBack(this.device, plan.output)) as Promise<Float32Array<ArrayBuffer>>;
  }

  /** A lost device answers everything at once, or never; what is under way may hear of the loss first. */
  private async unlessLost<Result>(work: Promise<Result>): Promise<Result> {
    const result = await Promise.race([this.lost, work]).catch(async (error: unknown) => {
      await this.expectThere();
      throw error;
    });
    return Promise.race([this.lost, Promise.resolve(result)]);
  }

  private expectThere = (): Promise<void> => Promise.race([this.lost, sleep(100)]);
}

/** A runner with the steps of a family only. */
function part({ variants, plan }: Runner, family: Family): Runner {
  const words: readonly string[] = FAMILIES[family];
  return { variants, plan: { ...plan, steps: plan.steps.filter(({ label }) => words.includes(label.split(' ', 1)[0]!)) } };
}

async function onTheDevice(device: GPUDevice, plan: Plan, times: number): Promise<number> {
  const encoder = device.createCommandEncoder();
  for (let i = 0; i < times; i++) encode(encoder, plan);
  const commands = encoder.finish();
  const start = performance.now();
  device.queue.submit([commands]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - start;
}
