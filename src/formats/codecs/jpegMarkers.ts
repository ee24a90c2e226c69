import { FormatError } from '../volume.ts';
import type { StreamHeader } from './frameSamples.ts';

/** Marker codes (ITU-T T.81, table B.1; SOF55 and LSE: T.87, table C.1). */
export const MARKER = {
  SOF0: 0xc0, SOF1: 0xc1, SOF2: 0xc2, SOF3: 0xc3, DHT: 0xc4, JPG: 0xc8, DAC: 0xcc, SOF15: 0xcf, RST0: 0xd0, RST7: 0xd7,
  SOI: 0xd8, EOI: 0xd9, SOS: 0xda, DQT: 0xdb, DRI: 0xdd, APP0: 0xe0, APP14: 0xee, SOF55: 0xf7,
} as const;

export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantisation: number;
}

/** A marker segment's content, without marker and length; of a scan, what follows it too. */
export interface JpegSegment {
  readonly marker: number;
  readonly content: Uint8Array;
  /** After SOS: entropy-coded data up to the next marker that is no restart. */
  readonly coded: Uint8Array;
}

export interface JpegStream extends StreamHeader {
  /** Which SOF it has. */
  readonly process: number;
  readonly parts: readonly JpegComponent[];
  /** All segments in order. */
  readonly segments: readonly JpegSegment[];
  /** It ends with EOI. */
  readonly ended: boolean;
}

/** Profiles and comments come in dozens of segments at most, progressive images in as many scans. */
const MAX_SEGMENTS = 4096;
const NOTHING = new Uint8Array(0);

function damaged(operation: string): FormatError {
  return new FormatError(`${operation}: the compressed image is damaged or cut short; export or download it again`);
}

const isFrame = (marker: number): boolean => marker === MARKER.SOF55 || (marker >= MARKER.SOF0
  && marker <= MARKER.SOF15 && marker !== MARKER.DHT && marker !== MARKER.JPG && marker !== MARKER.DAC);

/** Where the entropy-coded data that begins at `at` ends. */
function codedEnd(bytes: Uint8Array, from: number, lossless: boolean): number {
  let at = from;
  for (; at + 1 < bytes.length; at += 1) {
    if (bytes[at] !== 0xff) continue;
    const next = bytes[at + 1] ?? 0;
    // After 0xff, JPEG stuffs a zero byte and JPEG-LS a zero bit.
    const isData = next === 0 || (lossless && next < 0x80) || (next >= MARKER.RST0 && next <= MARKER.RST7);
    if (!isData && next !== 0xff) return at;
  }
  return bytes.length;
}

function frameHeader(operation: string, marker: number, content: Uint8Array) {
  const components = content[5] ?? 0;
  if (content.length < 6 + 3 * components || components === 0) throw damaged(operation);
  const parts = Array.from({ length: components }, (_, index): JpegComponent => {
    const [id = 0, sampling = 0, quantisation = 0] = content.subarray(6 + 3 * index);
    return { id, horizontal: sampling >> 4, vertical: sampling & 15, quantisation };
  });
  if (parts.some(({ horizontal, vertical }) => horizontal < 1 || horizontal > 4 || vertical < 1 || vertical > 4)) {
    throw damaged(operation);
  }
  return {
    process: marker,
    precision: content[0] ?? 0,
    rows: ((content[1] ?? 0) << 8) | (content[2] ?? 0),
    columns: ((content[3] ?? 0) << 8) | (content[4] ?? 0),
    components,
    parts,
  };
}

/**
 * Splits a JPEG or JPEG-LS stream into its segments, without decoding anything.
 *
 * @throws FormatError where the chain of markers breaks, there is no scan, or not exactly one frame header before it
 */
export function readJpegStream(operation: string, bytes: Uint8Array): JpegStream {
  if (bytes[0] !== 0xff || bytes[1] !== MARKER.SOI) throw damaged(operation);
  const segments: JpegSegment[] = [];
  let frame: ReturnType<typeof frameHeader> | null = null;
  let ended = false;
  for (let at = 2; at < bytes.length;) {
    if (bytes[at] !== 0xff) throw damaged(operation);
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === MARKER.EOI) {
      ended = true;
      break;
    }
    const start = at + 4;
    const end = at + 2 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
    if (end < start || end > bytes.length) {
      // What is left after the last scan may be padding, and the end marker was forgotten.
      if (segments.some((segment) => segment.marker === MARKER.SOS) && bytes.length - at < 4) break;
      throw damaged(operation);
    }
    const content = bytes.subarray(start, end);
    if (isFrame(marker)) {
      if (frame) throw damaged(operation);
      frame = frameHeader(operation, marker, content);
    }
    if (marker === MARKER.SOS && !frame) throw damaged(operation);
    at = marker === MARKER.SOS ? codedEnd(bytes, end, frame?.process === MARKER.SOF55) : end;
    if (segments.length === MAX_SEGMENTS) throw damaged(operation);
    segments.push({ marker, content, coded: marker === MARKER.SOS ? bytes.subarray(end, at) : NOTHING });
  }
  if (!frame || !segments.some(({ marker }) => marker === MARKER.SOS)) throw damaged(operation);
  return { ...frame, segments, ended };
}

/** The colour transform that an Adobe segment declares (0: none, 1: YCbCr, 2: YCCK); null without such a segment. */
export function adobeTransform({ segments }: JpegStream): number | null {
  const adobe = segments.find(({ marker, content }) => marker === MARKER.APP14
    && content.length >= 12 && String.fromCharCode(...content.subarray(0, 5)) === 'Adobe');
  return adobe?.content[11] ?? null;
}

/** Whether it has a JFIF header, whose colour images are always YCbCr. */
export function isJfif({ segments }: JpegStream): boolean {
  return segments.some(({ marker, content }) => marker === MARKER.APP0 && content.length >= 14
    && String.fromCharCode(...content.subarray(0, 5)) === 'JFIF\0');
}
