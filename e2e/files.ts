import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

/** Image files written by hand from the formats' specifications, so that no reader of the app is asked about them. */

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** Native value at (column, row, slice). */
  value(column: number, row: number, slice: number): number;
}

/** NIfTI-1, int16, gzipped; `srow` are the three rows of the affine, `pixdim` mm along i, j, k. */
export function niftiGz(grid: Grid, pixdim: number[], srow: number[][]): Buffer {
  const { columns, rows, slices, value } = grid;
  const bytes = Buffer.alloc(352 + columns * rows * slices * 2);
  bytes.writeInt32LE(348, 0);
  [3, columns, rows, slices, 1, 1, 1, 1].forEach((size, i) => bytes.writeInt16LE(size, 40 + 2 * i));
  bytes.writeInt16LE(4, 70);
  bytes.writeInt16LE(16, 72);
  [1, ...pixdim].forEach((mm, i) => bytes.writeFloatLE(mm, 76 + 4 * i));
  bytes.writeFloatLE(352, 108);
  bytes.writeFloatLE(1, 112);
  bytes.writeUInt8(2, 123);
  bytes.writeInt16LE(1, 254);
  srow.flat().forEach((entry, i) => bytes.writeFloatLE(entry, 280 + 4 * i));
  bytes.write('n+1\0', 344, 'latin1');
  for (let k = 0, at = 352; k < slices; k++) {
    for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++, at += 2) bytes.writeInt16LE(value(i, j, k), at);
  }
  return gzipSync(bytes);
}

/** One CT slice as DICOM, explicit little endian, int16 with intercept −1024. Positions and directions in LPS. */
export function dicomCt(
  grid: Grid,
  slice: number,
  place: { spacing: [number, number]; directions: number[]; position: number[]; thickness: number },
): Buffer {
  const { columns, rows, value } = grid;
  const pixels = Buffer.alloc(columns * rows * 2);
  for (let j = 0, at = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++, at += 2) pixels.writeInt16LE(value(i, j, slice) + 1024, at);
  }
  const us = (n: number) => Buffer.from(Uint16Array.of(n).buffer);
  const data = [
    element(0x0008, 0x0016, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
    element(0x0008, 0x0018, 'UI', `1.2.826.0.1.3680043.9.1.${slice + 1}`),
    element(0x0008, 0x0060, 'CS', 'CT'),
    element(0x0018, 0x0050, 'DS', String(place.thickness)),
    element(0x0020, 0x000d, 'UI', '1.2.826.0.1.3680043.9.2'),
    element(0x0020, 0x000e, 'UI', '1.2.826.0.1.3680043.9.3'),
    element(0x0020, 0x0013, 'IS', String(slice + 1)),
    element(0x0020, 0x0032, 'DS', place.position.join('\\')),
    element(0x0020, 0x0037, 'DS', place.directions.join('\\')),
    element(0x0028, 0x0002, 'US', us(1)),
    element(0x0028, 0x0004, 'CS', 'MONOCHROME2'),
    element(0x0028, 0x0010, 'US', us(rows)),
    element(0x0028, 0x0011, 'US', us(columns)),
    element(0x0028, 0x0030, 'DS', place.spacing.join('\\')),
    element(0x0028, 0x0100, 'US', us(16)),
    element(0x0028, 0x0101, 'US', us(16)),
    element(0x0028, 0x0102, 'US', us(15)),
    element(0x0028, 0x0103, 'US', us(1)),
    element(0x0028, 0x1052, 'DS', '-1024'),
    element(0x0028, 0x1053, 'DS', '1'),
    element(0x7fe0, 0x0010, 'OW', pixels),
  ];
  const meta = element(0x0002, 0x0010, 'UI', '1.2.840.10008.1.2.1');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(0x0002, 0, 'UL', length), meta, ...data]);
}

/** One data element in explicit VR little endian (DICOM PS3.5, section 7.1.2). */
function element(group: number, number: number, vr: string, value: string | Buffer): Buffer {
  const text = typeof value === 'string' ? value + (value.length % 2 ? (vr === 'UI' ? '\0' : ' ') : '') : value;
  const body = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const long = vr === 'OW';
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(body.length, 8);
  else head.writeUInt16LE(body.length, 6);
  return Buffer.concat([head, body]);
}

/** Header and native values of a single-file NIfTI-1 of int16. */
export function readNiftiGz(path: string): { header: Buffer; values: Float64Array } {
  const bytes = gunzipSync(readFileSync(path));
  const start = bytes.readFloatLE(108);
  const slope = bytes.readFloatLE(112) || 1;
  const intercept = bytes.readFloatLE(116);
  const count = (bytes.length - start) / 2;
  const values = Float64Array.from({ length: count }, (_, i) => bytes.readInt16LE(start + 2 * i) * slope + intercept);
  return { header: bytes.subarray(0, 348), values };
}
