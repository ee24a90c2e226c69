import * as I from './instructions';
import { computeItem, finish, setOwn } from './program';

/*
 * Every thread goes through the same stages and takes items of each until there are none. Whoever does the last one
 * completes the stage; the others wait for that. A thread that comes late, or never, holds nobody up: it finds stages that
 * are complete. So that it does not meet the next run's stages half written, a run waits for the threads that entered it.
 */

/** Looks at a word before a thread goes to sleep, some ten microseconds: most stages take less than to wake up. */
const SPINS = 4000;

const COMPLETE = -1;

@inline
function control(word: i32): usize {
  return I.CONTROL + 4 * word;
}

/** Waits until a word has a value. */
function until(address: usize, value: i32): void {
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(address) === value) return;
  for (;;) {
    const found = atomic.load<i32>(address);
    if (found === value) return;
    atomic.wait<i32>(address, found, -1);
  }
}

function together(stage: usize, progress: usize, called: bool): void {
  const items = load<i32>(stage + 4 * I.ITEMS);
  const done = progress + 4;
  if (called || load<i32>(stage + 4 * I.CALLED_ONLY) === 0) {
    for (;;) {
      const item = atomic.add<i32>(progress, 1);
      if (item >= items) break;
      computeItem(stage, item);
      if (atomic.add<i32>(done, 1) === items - 1) {
        finish(stage);
        atomic.store<i32>(done, COMPLETE);
        atomic.notify(done, -1);
      }
    }
  }
  until(done, COMPLETE);
}

function stages(thread: i32): void {
  setOwn(load<i32>(control(I.OWN)) + thread * load<i32>(control(I.OWN_BYTES)));
  let stage: usize = load<i32>(control(I.STAGES)), progress: usize = load<i32>(control(I.PROGRESS));
  for (let i = load<i32>(control(I.STAGE_COUNT)); i > 0; i--) {
    if (ASC_FEATURE_THREADS) {
      together(stage, progress, thread === 0);
    } else {
      const items = load<i32>(stage + 4 * I.ITEMS);
      for (let item = 0; item < items; item++) computeItem(stage, item);
      finish(stage);
    }
    stage += 4 * I.STAGE_WORDS;
    progress += 4 * I.PROGRESS_WORDS;
  }
}

/** Runs the program that the control words tell of, whose progress words are zeros; returns when it is done. */
export function run(): void {
  if (ASC_FEATURE_THREADS) {
    atomic.store<i32>(control(I.OPEN), 1);
    atomic.add<i32>(control(I.GENERATION), 1);
    atomic.notify(control(I.GENERATION), -1);
    stages(0);
    atomic.store<i32>(control(I.OPEN), 0);
    until(control(I.ACTIVE), 0);
  } else {
    stages(0);
  }
}

/** Never returns: takes part in every run, as thread 1, 2, … */
export function serve(thread: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  let seen = 0;
  for (;;) {
    const generation = atomic.load<i32>(control(I.GENERATION));
    if (generation === seen) {
      atomic.wait<i32>(control(I.GENERATION), seen, -1);
      continue;
    }
    seen = generation;
    atomic.add<i32>(control(I.ACTIVE), 1);
    if (atomic.load<i32>(control(I.OPEN)) === 1) stages(thread);
    atomic.sub<i32>(control(I.ACTIVE), 1);
    atomic.notify(control(I.ACTIVE), -1);
  }
}
