import { FormatError } from '../volume.ts';

const MAX_LENGTH = 16;
/** Four destinations of two classes. */
const MAX_TABLES = 8;

/**
 * A Huffman table (ITU-T T.81, annex C): for every 16 bits that may come next, the code's length in the high byte and
 * its symbol in the low one; 0 where no code begins so.
 */
export type HuffmanTable = Uint16Array;

/**
 * Reads the tables of a DHT segment (B.2.4.2) into `tables`, which is indexed by class (0 DC or lossless, 1 AC) · 4 +
 * destination.
 *
 * @throws FormatError where the segment is cut short or its codes do not fit
 */
export function readHuffmanTables(
  operation: string, content: Uint8Array, tables: (HuffmanTable | undefined)[],
): void {
  for (let at = 0, read = 0; at < content.length; read += 1) {
    const place = content[at] ?? 0;
    const counts = content.subarray(at + 1, at + 1 + MAX_LENGTH);
    const symbols = counts.reduce((sum, count) => sum + count, 0);
    at += 1 + MAX_LENGTH;
    const whole = counts.length === MAX_LENGTH && symbols <= 256 && at + symbols <= content.length;
    if (read === MAX_TABLES || (place & 0xec) !== 0 || !whole) {
      throw new FormatError(`${operation}: a Huffman table is damaged; export or download the file again`);
    }
    const table = new Uint16Array(1 << MAX_LENGTH);
    let code = 0;
    counts.forEach((count, index) => {
      const length = index + 1;
      const span = 1 << (MAX_LENGTH - length);
      if (code + count * span > table.length) {
        throw new FormatError(`${operation}: a Huffman table is damaged; export or download the file again`);
      }
      for (let symbol = 0; symbol < count; symbol += 1, at += 1, code += span) {
        table.fill((length << 8) | (content[at] ?? 0), code, code + span);
      }
    });
    tables[(place >> 4) * 4 + (place & 3)] = table;
  }
}

/** Reads the bits of entropy-coded data (F.2.2.5), between restart markers. */
export class BitReader {
  private readonly operation: string;
  private readonly bytes: Uint8Array;
  private at = 0;
  private bits = 0;
  private count = 0;
  /** Of `count`, zero bits that stand for what lies beyond the end. */
  private beyond = 0;

  constructor(operation: string, bytes: Uint8Array) {
    this.operation = operation;
    this.bytes = bytes;
  }

  private fill(): void {
    while (this.count <= 16) {
      let byte = this.bytes[this.at];
      const stuffed = byte === 0xff;
      if (byte === undefined || (stuffed && this.bytes[this.at + 1] !== 0)) {
        byte = 0;
        this.beyond += 8;
      } else {
        this.at += stuffed ? 2 : 1;
      }
      this.bits = ((this.bits << 8) | byte) & 0xffffff;
      this.count += 8;
    }
  }

  private drop(length: number): void {
    this.count -= length;
    if (this.count < this.beyond) {
      throw new FormatError(`${this.operation}: the compressed image is cut short; export or download it again`);
    }
  }

  /** The next symbol. @throws FormatError where no code matches or the data is at its end */
  symbol(table: HuffmanTable): number {
    if (this.count < MAX_LENGTH) this.fill();
    const entry = table[(this.bits >> (this.count - MAX_LENGTH)) & 0xffff] ?? 0;
    if (entry === 0) {
      throw new FormatError(`${this.operation}: the compressed image is damaged; export or download it again`);
    }
    this.drop(entry >> 8);
    return entry & 0xff;
  }

  /** A number of `length` (0 to 16) bits that stands for a signed difference (F.2.2.1, EXTEND). */
  difference(length: number): number {
    if (length === 0) return 0;
    if (this.count < length) this.fill();
    const value = (this.bits >> (this.count - length)) & ((1 << length) - 1);
    this.drop(length);
    return value < 1 << (length - 1) ? value - (1 << length) + 1 : value;
  }

  /** Goes on after the next restart marker. @throws FormatError where none follows here */
  restart(): void {
    // Whole bytes may have been read ahead, but never past a marker.
    while (this.at < this.bytes.length) {
      const [first, second = 0] = this.bytes.subarray(this.at, this.at + 2);
      if (first === 0xff && second >= 0xd0 && second <= 0xd7) {
        this.at += 2;
        this.bits = 0;
        this.count = 0;
        this.beyond = 0;
        return;
      }
      this.at += first === 0xff && second === 0 ? 2 : 1;
    }
    throw new FormatError(`${this.operation}: a restart marker is missing; the file is damaged, export it again`);
  }
}
