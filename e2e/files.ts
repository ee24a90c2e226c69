import { readFileSync } from 'node:fs';
import { crc32, deflateSync, gunzipSync, gzipSync } from 'node:zlib';

/** Image files written by hand from the formats' specifications, so that no reader of the app is asked about them. */

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  /** Native value at (column, row, slice). */
  value(column: number, row: number, slice: number): number;
}

/** NIfTI-1's datatypes that are written and read here, with their bytes per voxel. */
const INT16 = { code: 4, bytes: 2 };
const FLOAT32 = { code: 16, bytes: 4 };

/**
 * NIfTI-1, gzipped; `srow` are the three rows of the affine, `pixdim` mm along i, j, k. With several times the grid's
 * slices are those of all of them, one time after the other.
 */
export function niftiGz(
  grid: Grid,
  pixdim: number[],
  srow: number[][],
  type: 'int16' | 'float32' = 'int16',
  times = 1,
): Buffer {
  const { columns, rows, slices, value } = grid;
  const datatype = type === 'int16' ? INT16 : FLOAT32;
  const bytes = Buffer.alloc(352 + columns * rows * slices * datatype.bytes);
  bytes.writeInt32LE(348, 0);
  [times > 1 ? 4 : 3, columns, rows, slices / times, times, 1, 1, 1].forEach((size, i) => bytes.writeInt16LE(size, 40 + 2 * i));
  bytes.writeInt16LE(datatype.code, 70);
  bytes.writeInt16LE(8 * datatype.bytes, 72);
  [1, ...pixdim].forEach((mm, i) => bytes.writeFloatLE(mm, 76 + 4 * i));
  bytes.writeFloatLE(352, 108);
  bytes.writeFloatLE(1, 112);
  bytes.writeUInt8(2, 123);
  bytes.writeInt16LE(1, 254);
  srow.flat().forEach((entry, i) => bytes.writeFloatLE(entry, 280 + 4 * i));
  bytes.write('n+1\0', 344, 'latin1');
  for (let k = 0, at = 352; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, at += datatype.bytes) {
        if (type === 'int16') bytes.writeInt16LE(value(i, j, k), at);
        else bytes.writeFloatLE(value(i, j, k), at);
      }
    }
  }
  return gzipSync(bytes);
}

/** Where a DICOM slice lies: positions and directions in LPS, mm. */
export interface DicomPlace {
  readonly spacing: readonly [row: number, column: number];
  readonly directions: readonly number[];
  readonly position: readonly number[];
  readonly thickness: number;
  readonly instance: number;
}

/** One CT slice as DICOM, explicit little endian, int16 with intercept −1024. */
export function dicomCt(grid: Grid, slice: number, place: DicomPlace): Buffer {
  return dicomSlice(grid, slice, place, [
    element(0x0008, 0x0016, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
    element(0x0008, 0x0060, 'CS', 'CT'),
    element(0x0028, 0x1052, 'DS', '-1024'),
    element(0x0028, 0x1053, 'DS', '1'),
  ], 1024);
}

/** One PET slice in Bq/mL, decay-corrected to the start of its series at 10:30, the dose given at 10:00. */
export function dicomPet(
  grid: Grid,
  slice: number,
  place: DicomPlace,
  { weight, dose, halfLife }: { weight: number; dose: number; halfLife: number },
): Buffer {
  return dicomSlice(grid, slice, place, [
    element(0x0008, 0x0016, 'UI', '1.2.840.10008.5.1.4.1.1.128'),
    element(0x0008, 0x0021, 'DA', '20200102'),
    element(0x0008, 0x0022, 'DA', '20200102'),
    element(0x0008, 0x0031, 'TM', '103000'),
    element(0x0008, 0x0032, 'TM', '103000'),
    element(0x0008, 0x0060, 'CS', 'PT'),
    element(0x0010, 0x1030, 'DS', String(weight)),
    element(0x0028, 0x0051, 'CS', 'ATTN\\DECY'),
    element(0x0028, 0x1052, 'DS', '0'),
    element(0x0028, 0x1053, 'DS', '1'),
    element(0x0054, 0x0016, 'SQ', item([
      element(0x0018, 0x1072, 'TM', '100000'),
      element(0x0018, 0x1074, 'DS', String(dose)),
      element(0x0018, 0x1075, 'DS', String(halfLife)),
    ])),
    element(0x0054, 0x1001, 'CS', 'BQML'),
    element(0x0054, 0x1102, 'CS', 'START'),
  ], 0);
}

/** A slice of int16, stored `offset` above its values; `own` are the modality's elements. */
function dicomSlice(grid: Grid, slice: number, place: DicomPlace, own: Buffer[], offset: number): Buffer {
  const { columns, rows, value } = grid;
  const pixels = Buffer.alloc(columns * rows * 2);
  for (let j = 0, at = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++, at += 2) pixels.writeInt16LE(value(i, j, slice) + offset, at);
  }
  const us = (n: number) => Buffer.from(Uint16Array.of(n).buffer);
  const data = [
    ...own,
    element(0x0008, 0x0018, 'UI', `1.2.826.0.1.3680043.9.1.${place.instance}`),
    element(0x0018, 0x0050, 'DS', String(place.thickness)),
    element(0x0020, 0x000d, 'UI', '1.2.826.0.1.3680043.9.2'),
    element(0x0020, 0x000e, 'UI', '1.2.826.0.1.3680043.9.3'),
    element(0x0020, 0x0013, 'IS', String(place.instance)),
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
    element(0x7fe0, 0x0010, 'OW', pixels),
  ];
  // By tag: group, then element, both little endian.
  const tag = (bytes: Buffer) => bytes.readUInt16LE(0) * 2 ** 16 + bytes.readUInt16LE(2);
  data.sort((a, b) => tag(a) - tag(b));
  const meta = element(0x0002, 0x0010, 'UI', '1.2.840.10008.1.2.1');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), element(0x0002, 0, 'UL', length), meta, ...data]);
}

/** An item of a sequence with its elements (DICOM PS3.5, section 7.5). */
function item(elements: Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0xfffe, 0);
  head.writeUInt16LE(0xe000, 2);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** One data element in explicit VR little endian (DICOM PS3.5, section 7.1.2). */
function element(group: number, number: number, vr: string, value: string | Buffer): Buffer {
  const text = typeof value === 'string' ? value + (value.length % 2 ? (vr === 'UI' ? '\0' : ' ') : '') : value;
  const body = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
  const long = vr === 'OW' || vr === 'SQ';
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(group, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  if (long) head.writeUInt32LE(body.length, 8);
  else head.writeUInt16LE(body.length, 6);
  return Buffer.concat([head, body]);
}

/** A greyscale PNG of 8 bits without filters (PNG specification, section 11). */
export function greyPng(columns: number, rows: number, grey: (column: number, row: number) => number): Buffer {
  const lines = Buffer.alloc(rows * (columns + 1));
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) lines[j * (columns + 1) + 1 + i] = grey(i, j);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(columns, 0);
  header.writeUInt32BE(rows, 4);
  header[8] = 8;
  const chunk = (name: string, data: Buffer) => {
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature, chunk('IHDR', header), chunk('IDAT', deflateSync(lines)), chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Header and native values of a single-file NIfTI-1 of int16 or float32. */
export function readNiftiGz(path: string): { header: Buffer; values: Float64Array } {
  const bytes = gunzipSync(readFileSync(path));
  const start = bytes.readFloatLE(108);
  const slope = bytes.readFloatLE(112) || 1;
  const intercept = bytes.readFloatLE(116);
  const float = bytes.readInt16LE(70) === FLOAT32.code;
  const width = (float ? FLOAT32 : INT16).bytes;
  const stored = (at: number) => (float ? bytes.readFloatLE(at) : bytes.readInt16LE(at));
  const count = (bytes.length - start) / width;
  const values = Float64Array.from({ length: count }, (_, i) => stored(start + width * i) * slope + intercept);
  return { header: bytes.subarray(0, 348), values };
}

/** One float32 tensor of a safetensors file. */
export function readSafetensor(path: string, name: string): { shape: number[]; data: Float32Array } {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, start)) as Record<
    string, { shape: number[]; data_offsets: [number, number] }
  >;
  const { shape, data_offsets: [from, to] } = header[name]!;
  const data = Float32Array.from({ length: (to - from) / 4 }, (_, i) => bytes.readFloatLE(start + from + 4 * i));
  return { shape, data };
}
