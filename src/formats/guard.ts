import { FormatError } from './volume.ts';

/**
 * Most voxels any reader will hold at once (2 GiB of float32): beyond it, browsers refuse the memory anyway.
 */
export const MAX_VOXELS = 2 ** 29;

/**
 * Runs a reader so that whatever a damaged file provokes (a library's thrown string, a RangeError from an offset past
 * the end, a refused allocation) reaches the user as one sentence.
 *
 * @param operation the format's name, which begins the sentence
 * @throws FormatError always, where `read` throws anything
 */
export function refusing<Result>(operation: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) throw error;
    if (error instanceof RangeError && /alloc|array length|buffer/i.test(error.message)) {
      throw new FormatError(`${operation}: this image needs more memory than there is; crop it or open fewer slices`);
    }
    throw new FormatError(`${operation}: the file is damaged or cut short; export or download it again`);
  }
}

/** float32 values for `count` voxels; a FormatError where that is above the cap or more than the device gives. */
export function allocateVoxels(operation: string, count: number): Float32Array {
  if (!(count > 0 && count <= MAX_VOXELS)) {
    throw new FormatError(
      `${operation}: ${count} voxels were declared, at most ${MAX_VOXELS} can be opened; crop or downsample the image`,
    );
  }
  return refusing(operation, () => new Float32Array(count));
}

/** A file's own text made fit for a sentence or a title: printable, on one line, at most `limit` characters. */
export function plainText(text: string, limit = 48): string {
  const clean = text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, ' ').replace(/[<>]/g, ' ').replace(/ +/g, ' ').trim();
  return clean.length > limit ? `${clean.slice(0, limit - 1)}…` : clean;
}

/** The last part of a path-like name, without its image endings: "scans/brain.nii.gz" → "brain". */
export function imageTitle(path: string): string {
  const base = path.split(/[\\/]/).pop() ?? '';
  return plainText(base.replace(/\.gz$/i, '').replace(/\.(nii|hdr|img|dcm|dicom|ima|nrrd|nhdr|mha|mhd|png|jpe?g|tiff?|npy|zip)$/i, ''), 64) || 'image';
}
