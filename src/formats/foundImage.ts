import type { FormatName, Modality, Volume } from './volume.ts';

/** An image among the files of a drop, known by its headers: a DICOM series, a NIfTI file, a picture. */
export interface FoundImage {
  /** For lists: series description, or the file's name; never the patient's name. */
  readonly title: string;
  readonly format: FormatName;
  readonly modality: Modality | null;
  /** Columns, rows, slices and times as in `Volume`; null where only reading the whole file would tell. */
  readonly size: FoundSize | null;
  /** How many files it is made of. */
  readonly files: number;
  /**
   * Reads and decodes it.
   *
   * @param progress called now and then with the slices decoded so far
   * @throws FormatError where none of its slices can be read
   */
  read(progress?: (done: number) => void): Promise<Volume>;
  /** Its middle slice alone, for a thumbnail. @throws FormatError where that slice cannot be read */
  preview(): Promise<Volume>;
}

export interface FoundSize {
  readonly columns: number;
  readonly rows: number;
  readonly slices: number;
  readonly times: number;
}

/** What a reader makes of the files that are its own. */
export interface Findings {
  /** Most slices first. */
  readonly images: readonly FoundImage[];
  /** Files that could not be read beside those that could: sentences. */
  readonly notices: readonly string[];
}
