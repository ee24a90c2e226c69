import { requestDevice } from '../../engine/device.ts';
import { measureDevice, reportOf } from '../../engine/measureDevice.ts';
import type { Contender, Subject } from '../../engine/measureDevice.ts';
import type { CheckState, CheckToWorker } from '../check.ts';
import { checkText } from '../checkText.ts';
import { sentence } from './jobs.ts';
import type { Job } from './jobs.ts';
import { wasmNetwork } from './restorer.ts';
import type { Ground } from './stage.ts';

/** Milliseconds that a case may take: someone waits for it. */
const BUDGET = 90_000;

/**
 * Measures the device, a size after another, and says what there is after each. It is a device of its own: its shaders
 * are compiled anew, and what goes wrong on it is no loss to the viewer. Cancelling keeps what was measured.
 */
export async function checkDevice(ground: Ground, { cases }: CheckToWorker, job: Job): Promise<void> {
  let state: CheckState = { phase: 'running', cases, done: 0, report: null, problem: null };
  const say = (change: Partial<CheckState>) => {
    state = { ...state, ...change };
    ground.post({ type: 'check', check: state });
  };
  const busy = (done: number) => {
    say({ done });
    ground.post({ type: 'busy', work: { state: 'check', done, total: cases.length, left: null } });
  };
  busy(0);
  let device: GPUDevice | undefined;
  try {
    const machine = await ground.machine();
    const onGpu = machine.state.kind === 'webgpu';
    const { chosen } = await ground.models;
    const found = onGpu ? await requestDevice(navigator.gpu) : null;
    device = found?.device;
    const measured = await measureDevice(found, {
      cases,
      budget: BUDGET,
      // As restorations are computed.
      variants: found ? ground.precision.expected(found.device) : undefined,
      half: onGpu && ground.precision.stateOf(machine, chosen).used === 'f16',
      kernels: true,
      readBack: false,
      contenders: onGpu ? undefined : wasmContender,
      progress: busy,
      ends: (measured) => say({ report: reportOf(browser(), measured, null) }),
      cancelled: () => job.cancelled,
    });
    const nothing = measured.cases.length === 0 ? measured.leftOut[0] : undefined;
    say({ problem: job.cancelled ? checkText.cancelled : nothing ? nothing.why : null });
  } catch (error) {
    say({ problem: job.cancelled ? checkText.cancelled : sentence(checkText.name, error) });
  } finally {
    device?.destroy();
    say({ phase: 'ended', done: cases.length });
  }
}

async function wasmContender({ weights, image, size }: Subject): Promise<Contender[]> {
  const network = await wasmNetwork(weights);
  return [{
    name: checkText.onWasm(network.threads),
    peer: false,
    single: true,
    run: async () => (await network.run(image, size, size)).read(),
    dispose: () => network.dispose(),
  }];
}

/** Where Chromium has it; Firefox and Safari only have the user agent's text. */
interface UserAgentData {
  readonly brands: readonly { readonly brand: string; readonly version: string }[];
  readonly platform: string;
}

/** "Chrome 156 on Linux, 8 processors" */
function browser(): string {
  const data = (navigator as Navigator & { userAgentData?: UserAgentData }).userAgentData;
  const brands = data?.brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/[^a-z ]/gi, ' '))) ?? [];
  // Every browser built on it calls itself Chromium, too: its own name says more.
  const brand = brands.find(({ brand }) => brand !== 'Chromium') ?? brands[0];
  const [, named, version] = /(Firefox|Version|Chrome)\/(\d+)/.exec(navigator.userAgent) ?? [];
  const name =
    brand ? `${brand.brand} ${brand.version}`
    : named ? `${named === 'Version' ? 'Safari' : named} ${version}`
    : 'a browser';
  const system = data?.platform || /Windows|Mac OS X|Android|Linux|iPhone|iPad/.exec(navigator.userAgent)?.[0] || '';
  return checkText.browser(name, system, navigator.hardwareConcurrency);
}
