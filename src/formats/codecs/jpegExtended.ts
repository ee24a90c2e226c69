import { FormatError } from '../volume.ts';
import type { DecodedFrame, EncodedFrame } from './codec.ts';
import { interpret } from './frameSamples.ts';
import { inverseDct } from './inverseDct.ts';
import { BitReader, readHuffmanTables } from './jpegHuffman.ts';
import type { HuffmanTable } from './jpegHuffman.ts';
import { MARKER } from './jpegMarkers.ts';
import type { JpegSegment, JpegStream } from './jpegMarkers.ts';

const OPERATION = 'jpeg extended';
const BLOCK = 64;

/** Row · 8 + column of the coefficients in the order in which they are coded (ITU-T T.81, figure A.6). */
const ZIGZAG = (() => {
  const order: number[] = [];
  for (let diagonal = 0; diagonal < 15; diagonal += 1) {
    const cells = Array.from({ length: 8 }, (_, row) => row).filter((row) => diagonal - row >= 0 && diagonal - row < 8);
    if (diagonal % 2 === 0) cells.reverse();
    order.push(...cells.map((row) => row * 8 + diagonal - row));
  }
  return order;
})();

function damaged(): FormatError {
  return new FormatError(`${OPERATION}: the compressed image is damaged or cut short; export or download it again`);
}

/** Quantisation steps in coded order, by destination (B.2.4.1). */
function readQuantisation(content: Uint8Array, tables: (readonly number[] | undefined)[]): void {
  for (let at = 0; at < content.length;) {
    const place = content[at] ?? 0;
    const wide = place >> 4 === 1;
    const bytes = content.subarray(at + 1, at + 1 + (wide ? 2 : 1) * BLOCK);
    at += 1 + (wide ? 2 : 1) * BLOCK;
    if (at > content.length || place >> 4 > 1 || (place & 15) > 3) throw damaged();
    tables[place & 15] = Array.from({ length: BLOCK }, (_, index) =>
      (wide ? ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0) : bytes[index] ?? 0));
  }
}

interface BlockTables {
  readonly dc: HuffmanTable;
  readonly ac: HuffmanTable;
  readonly steps: readonly number[];
}

/** One block of dequantised coefficients (F.2.2). @returns its DC coefficient, which predicts the next one's */
function readBlock(reader: BitReader, { dc, ac, steps }: BlockTables, predicted: number, block: Float64Array): number {
  block.fill(0);
  const length = reader.symbol(dc);
  if (length > 15) throw damaged();
  const level = predicted + reader.difference(length);
  block[0] = level * (steps[0] ?? 0);
  for (let index = 1; index < BLOCK; index += 1) {
    const symbol = reader.symbol(ac);
    const size = symbol & 15;
    if (size === 0) {
      if (symbol !== 0xf0) break;
      index += 15;
      continue;
    }
    index += symbol >> 4;
    if (index >= BLOCK) throw damaged();
    block[ZIGZAG[index] ?? 0] = reader.difference(size) * (steps[index] ?? 0);
  }
  return level;
}

function decodeScan(
  stream: JpegStream, segment: JpegSegment, parts: readonly BlockTables[], interval: number, target: Uint16Array,
): void {
  const { columns, rows, components, precision } = stream;
  const reader = new BitReader(OPERATION, segment.coded);
  const block = new Float64Array(BLOCK);
  const predicted = parts.map(() => 0);
  const middle = 1 << (precision - 1);
  const highest = (1 << precision) - 1;
  const across = Math.ceil(columns / 8);
  const units = across * Math.ceil(rows / 8);
  for (let unit = 0; unit < units; unit += 1) {
    if (interval > 0 && unit > 0 && unit % interval === 0) {
      reader.restart();
      predicted.fill(0);
    }
    const top = Math.floor(unit / across) * 8;
    const left = (unit % across) * 8;
    const height = Math.min(8, rows - top);
    const width = Math.min(8, columns - left);
    parts.forEach((tables, part) => {
      predicted[part] = readBlock(reader, tables, predicted[part] ?? 0, block);
      inverseDct(block);
      for (let y = 0; y < height; y += 1) {
        const first = ((top + y) * columns + left) * components + part;
        for (let x = 0; x < width; x += 1) {
          const value = (block[y * 8 + x] ?? 0) + middle;
          target[first + x * components] = value < 0 ? 0 : value > highest ? highest : value;
        }
      }
    });
  }
}

/**
 * JPEG extended sequential of 12 bits, Huffman coded (ITU-T T.81, process 4; annex F), in one scan and without
 * subsampling.
 *
 * @param count samples in the frame, checked against the stream's header
 * @throws FormatError where the stream is damaged, cut short, or of another kind
 */
export function decodeExtended(frame: EncodedFrame, stream: JpegStream, count: number): DecodedFrame {
  const subsampled = stream.components > 1
    && stream.parts.some(({ horizontal, vertical }) => horizontal !== 1 || vertical !== 1);
  const scan = stream.segments.find(({ marker }) => marker === MARKER.SOS);
  if (!scan || scan.content[0] !== stream.components || subsampled || stream.process !== MARKER.SOF1) {
    throw new FormatError(
      `${OPERATION}: JPEG of ${stream.precision} bits is supported in one sequential scan without subsampling only; ` +
      'export the image again',
    );
  }
  // Every block takes two bits at least.
  const blocks = Math.ceil(stream.columns / 8) * Math.ceil(stream.rows / 8) * stream.components;
  if (scan.coded.length * 4 < blocks) throw damaged();
  const huffman: (HuffmanTable | undefined)[] = [];
  const quantisation: (readonly number[] | undefined)[] = [];
  let interval = 0;
  for (const { marker, content } of stream.segments.slice(0, stream.segments.indexOf(scan))) {
    if (marker === MARKER.DHT) readHuffmanTables(OPERATION, content, huffman);
    if (marker === MARKER.DQT) readQuantisation(content, quantisation);
    if (marker === MARKER.DRI) interval = ((content[0] ?? 0) << 8) | (content[1] ?? 0);
  }
  const parts = stream.parts.map(({ id, quantisation: place }, index): BlockTables => {
    const chosen = scan.content[2 + 2 * index] ?? 0;
    const [dc, ac, steps] = [huffman[(chosen >> 4) & 3], huffman[4 + (chosen & 3)], quantisation[place]];
    if (scan.content[1 + 2 * index] !== id || !dc || !ac || !steps) throw damaged();
    return { dc, ac, steps };
  });
  const values = new Uint16Array(count);
  decodeScan(stream, scan, parts, interval, values);
  const samples = interpret(values, stream.precision, frame, false);
  return { samples, samplesPerPixel: stream.components, rgb: false };
}
