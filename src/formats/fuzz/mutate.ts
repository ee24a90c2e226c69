/** A seeded source of whole numbers below `limit` (mulberry32): the same seed damages the same bytes everywhere. */
export type Dice = (limit: number) => number;

export function dice(seed: number): Dice {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  };
}

/** Headers lie at the front: half of all damage is done there. */
const FRONT = 2048;
/** What a length field is made to claim: nothing, one, the limits of 16 and 32 bits, and 2 GB. */
const LIES = [0, 1, 0x7f, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const place = (roll: Dice, length: number): number =>
  roll(2) === 0 ? roll(Math.min(FRONT, length)) : roll(length);

type Mutation = (bytes: Uint8Array, roll: Dice, other: Uint8Array) => Uint8Array;

function flipBits(bytes: Uint8Array, roll: Dice): Uint8Array {
  for (let left = 1 + roll(8); left > 0; left -= 1) bytes[place(roll, bytes.length)]! ^= 1 << roll(8);
  return bytes;
}

function truncate(bytes: Uint8Array, roll: Dice): Uint8Array {
  return bytes.subarray(0, place(roll, bytes.length));
}

/** Overwrites 16 or 32 bits, in either byte order, at an even place, where formats keep their lengths. */
function lieAboutLength(bytes: Uint8Array, roll: Dice): Uint8Array {
  const wide = roll(2) === 0;
  const at = place(roll, Math.max(1, bytes.length - 4)) & ~1;
  if (at + 4 > bytes.length) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lie = LIES[roll(LIES.length)]!;
  const littleEndian = roll(4) > 0;
  if (wide) view.setUint32(at, lie, littleEndian);
  else view.setUint16(at, lie & 0xffff, littleEndian);
  return bytes;
}

/** Digits are how text headers and DICOM's decimal strings give sizes. */
function changeDigit(bytes: Uint8Array, roll: Dice): Uint8Array {
  const start = place(roll, bytes.length);
  for (let at = start; at < Math.min(bytes.length, start + 512); at += 1) {
    const isDigit = bytes[at]! >= 0x30 && bytes[at]! <= 0x39;
    if (!isDigit) continue;
    bytes[at] = '0123456789-.eE,\\ '.charCodeAt(roll(17));
    return bytes;
  }
  return bytes;
}

function blank(bytes: Uint8Array, roll: Dice): Uint8Array {
  const start = place(roll, bytes.length);
  return bytes.fill(roll(2) * 255, start, start + 1 + roll(64));
}

function repeatPart(bytes: Uint8Array, roll: Dice): Uint8Array {
  const start = place(roll, bytes.length);
  const part = bytes.slice(start, start + 1 + roll(256));
  const at = place(roll, bytes.length);
  const longer = new Uint8Array(bytes.length + part.length);
  longer.set(bytes.subarray(0, at));
  longer.set(part, at);
  longer.set(bytes.subarray(at), at + part.length);
  return longer;
}

function cutOut(bytes: Uint8Array, roll: Dice): Uint8Array {
  const at = place(roll, bytes.length);
  const gone = 1 + roll(64);
  const shorter = new Uint8Array(Math.max(0, bytes.length - gone));
  shorter.set(bytes.subarray(0, at).subarray(0, shorter.length));
  if (at + gone < bytes.length) shorter.set(bytes.subarray(at + gone), at);
  return shorter;
}

/** The front of one file with the rest of another. */
function graft(bytes: Uint8Array, roll: Dice, other: Uint8Array): Uint8Array {
  const at = place(roll, bytes.length);
  bytes.set(other.subarray(at, bytes.length), Math.min(at, bytes.length));
  return bytes;
}

/** Lies and flips more often than the rest. */
const MUTATIONS: readonly Mutation[] = [
  flipBits, flipBits, lieAboutLength, lieAboutLength, lieAboutLength, changeDigit, changeDigit, truncate, blank,
  repeatPart, cutOut, graft,
];

/** A damaged copy of a file: one to three kinds of damage, chosen by the dice. */
export function mutate(bytes: Uint8Array, other: Uint8Array, roll: Dice): Uint8Array {
  let damaged: Uint8Array = bytes.slice();
  for (let left = 1 + roll(3); left > 0 && damaged.length > 0; left -= 1) {
    damaged = MUTATIONS[roll(MUTATIONS.length)]!(damaged, roll, other);
  }
  return damaged;
}
