import { countMacs } from '../engine/cost.ts';
import { createEngine } from '../engine/engine.ts';
import { floorOf, measureRates, type DeviceRates } from '../engine/floor.ts';
import { FULL, LIGHT } from '../model/config.ts';
import { useTfjsBackend } from '../training/tfjsBackend.ts';
import { createTfjsNetwork } from '../training/tfjsNetwork.ts';
import { hashedParameter, hashedStateDict } from '../weights/hashedWeights.ts';
import type { NetworkWeights } from '../weights/networkWeights.ts';
import { toNetworkWeights } from '../weights/networkWeights.ts';
import { oneOf, parseVerb } from './arguments.ts';
import { benchTraining } from './benchTraining.ts';
import type { WebGpuDevice } from './devices.ts';
import { deviceName, deviceOption, openWebGpu, wasmPaths } from './devices.ts';
import { UsageError } from './errors.ts';
import { machineName, spread, time } from './timing.ts';

/** One way to compute the network, ready to be timed. */
interface Contender {
  readonly name: string;
  /** Computes one image to its end, without or with reading the result back. */
  run(): Promise<unknown>;
  readonly samples: number[];
  /** The first run, with what is compiled lazily. */
  first: number;
}

/** Rounds after two warm-ups; contenders take turns, so that other load on the machine hits all alike. */
const ROUNDS = 10;

/**
 * `bench [--json] [--size N] [--variant light|full] [--device gpu|software|wasm]`: one image through the engine and,
 * on the same device and in the same run, through stock tfjs operators; also tfjs on wasm. Seeded weights and image.
 * `bench --training [--batch N] [--crop N] [--json] [--device gpu|software]`: one step of training instead.
 */
export async function bench(args: string[]): Promise<number> {
  const { values } = parseVerb('bench', args, {
    json: { type: 'boolean' }, size: { type: 'string' }, variant: { type: 'string' }, device: { type: 'string' },
    training: { type: 'boolean' }, batch: { type: 'string' }, crop: { type: 'string' },
  });
  if (values.training) return benchTraining(values);
  const size = Number(values.size ?? 128);
  if (!Number.isInteger(size) || size < 8 || size % 8 !== 0 || size > 4096) {
    throw new UsageError(`bench: --size is "${values.size}"; it can be a multiple of 8 up to 4096`);
  }
  const variant = oneOf('variant', values.variant, ['light', 'full'] as const) ?? 'light';
  const choice = deviceOption(values.device);
  const config = variant === 'light' ? LIGHT : FULL;
  const weights = toNetworkWeights(hashedStateDict(config, 0), config);
  const image = Float32Array.from(hashedParameter('image', [size * size], 0), (value) => 0.5 + 0.5 * value);

  const contenders: Contender[] = [];
  const add = (name: string, run: () => Promise<unknown>) => contenders.push({ name, run, samples: [], first: 0 });
  let adapter: string | null = null;
  let prepare: number | null = null;
  let bytes: number | null = null;
  let rates: DeviceRates | null = null;
  if (choice !== 'wasm') {
    const found = await openWebGpu(choice);
    adapter = deviceName(found);
    // Timed whole, whatever it takes: tiles would be another computation.
    const engine = createEngine(found.device, weights, { memory: Infinity });
    const start = performance.now();
    ({ plan: { bytes } } = await engine.prepare(size, size));
    prepare = performance.now() - start;
    rates = await measureRates(found.device);
    add('engine, on the device', async () => {
      await engine.run(image, size, size);
      await found.device.queue.onSubmittedWorkDone();
    });
    add('engine, with read-back', () => engine.restore(image, size, size));
    add('stock tfjs-webgpu, with read-back', await stockTfjs(weights, image, size, found));
  }
  add('tfjs-wasm, with read-back', await stockTfjs(weights, image, size, null));

  for (const contender of contenders) {
    contender.first = await time(contender.run);
    await contender.run();
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) contender.samples.push(await time(contender.run));
  }

  const macs = countMacs(config, size, size);
  const floor = rates && floorOf(config, size, size, rates);
  const cases = contenders.map(({ name, samples, first }) => ({ name, first, min: Math.min(...samples), ...spread(samples) }));
  const machine = machineName();
  if (values.json) {
    console.log(JSON.stringify({ variant, size, machine, adapter, prepare, bytes, rates, floor, flops: 2 * macs, rounds: ROUNDS, cases }));
    return 0;
  }
  console.log(`${variant}, ${size}×${size}, ${(2 * macs / 1e9).toFixed(2)} GFLOP; ${machine}`);
  if (adapter) {
    console.log(`adapter: ${adapter}`);
    console.log(`prepare ${prepare!.toFixed(0)} ms, activations ${(bytes! / 2 ** 20).toFixed(1)} MiB`);
  }
  for (const { name, first, min, median, deviation } of cases) {
    const speed = (2 * macs) / median / 1e6;
    console.log(
      `${name.padEnd(36)} median ${median.toFixed(1)} ± ${deviation.toFixed(1)} ms, min ${min.toFixed(1)}, ` +
      `first ${first.toFixed(0)}; ${speed.toFixed(1)} GFLOP/s`,
    );
  }
  const median = (name: string) => cases.find((one) => one.name.startsWith(name))?.median;
  const [ours, stock] = [median('engine, with'), median('stock')];
  const alone = median('engine, on');
  if (floor && rates && alone) {
    console.log(
      `floor: ${(floor.flops / 1e9).toFixed(1)} GFLOP at ${(rates.flopsPerSecond / 1e9).toFixed(1)} GFLOP/s, ` +
      `${(floor.bytes / 1e9).toFixed(2)} GB at ${(rates.bytesPerSecond / 1e9).toFixed(1)} GB/s, ` +
      `so ${floor.milliseconds.toFixed(2)} ms at the least; the engine takes ${(alone / floor.milliseconds).toFixed(1)} times that`,
    );
  }
  if (ours && stock) console.log(`engine / stock tfjs-webgpu: ${(ours / stock).toFixed(3)}`);
  return 0;
}

/** The network on tfjs: on our device, or on wasm. The backend is switched as the contenders take turns. */
async function stockTfjs(weights: NetworkWeights, image: Float32Array, size: number, gpu: WebGpuDevice | null) {
  if (gpu) await useTfjsBackend('webgpu', { device: gpu.device, adapterInfo: gpu.adapter.info });
  else await useTfjsBackend('wasm', { wasmPaths: wasmPaths() });
  const network = createTfjsNetwork(weights);
  return () => network.restore(image, size, size);
}
