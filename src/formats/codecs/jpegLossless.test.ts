import { describe, expect, it } from 'vitest';
import { COLUMNS, frameOf, rgb, rgbFrame, ROWS, steps } from './frames.fixture.ts';
import { decodeJpegLossless } from './jpegLossless.ts';

interface Encoding {
  readonly values: readonly number[];
  readonly components: number;
  readonly precision: number;
  /** Lines between restart markers; 0: none. */
  readonly lines: number;
  readonly pointTransform: number;
  /** One scan for each component. */
  readonly separate: boolean;
}

const segment = (marker: number, ...content: readonly number[]): number[] =>
  [0xff, marker, 0, content.length + 2, ...content];

/** Bits to bytes, filled up with ones, a zero byte stuffed after 0xff. */
function packed(bits: string): number[] {
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  const bytes = (whole.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2));
  return bytes.flatMap((byte) => (byte === 255 ? [255, 0] : [byte]));
}

/**
 * An encoder by ITU-T T.81, annex H, with predictor 1 and codes of five bits, each equal to its category: what DCMTK
 * does not write (restarts, point transform, a scan for each component).
 */
function encode({ values, components, precision, lines, pointTransform, separate }: Encoding): Uint8Array {
  const line = COLUMNS * components;
  const at = (index: number): number => (values[index] ?? 0) >> pointTransform;
  const codeOf = (index: number, place: number): string => {
    const row = Math.floor(index / line);
    const fresh = row === 0 || (lines > 0 && row % lines === 0);
    const first = index % line === place;
    const middle = 1 << (precision - pointTransform - 1);
    const predicted = !first ? at(index - components) : fresh ? middle : at(index - line);
    const difference = ((at(index) - predicted) << 16) >> 16;
    const size = difference === -32768 ? 16 : 32 - Math.clz32(Math.abs(difference));
    const extra = difference > 0 ? difference : difference + 2 ** size - 1;
    return size.toString(2).padStart(5, '0') + (size > 0 && size < 16 ? extra.toString(2).padStart(size, '0') : '');
  };
  const scan = (places: readonly number[]): number[] => {
    const bits = Array.from({ length: ROWS }, (_, row) => Array.from({ length: COLUMNS }, (__, column) =>
      places.map((place) => codeOf(row * line + column * components + place, place)).join('')).join(''));
    const count = lines === 0 ? ROWS : lines;
    const parts = Array.from({ length: Math.ceil(ROWS / count) }, (_, part) =>
      bits.slice(part * count, (part + 1) * count).join(''));
    return [
      ...segment(0xda, places.length, ...places.flatMap((place) => [place + 1, 0]), 1, 0, pointTransform),
      ...parts.flatMap((part, index) => [...(index > 0 ? [0xff, 0xd0 + (index - 1) % 8] : []), ...packed(part)]),
    ];
  };
  const places = Array.from({ length: components }, (_, place) => place);
  return Uint8Array.from([
    0xff, 0xd8,
    ...segment(0xc3, precision, 0, ROWS, 0, COLUMNS, components, ...places.flatMap((place) => [place + 1, 0x11, 0])),
    ...segment(0xc4, 0, 0, 0, 0, 0, 17, ...new Array<number>(11).fill(0), ...Array.from({ length: 17 }).keys()),
    ...(lines > 0 ? segment(0xdd, (lines * COLUMNS) >> 8, (lines * COLUMNS) & 255) : []),
    ...(separate ? places.flatMap((place) => scan([place])) : scan(places)),
    0xff, 0xd9,
  ]);
}

const grey: Encoding = {
  values: steps, components: 1, precision: 16, lines: 0, pointTransform: 0, separate: false,
};

describe('JPEG lossless', () => {
  it('adds differences of half the range, modulo 65536', () => {
    const jumps = steps.map((_, index) => (index % 2 === 0 ? 0 : 32768));
    const { samples } = decodeJpegLossless(frameOf(encode({ ...grey, values: jumps })));
    expect(samples).toEqual(Uint16Array.from(jumps));
  });

  it('begins anew after restart markers', () => {
    expect(decodeJpegLossless(frameOf(encode({ ...grey, lines: 5 }))).samples).toEqual(Uint16Array.from(steps));
  });

  it('shifts by the point transform', () => {
    expect(decodeJpegLossless(frameOf(encode({ ...grey, pointTransform: 3 }))).samples)
      .toEqual(Uint16Array.from(steps, (value) => value & ~7));
  });

  it('reads components together and in scans of their own', () => {
    for (const separate of [false, true]) {
      const stream = encode({ ...grey, values: rgb, components: 3, precision: 8, separate, lines: 4 });
      expect(decodeJpegLossless(rgbFrame(stream)).samples).toEqual(Uint8Array.from(rgb));
    }
  });

  it('is refused where a restart marker, a table or a component is missing', () => {
    const restarts = encode({ ...grey, lines: 5 });
    const second = restarts.findIndex((byte, at) => byte === 0xff && restarts[at + 1] === 0xd1);
    expect(() => decodeJpegLossless(frameOf(restarts.filter((_, at) => at !== second && at !== second + 1))))
      .toThrow(/^jpeg lossless: .*(restart|cut short)/);
    const plain = encode(grey);
    const table = plain.findIndex((byte, at) => byte === 0xff && plain[at + 1] === 0xc4);
    const without = plain.slice();
    without[table + 1] = 0xfe;
    expect(() => decodeJpegLossless(frameOf(without))).toThrow(/refers to what is missing/);
    const three = encode({ ...grey, values: rgb, components: 3, precision: 8, separate: true });
    const last = three.findLastIndex((byte, at) => byte === 0xff && three[at + 1] === 0xda);
    expect(() => decodeJpegLossless(rgbFrame(three.slice(0, last)))).toThrow(/found 2 of 3 components/);
  });
});
