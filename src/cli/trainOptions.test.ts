import { describe, expect, test } from 'vitest';
import { DEFAULT_OPTIONS } from '../training/training.ts';
import { UsageError } from './errors.ts';
import { openTrainingDevice } from './trainDevice.ts';
import { parseTrain } from './trainOptions.ts';

const NEEDED = ['--data', 'd', '--task', 'mri', '--steps', '9', '--out', 'o.safetensors'];
const run = (...args: string[]) => parseTrain([...NEEDED, ...args]).run(null);

describe('the arguments of train', () => {
  test('left out, are the paper\'s and the starter\'s', () => {
    expect(run()).toEqual({
      options: { ...DEFAULT_OPTIONS, steps: 9 },
      lesson: { shares: { mri: 1 }, strength: { mri: 4 }, noise: 0, gain: { mri: [0.25 / 0.6, 0.95 / 0.6] } },
    });
    expect(run('--task', 'ct').lesson).toEqual({ shares: { ct: 1 }, strength: { ct: 0.25 }, noise: 0, gain: {} });
  });

  test('are taken as given', () => {
    const { options } = run(
      '--batch', '3', '--crop', '64', '--rate', '1e-3', '--last-rate', '1e-5', '--seed', '7', '--clip', '0.5', '--parts', 'decoder',
      '--recompute',
    );
    expect(options).toEqual({
      steps: 9, batch: 3, crop: 64, rate: 1e-3, lastRate: 1e-5, seed: 7, clip: 0.5, parts: 'decoder', recompute: true,
    });
  });

  test('say shares and strengths by task', () => {
    expect(run('--task', 'all', '--shares', 'ct=1,pet=1,mri=2', '--strength', 'pet=4', '--gain', '0.5,2').lesson).toEqual({
      shares: { ct: 1, pet: 1, mri: 2 }, strength: { ct: 0.25, pet: 4, mri: 4 }, noise: 0, gain: { mri: [0.5, 2] },
    });
    expect(run('--strength', '2', '--gain', 'none').lesson).toMatchObject({ strength: { mri: 2 }, gain: {} });
    expect(run('--task', 'all', '--strength', 'ct=0.25/0.05,mri=2/4').lesson.strength).toEqual({ ct: [0.25, 0.05], pet: 12, mri: [2, 4] });
    expect(parseTrain([...NEEDED, '--reference', 'r', '--reference', 's']).references).toEqual(['r', 's']);
    expect(run('--reference', 'r').lesson.strength).toBeNull();
  });

  test('of a run that is resumed are its own, and may be said again', () => {
    const begun = run('--task', 'all', '--shares', 'mri=2', '--clip', '3', '--recompute');
    const resume = (...args: string[]) => parseTrain(['--data', 'd', '--out', 'o', '--resume', 'c', ...args]).run(begun);
    expect(resume()).toEqual(begun);
    expect(resume('--task', 'all', '--steps', '9', '--clip', '3')).toEqual(begun);
    expect(() => resume('--clip', 'none')).toThrow('train: clip is null, but the run that is resumed has 3');
    expect(() => resume('--task', 'pet')).toThrow(/shares is {"pet":1}/);
    expect(() => resume('--reference', 'r')).toThrow(/strength is null/);
  });

  test.for([
    [['--steps', '0'], /steps is 0/], [['--crop', '20'], /crop is 20, expected a multiple of 8/], [['--rate', 'fast'], /--rate is "fast", not a number/],
    [['--strength', '3'], /resolution divided by 3 is not simulated/],
    [['--strength', '4/3'], /resolution divided by 3 is not simulated/], [['--strength', '4/'], /--strength is "4\/"/], [['--noise', '2'], /noise 2 is not a share/],
    [['--gain', '2,1'], /--gain is "2,1"/], [['--gain', '1,x'], /--gain is "1,x"/], [['--shares', 'ct=1'], /--shares is "ct=1"; say mri=N/],
    [['--shares', 'mri=-1'], /--shares is "mri=-1"/], [['--task', 'xray'], /--task is "xray"/], [['--checkpoint-every', '1.5'], /--checkpoint-every is "1.5"/],
    [['--weights', 'x.pth', '--variant', 'tiny'], /--weights has a variant already/], [['--reference', 'r', '--validation', 'v'], /held out of the pairs/],
    [['--reference', 'r', '--strength', '2'], /--strength is for simulated inputs/], [['folder'], /folder stands alone/],
  ] as const)('%o are wrong usage, in one sentence', ([args, message]) => {
    const attempt = () => run(...args);
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(message);
  });

  test.for(['--task', '--steps'])('without %s are wrong usage', (option) => {
    const at = NEEDED.indexOf(option);
    expect(() => parseTrain(NEEDED.toSpliced(at, 2))).toThrow(`train: ${option} is missing`);
  });

  test('name a device with gradients', async () => {
    await expect(openTrainingDevice('cpu')).rejects.toThrow(/--device cpu has no gradients; choose gpu, software or wasm/);
  });
});
