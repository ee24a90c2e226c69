import { FormatError } from '../volume.ts';
import type { Codec } from './codec.ts';
import { checkStream, interpret } from './frameSamples.ts';
import { BitReader, readHuffmanTables } from './jpegHuffman.ts';
import type { HuffmanTable } from './jpegHuffman.ts';
import { MARKER, readJpegStream } from './jpegMarkers.ts';
import type { JpegSegment, JpegStream } from './jpegMarkers.ts';

const OPERATION = 'jpeg lossless';

/** A predictor by left, above and above-left neighbours (ITU-T T.81, table H.1). */
type Predictor = (left: number, above: number, corner: number) => number;

const PREDICTORS: readonly (Predictor | null)[] = [
  null,
  (left) => left,
  (_, above) => above,
  (_, __, corner) => corner,
  (left, above, corner) => left + above - corner,
  (left, above, corner) => left + ((above - corner) >> 1),
  (left, above, corner) => above + ((left - corner) >> 1),
  (left, above) => (left + above) >> 1,
];

interface Scan {
  /** Places of its components among the pixel's samples, and their tables. */
  readonly parts: readonly { readonly place: number; readonly table: HuffmanTable }[];
  readonly predictor: Predictor;
  readonly pointTransform: number;
}

function scanOf(stream: JpegStream, content: Uint8Array, tables: readonly (HuffmanTable | undefined)[]): Scan {
  const count = content[0] ?? 0;
  const predictor = PREDICTORS[content[1 + 2 * count] ?? 0];
  const pointTransform = (content[3 + 2 * count] ?? 0) & 15;
  const parts = Array.from({ length: count }, (_, index) => ({
    place: stream.parts.findIndex(({ id }) => id === content[1 + 2 * index]),
    table: tables[((content[2 + 2 * index] ?? 0) >> 4) & 3],
  }));
  if (!predictor || count < 1 || content.length < 4 + 2 * count || pointTransform >= stream.precision) {
    throw new FormatError(`${OPERATION}: a scan's header is damaged; export or download the file again`);
  }
  return {
    predictor,
    pointTransform,
    parts: parts.map(({ place, table }) => {
      if (place < 0 || !table) {
        throw new FormatError(`${OPERATION}: a scan refers to what is missing; the file is damaged, export it again`);
      }
      return { place, table };
    }),
  };
}

/** Differences are added to predictions modulo 2^16 (H.1.2.1); lines are whole restart intervals. */
function decodeScan(stream: JpegStream, segment: JpegSegment, scan: Scan, interval: number, target: Uint16Array): void {
  const { columns, rows, components, precision } = stream;
  const { parts, predictor, pointTransform } = scan;
  if (interval % columns !== 0) {
    throw new FormatError(`${OPERATION}: restarts within a line are not supported; export the image again`);
  }
  const reader = new BitReader(OPERATION, segment.coded);
  const middle = 1 << (precision - pointTransform - 1);
  const linesPerRestart = interval / columns;
  const line = columns * components;
  for (let row = 0, fresh = true; row < rows; row += 1, fresh = false) {
    if (row > 0 && linesPerRestart > 0 && row % linesPerRestart === 0) {
      reader.restart();
      fresh = true;
    }
    for (let column = 0; column < columns; column += 1) {
      for (const { place, table } of parts) {
        const at = row * line + column * components + place;
        const left = target[at - components] ?? 0;
        const above = target[at - line] ?? 0;
        const prediction = fresh ? (column === 0 ? middle : left)
          : column === 0 ? above : predictor(left, above, target[at - line - components] ?? 0);
        const length = reader.symbol(table);
        if (length > 16) {
          throw new FormatError(`${OPERATION}: the compressed image is damaged; export or download it again`);
        }
        // Category 16 has no further bits (table H.2).
        target[at] = prediction + (length === 16 ? 32768 : reader.difference(length));
      }
    }
  }
}

/**
 * JPEG lossless, Huffman coded (ITU-T T.81, process 14; annex H), of 2 to 16 bits, with any of the seven predictors.
 *
 * @throws FormatError where the stream is of another process, damaged, cut short, or contradicts the DICOM header
 */
export const decodeJpegLossless: Codec = (frame) => {
  const stream = readJpegStream(OPERATION, frame.bytes);
  if (stream.process !== MARKER.SOF3) {
    throw new FormatError(
      `${OPERATION}: found JPEG process SOF${stream.process - MARKER.SOF0}, expected SOF3 (lossless, Huffman); ` +
      'export the image again',
    );
  }
  const count = checkStream(OPERATION, frame, stream);
  // The sampling factors of a single component mean nothing.
  const subsampled = stream.components > 1
    && stream.parts.some(({ horizontal, vertical }) => horizontal !== 1 || vertical !== 1);
  if (subsampled || stream.precision < 2 || stream.precision > 16) {
    throw new FormatError(
      `${OPERATION}: ${stream.precision} bits${subsampled ? ' with subsampled colour' : ''} are not supported, ` +
      'expected 2 to 16 with all samples; export the image again',
    );
  }
  // Every sample takes a bit at least.
  if (frame.bytes.length * 8 < count) {
    throw new FormatError(`${OPERATION}: the compressed image is cut short; export or download it again`);
  }
  const values = new Uint16Array(count);
  const tables: (HuffmanTable | undefined)[] = [];
  const seen = new Set<number>();
  let interval = 0;
  for (const segment of stream.segments) {
    const { marker, content } = segment;
    if (marker === MARKER.DHT) readHuffmanTables(OPERATION, content, tables);
    if (marker === MARKER.DRI) interval = ((content[0] ?? 0) << 8) | (content[1] ?? 0);
    if (marker !== MARKER.SOS) continue;
    const scan = scanOf(stream, content, tables);
    if (scan.parts.some(({ place }) => seen.has(place))) {
      throw new FormatError(`${OPERATION}: a component is there twice; the file is damaged, export it again`);
    }
    decodeScan(stream, segment, scan, interval, values);
    for (const { place } of scan.parts) {
      seen.add(place);
      if (scan.pointTransform === 0) continue;
      for (let at = place; at < count; at += stream.components) values[at] = (values[at] ?? 0) << scan.pointTransform;
    }
  }
  if (seen.size !== stream.components) {
    throw new FormatError(`${OPERATION}: found ${seen.size} of ${stream.components} components; export the file again`);
  }
  const samples = interpret(values, stream.precision, frame, true);
  return { samples, samplesPerPixel: stream.components, rgb: false };
};
