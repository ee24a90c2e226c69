import type { DicomDataSet } from './dicomDataSet.ts';
import type { Element } from 'dicom-parser';

/** From this size on, a kept header loses its large private elements: at most these many bytes of each are worth it. */
const LONG_HEADER = 2 ** 18;
const LONG_ELEMENT = 2 ** 12;
const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

/** VR, and a 16-bit length or, for OB, two reserved bytes and a 32-bit one (PS3.5, section 7.1.2). */
function metaElement(element: number, vr: string, value: Uint8Array): Uint8Array {
  const start = vr === 'OB' ? 12 : 8;
  const bytes = new Uint8Array(start + value.length + value.length % 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 2, true);
  view.setUint16(2, element, true);
  bytes.set([vr.charCodeAt(0), vr.charCodeAt(1)], 4);
  if (vr === 'OB') view.setUint32(8, value.length + value.length % 2, true);
  else view.setUint16(6, value.length + value.length % 2, true);
  bytes.set(value, start);
  return bytes;
}

const ascii = (value: string): Uint8Array => Uint8Array.from(value, (character) => character.charCodeAt(0));

/** The file's own meta elements, with the transfer syntax that the bytes kept are in. */
function metaInformation({ meta, syntax, dataSet }: DicomDataSet): Uint8Array[] {
  // What deflates or inverts the declaration: the stream below is written as it was found to be.
  const uid = syntax.deflated || (syntax.explicit && syntax.uid === '1.2.840.10008.1.2') ? EXPLICIT_LITTLE_ENDIAN
    : !syntax.explicit && syntax.littleEndian ? '1.2.840.10008.1.2' : syntax.uid;
  const own = (tag: string): Uint8Array | null => {
    const element = meta?.dataSet.elements[tag];
    return element && element.length < LONG_ELEMENT
      ? bytesOf(meta.dataSet.byteArray as Uint8Array, element) : null;
  };
  const data = (tag: string): Uint8Array => {
    const element = dataSet.elements[tag];
    return element && element.length < 128 ? bytesOf(dataSet.byteArray as Uint8Array, element) : ascii('');
  };
  const elements = [
    metaElement(1, 'OB', Uint8Array.of(0, 1)),
    metaElement(2, 'UI', own('x00020002') ?? data('x00080016')),
    metaElement(3, 'UI', own('x00020003') ?? data('x00080018')),
    metaElement(0x10, 'UI', ascii(uid)),
    ...([[0x12, 'UI'], [0x13, 'SH'], [0x16, 'AE']] as const).flatMap(([element, vr]) => {
      const value = own(`x000200${element.toString(16)}`);
      return value ? [metaElement(element, vr, value)] : [];
    }),
  ];
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, elements.reduce((sum, { length: bytes }) => sum + bytes, 0), true);
  return [metaElement(0, 'UL', length), ...elements];
}

const bytesOf = (bytes: Uint8Array, { dataOffset, length }: Element): Uint8Array =>
  bytes.subarray(dataOffset, dataOffset + length);

/** Group number of a tag "x00190010"; odd ones are private. */
const isPrivate = (tag: string): boolean => (Number.parseInt(tag.slice(1, 5), 16) & 1) === 1;

/** The data set up to its pixel data; without large private elements where it is long. */
function dataSetParts({ dataSet, bytes, start, elements }: DicomDataSet): Uint8Array[] {
  const whole = bytes.subarray(start, elements.end);
  if (whole.length <= LONG_HEADER) return [whole];
  // An element ends where the next begins; delimiters of undefined lengths lie between.
  const parts: Uint8Array[] = [];
  let from = start;
  for (const [tag, element] of Object.entries(dataSet.elements)) {
    const end = element.dataOffset + element.length;
    if (end > elements.end) break;
    if (!(isPrivate(tag) && element.length > LONG_ELEMENT)) parts.push(bytes.subarray(from, end));
    from = end;
  }
  return parts;
}

/**
 * The header of a file as `DicomSource` wants it, its own copy: preamble, file meta information and the data set up to
 * its pixel data, in the encoding that it was read in (deflated ones inflated). Of headers above 256 KiB, private
 * elements of more than 4 KiB are left out, so that what is kept of a series stays small beside its pixels.
 */
export function headerStream(parsed: DicomDataSet): Uint8Array {
  const preamble = new Uint8Array(132);
  preamble.set(ascii('DICM'), 128);
  const parts = [preamble, ...metaInformation(parsed), ...dataSetParts(parsed)];
  const stream = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    stream.set(part, at);
    at += part.length;
  }
  return stream;
}
