/** Modalities that a network may be trained for. */
export type Modality = 'ct' | 'pet' | 'mri';

/** What a voxel's number means after the file's own rescaling. */
export type Units = 'HU' | 'SUV' | 'Bq/mL' | 'raw';

/** Any image file once read: native units, with its place in the patient. */
export interface Volume {
  /** For the title bar and for names of saved files; never a patient's name. */
  readonly name: string;
  readonly format: 'nifti' | 'dicom' | 'png';
  /** null where the file does not say. */
  readonly modality: Modality | null;
  readonly units: Units;
  readonly columns: number;
  readonly rows: number;
  /** Product of all further dimensions (slices × time points). */
  readonly slices: number;
  /** Values in native units, index (slice · rows + row) · columns + column. Non-finite voxels are kept as they are. */
  readonly data: Float32Array;
  /** mm between columns (x), rows (y) and slices (z); null where the file does not say. */
  readonly spacing: { readonly x: number; readonly y: number; readonly z: number } | null;
  /**
   * Voxel (column, row, slice, 1) → mm in RAS+ (x grows to the right, y to the front, z to the head), 4×4 row by row;
   * null where the file does not say.
   */
  readonly affine: readonly number[] | null;
  /** The file's own header and number type, for writing a result in the same space and type. */
  readonly origin: Origin;
  /** Sentences a user should see: slices that were left out, gaps, unknown units. */
  readonly notices: readonly string[];
}

/** What a writer needs to give a result back in the input's own terms. */
export type Origin =
  | { readonly format: 'nifti'; readonly header: Uint8Array; readonly littleEndian: boolean }
  /** The files of the slices, in their order: for derived DICOM and for SUV. */
  | { readonly format: 'dicom'; readonly files?: readonly NamedBytes[] }
  | { readonly format: 'png'; readonly bitDepth: 8 | 16 };

/** A file as it arrives: a path-like name and its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file that cannot be read or written; the message is one sentence for the user. */
export class FormatError extends Error {
  override name = 'FormatError';
}
