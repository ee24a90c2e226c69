/** Modalities that a network may be trained for. */
export type Modality = 'ct' | 'pet' | 'mri';

/** What a voxel's number means after the file's own rescaling. */
export type Units = 'HU' | 'SUV' | 'Bq/mL' | 'raw';

/** The file formats that images are read from. */
export type FormatName = 'dicom' | 'nifti' | 'analyze' | 'nrrd' | 'metaimage' | 'png' | 'jpeg' | 'tiff' | 'npy';

/** How a file stores one number; 64-bit integers count as float64, whose precision they are read with. */
export type NumberType = 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'float32' | 'float64';

/** Any image file once read: native units, with its place in the patient. */
export interface Volume {
  /** For the title bar and for names of saved files; never a patient's name. */
  readonly name: string;
  readonly format: FormatName;
  /** null where the file does not say. */
  readonly modality: Modality | null;
  readonly units: Units;
  readonly columns: number;
  readonly rows: number;
  /** Product of all further dimensions (slices × time points). */
  readonly slices: number;
  /**
   * Time points, echoes, directions or whatever else a fourth dimension counts; divides `slices`, and slice index =
   * time · (slices / times) + place. 1 for a plain volume.
   */
  readonly times: number;
  /** Values in native units, index (slice · rows + row) · columns + column. Non-finite voxels are kept as they are. */
  readonly data: Float32Array;
  /** mm between columns (x), rows (y) and slices (z); null where the file does not say. */
  readonly spacing: { readonly x: number; readonly y: number; readonly z: number } | null;
  /**
   * Voxel (column, row, slice, 1) → mm in RAS+ (x grows to the right, y to the front, z to the head), 4×4 row by row;
   * null where the file does not say.
   */
  readonly affine: readonly number[] | null;
  /** Bq/mL → SUV by body weight, or why that cannot be computed; null for anything but PET. */
  readonly suv: SuvScale | null;
  /** The file's own header and number type, for writing a result in the same space and type. */
  readonly origin: Origin;
  /** Sentences a user should see: slices that were left out, gaps, unknown units. */
  readonly notices: readonly string[];
}

/** SUV = factor · (Bq/mL), or the reason, a sentence, why the headers do not give it. */
export type SuvScale =
  | { readonly factor: number; readonly sentence: string }
  | { readonly factor: null; readonly sentence: string };

/** What a writer needs to give a result back in the input's own terms. */
export type Origin =
  | { readonly format: 'nifti'; readonly header: Uint8Array; readonly littleEndian: boolean }
  /** One entry a slice, in the volume's order. */
  | { readonly format: 'dicom'; readonly slices: readonly DicomSource[] }
  /** A picture of whole numbers, read into [0, 1]. */
  | { readonly format: 'picture'; readonly bitDepth: 8 | 16 }
  | { readonly format: 'plain'; readonly type: NumberType };

/** Of an image whose format says nothing of modality, units, time or place. */
export const UNPLACED = { modality: null, units: 'raw', times: 1, spacing: null, affine: null, suv: null } as const;

/** Where a DICOM slice came from. */
export interface DicomSource {
  /** The file's name, without folders. */
  readonly name: string;
  /**
   * A Part 10 stream without pixels: preamble, "DICM", file meta information and the data set up to its pixel data, in
   * the file's own transfer syntax (a deflated one inflated and declared Explicit VR Little Endian). The slices of a
   * multi-frame file share one.
   */
  readonly header: Uint8Array;
  /** Frame within the file, from 0. */
  readonly frame: number;
}

/** A file in memory: a path-like name and its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file as it arrives, read when it is needed: on disk, in a zip, or in memory. */
export interface SourceFile {
  /** Path-like. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** All bytes, or those up to `end`, or from `start` to `end`; fewer where the file is shorter. */
  bytes(end?: number, start?: number): Promise<Uint8Array>;
}

/** Lets bytes in memory stand where files are expected. */
export function sourceOf({ name, bytes }: NamedBytes): SourceFile {
  return { name, size: bytes.length, bytes: async (end, start) => bytes.subarray(start ?? 0, end) };
}

/** A file that cannot be read or written; the message is one sentence for the user. */
export class FormatError extends Error {
  override name = 'FormatError';
}
