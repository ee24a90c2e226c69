import { TrainingError, type TrainingOptions } from './training.ts';

/** Far beyond any published run; it keeps a damaged checkpoint from asking for memory that is not there. */
const MAX_STEPS = 1e8;
const MAX_BATCH = 1024;
const MAX_CROP = 4096;

/** @throws TrainingError naming the option, what was found and what it can be */
export function checkOptions(options: TrainingOptions): void {
  const { steps, batch, crop, rate, lastRate, seed, clip, parts, recompute = false } = options;
  check('steps', steps, wholeTo(MAX_STEPS)(steps), `a whole number from 1 to ${MAX_STEPS}`);
  check('batch', batch, wholeTo(MAX_BATCH)(batch), `a whole number from 1 to ${MAX_BATCH}`);
  check('crop', crop, wholeTo(MAX_CROP)(crop) && crop % 8 === 0, `a multiple of 8 up to ${MAX_CROP}`);
  check('rate', rate, rate > 0 && rate <= 1, 'a number above 0 and up to 1');
  check('lastRate', lastRate, lastRate >= 0 && lastRate <= 1, 'a number from 0 to 1');
  check('seed', seed, Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, 'a whole number from 0, below 2³²');
  check('clip', clip, clip === null || (clip > 0 && clip < Infinity), 'null or a number above 0');
  check('parts', parts, parts === 'all' || parts === 'decoder', '"all" or "decoder"');
  check('recompute', recompute, typeof recompute === 'boolean', 'true or false');
}

const wholeTo = (most: number) => (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;

function check(name: string, found: unknown, ok: boolean, expected: string): void {
  if (!ok) throw new TrainingError(`training: ${name} is ${String(found).slice(0, 40)}, expected ${expected}`);
}
