/** What turns a frame's bytes into samples; `native` needs no decoder. */
export type CodecName =
  | 'native' | 'uncompressed' | 'deflate' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k';

/** How a DICOM file's data set and pixel data are encoded (PS3.5, annex A). */
export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  /** Value representations are written out; false: implicit VR. */
  readonly explicit: boolean;
  readonly littleEndian: boolean;
  /** The data set after the file meta information is a raw DEFLATE stream. */
  readonly deflated: boolean;
  /** What turns pixel data into samples; null where no decoder is built in. */
  readonly codec: CodecName | null;
}

const native = (
  uid: string, name: string, explicit: boolean, littleEndian: boolean, deflated = false,
): TransferSyntax => ({ uid, name, explicit, littleEndian, deflated, codec: 'native' });

/** Encapsulated syntaxes are all explicit little endian. */
const encapsulated = (uid: string, name: string, codec: CodecName | null): TransferSyntax =>
  ({ uid, name, explicit: true, littleEndian: true, deflated: false, codec });

/** PS3.6, table A-1, still images. */
export const TRANSFER_SYNTAXES: readonly TransferSyntax[] = [
  native('1.2.840.10008.1.2', 'Implicit VR Little Endian', false, true),
  native('1.2.840.10008.1.2.1', 'Explicit VR Little Endian', true, true),
  native('1.2.840.10008.1.2.1.99', 'Deflated Explicit VR Little Endian', true, true, true),
  native('1.2.840.10008.1.2.2', 'Explicit VR Big Endian', true, false),
  encapsulated('1.2.840.10008.1.2.1.98', 'Encapsulated Uncompressed Explicit VR Little Endian', 'uncompressed'),
  encapsulated('1.2.840.10008.1.2.8.1', 'Deflated Image Frame Compression', 'deflate'),
  encapsulated('1.2.840.10008.1.2.5', 'RLE Lossless', 'rle'),
  encapsulated('1.2.840.10008.1.2.4.50', 'JPEG Baseline', 'jpeg'),
  encapsulated('1.2.840.10008.1.2.4.51', 'JPEG Extended', 'jpeg'),
  encapsulated('1.2.840.10008.1.2.4.53', 'JPEG Spectral Selection, Processes 6 and 8', null),
  encapsulated('1.2.840.10008.1.2.4.55', 'JPEG Full Progression, Processes 10 and 12', null),
  encapsulated('1.2.840.10008.1.2.4.57', 'JPEG Lossless', 'jpeg-lossless'),
  encapsulated('1.2.840.10008.1.2.4.70', 'JPEG Lossless SV1', 'jpeg-lossless'),
  encapsulated('1.2.840.10008.1.2.4.80', 'JPEG-LS Lossless', 'jpeg-ls'),
  encapsulated('1.2.840.10008.1.2.4.81', 'JPEG-LS Near-Lossless', 'jpeg-ls'),
  encapsulated('1.2.840.10008.1.2.4.90', 'JPEG 2000 Lossless', 'jpeg-2000'),
  encapsulated('1.2.840.10008.1.2.4.91', 'JPEG 2000', 'jpeg-2000'),
  encapsulated('1.2.840.10008.1.2.4.92', 'JPEG 2000 Part 2 Multi-component Lossless', 'jpeg-2000'),
  encapsulated('1.2.840.10008.1.2.4.93', 'JPEG 2000 Part 2 Multi-component', 'jpeg-2000'),
  encapsulated('1.2.840.10008.1.2.4.110', 'JPEG XL Lossless', null),
  encapsulated('1.2.840.10008.1.2.4.111', 'JPEG XL JPEG Recompression', null),
  encapsulated('1.2.840.10008.1.2.4.112', 'JPEG XL', null),
  encapsulated('1.2.840.10008.1.2.4.201', 'HTJ2K Lossless', 'htj2k'),
  encapsulated('1.2.840.10008.1.2.4.202', 'HTJ2K Lossless RPCL', 'htj2k'),
  encapsulated('1.2.840.10008.1.2.4.203', 'HTJ2K', 'htj2k'),
];

export const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';

/** The table's entry, or one without a decoder under the UID's own name. */
export function transferSyntax(uid: string): TransferSyntax {
  return TRANSFER_SYNTAXES.find((entry) => entry.uid === uid) ?? encapsulated(uid, 'unknown', null);
}
