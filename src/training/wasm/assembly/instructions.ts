// What a program in memory is made of; read by the interpreter and written by `../program.ts`, both in 32-bit words.

/** A stage: its items, tokens an item, tokens in all, the address of its instructions, of those that follow the last item. */
export const STAGE_WORDS = 6;
export const ITEMS = 0;
export const BAND = 1;
export const TOTAL = 2;
export const CODE = 3;
export const FINALLY = 4;
/** Not 0 where only the thread that was called may compute it, which can call back. */
export const CALLED_ONLY = 5;

/** What workers tell each other about a stage: the next item to be taken, how many are done. */
export const PROGRESS_WORDS = 2;

/** An instruction's first word is its code, and its length in words from this bit on. */
export const LENGTH_SHIFT = 8;

export const END = 0;
export const LINEAR = 1;
export const WINDOWS = 2;
export const LAYER_NORM = 3;
export const SHIFT = 4;
export const PAD = 5;
export const ADD = 6;
export const MULTIPLY = 7;
export const SCALE = 8;
export const SIGMOID = 9;
export const SQUARED_RELU = 10;
export const CONCAT = 11;
export const SHUFFLE = 12;
export const UNSHUFFLE = 13;
export const MAXIMA = 14;
export const LARGEST = 15;
export const TOTALS = 16;
export const CARRY = 17;
export const SCAN = 18;
export const COLUMN_TOTALS = 19;
export const COLUMN_SCAN = 20;
export const CALL = 21;

/** A chunk's sums in a Bi-WKV: what it adds to those before and after it, each of E v and of E. */
export const SUMS = 4;

/** What threads share beyond a program, in words from `CONTROL` on: see `threads.ts`. */
export const CONTROL = 64;
export const GENERATION = 0;
export const OPEN = 1;
export const ACTIVE = 2;
export const STAGES = 3;
export const STAGE_COUNT = 4;
export const PROGRESS = 5;
/** Where the threads' own memories begin, and the length of each. */
export const OWN = 6;
export const OWN_BYTES = 7;
/** Free from here on. */
export const FREE = 128;
