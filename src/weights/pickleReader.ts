import { BufferReader } from 'pickleparser';
import { WeightsError } from './errors.ts';

/** The object description of a 44-block network with its optimiser is about 0.5 MB; the numbers lie elsewhere. */
export const MAX_PICKLE_BYTES = 16 * 2 ** 20;
/** A tensor takes about 30 opcodes. Each makes at most one small object, so this bounds memory to some 200 MB. */
const MAX_OPCODES = 1_000_000;
/** A state_dict has one, for its `_metadata`. pickleparser copies the state, whose size this bounds the use of. */
const MAX_BUILDS = 32;

const PROTO = 0x80;
const BUILD = 'b'.charCodeAt(0);

/**
 * The opcodes (CPython's pickletools) that checkpoints are made of: binary numbers, text, tuples, lists, dicts, sets,
 * the memo, names, calls of allowed names, persistent ids. Left out: text-mode opcodes of protocol 0, instances,
 * extension codes, arbitrary-length integers and out-of-band buffers.
 */
const ALLOWED = new Set([
  // MARK, STOP, POP, POP_MARK, DUP, NONE, numbers, text, bytes, tuples, lists, dicts, GLOBAL, REDUCE, BUILD, memo, id
  ...[...'(.012NJKMGTUXBCt)]lae}sucRbhjqrQ'].map((letter) => letter.charCodeAt(0)),
  PROTO,
  ...[0x85, 0x86, 0x87, 0x88, 0x89, 0x8a], // TUPLE1–3, NEWTRUE, NEWFALSE, LONG1
  ...[0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91], // SHORT_BINUNICODE, BINUNICODE8, BINBYTES8, EMPTY_SET, ADDITEMS, FROZENSET
  ...[0x93, 0x94, 0x95], // STACK_GLOBAL, MEMOIZE, FRAME
]);

/**
 * Feeds pickleparser one pickle, within bounds that the library itself does not keep: lengths are never negative (it
 * would step back and loop), byte strings are copies of the file, opcodes are counted and from a list.
 */
export class PickleReader extends BufferReader {
  #opcodeNext = false;
  #opcodes = 0;
  #builds = 0;

  constructor(bytes: Uint8Array) {
    super(bytes.subarray(0, Math.min(bytes.byteLength, MAX_PICKLE_BYTES)));
  }

  /** pickleparser asks this before each opcode, and only then. */
  override hasNext(): boolean {
    this.#opcodeNext = true;
    return super.hasNext();
  }

  override byte(): number {
    const value = super.byte();
    if (this.#opcodeNext) {
      this.#opcodeNext = false;
      this.#checkOpcode(value);
    }
    return value;
  }

  override bytes(length: number): Uint8Array {
    return new Uint8Array(super.bytes(length));
  }

  override skip(offset: number): void {
    if (!(offset >= 0 && offset <= this.length - this.position)) {
      throw new WeightsError(
        `pytorch: the pickle asks for ${offset} bytes where ${this.length - this.position} are left; ` +
          'the file is damaged or cut short, fetch it again',
      );
    }
    super.skip(offset);
  }

  /** pickleparser's own warns on the console about large values, which are lengths beyond any file. */
  override uint64(): number {
    const low = this.uint32();
    return low + 2 ** 32 * this.uint32();
  }

  #checkOpcode(opcode: number): void {
    if (!ALLOWED.has(opcode)) {
      throw new WeightsError(
        `pytorch: the pickle uses opcode 0x${opcode.toString(16)}, which a checkpoint of weights has no need of; ` +
          'nothing was executed; save the state_dict alone with torch.save',
      );
    }
    this.#opcodes += 1;
    if (opcode === BUILD) this.#builds += 1;
    if (this.#opcodes > MAX_OPCODES || this.#builds > MAX_BUILDS) {
      throw new WeightsError(
        'pytorch: the pickle describes far more objects than a network of weights has; ' +
          'save the state_dict alone with torch.save',
      );
    }
  }
}
