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
  readonly codec: 'native' | null;
}

const native = (
  uid: string, name: string, explicit: boolean, littleEndian: boolean, deflated = false,
): TransferSyntax => ({ uid, name, explicit, littleEndian, deflated, codec: 'native' });

/** Encapsulated syntaxes are all explicit little endian; a decoder is named in `codec` once there is one. */
const encapsulated = (uid: string, name: string): TransferSyntax =>
  ({ uid, name, explicit: true, littleEndian: true, deflated: false, codec: null });

/** PS3.6, table A-1. */
export const TRANSFER_SYNTAXES: readonly TransferSyntax[] = [
  native('1.2.840.10008.1.2', 'Implicit VR Little Endian', false, true),
  native('1.2.840.10008.1.2.1', 'Explicit VR Little Endian', true, true),
  native('1.2.840.10008.1.2.1.99', 'Deflated Explicit VR Little Endian', true, true, true),
  native('1.2.840.10008.1.2.2', 'Explicit VR Big Endian', true, false),
  encapsulated('1.2.840.10008.1.2.5', 'RLE Lossless'),
  encapsulated('1.2.840.10008.1.2.4.50', 'JPEG Baseline'),
  encapsulated('1.2.840.10008.1.2.4.51', 'JPEG Extended'),
  encapsulated('1.2.840.10008.1.2.4.57', 'JPEG Lossless'),
  encapsulated('1.2.840.10008.1.2.4.70', 'JPEG Lossless SV1'),
  encapsulated('1.2.840.10008.1.2.4.80', 'JPEG-LS Lossless'),
  encapsulated('1.2.840.10008.1.2.4.81', 'JPEG-LS Near-Lossless'),
  encapsulated('1.2.840.10008.1.2.4.90', 'JPEG 2000 Lossless'),
  encapsulated('1.2.840.10008.1.2.4.91', 'JPEG 2000'),
  encapsulated('1.2.840.10008.1.2.4.201', 'HTJ2K Lossless'),
  encapsulated('1.2.840.10008.1.2.4.202', 'HTJ2K Lossless RPCL'),
  encapsulated('1.2.840.10008.1.2.4.203', 'HTJ2K'),
];

export const IMPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2';

/** The table's entry, or one without a decoder under the UID's own name. */
export function transferSyntax(uid: string): TransferSyntax {
  return TRANSFER_SYNTAXES.find((entry) => entry.uid === uid) ?? encapsulated(uid, 'unknown');
}
