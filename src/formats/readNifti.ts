import { allocateVoxels, imageTitle, refusing } from './guard.ts';
import { inflate, inflateHead, isGzip } from './gzip.ts';
import { isNiftiHeader, isNiftiPairHeader, NIFTI_HEAD, parseNiftiHeader } from './niftiHeader.ts';
import type { NiftiHeader } from './niftiHeader.ts';
import { niftiSpace } from './niftiSpace.ts';
import { niftiType } from './niftiTypes.ts';
import type { NiftiType } from './niftiTypes.ts';
import { FormatError } from './volume.ts';
import type { Modality, NamedBytes, Units, Volume } from './volume.ts';

/** DEFLATE expands at most this much (RFC 1951), so a shorter file cannot hold what its header declares. */
const LARGEST_EXPANSION = 1032;

const head = (bytes: Uint8Array): Uint8Array =>
  isGzip(bytes) ? inflateHead(bytes, NIFTI_HEAD) : bytes.subarray(0, NIFTI_HEAD);

/** Whether the content, gzipped or not, is NIfTI-1 or NIfTI-2, whatever the file is called. */
export function isNifti(bytes: Uint8Array): boolean {
  return isNiftiHeader(head(bytes));
}

/** Whether the content is only a header, with its voxels in a second file (.hdr beside .img). */
export function isNiftiPair(bytes: Uint8Array): boolean {
  return isNiftiPairHeader(head(bytes));
}

/** Units that the header's free text names; values are never guessed from. */
function statedUnits(description: string): { units: Units; modality: Modality | null } {
  if (/\bHU\b|hounsfield/i.test(description)) return { units: 'HU', modality: 'ct' };
  if (/\bBq\/ml\b/i.test(description)) return { units: 'Bq/mL', modality: 'pet' };
  if (/\bSUV\b/.test(description)) return { units: 'SUV', modality: 'pet' };
  return { units: 'raw', modality: null };
}

/** Decodes voxels as their bytes arrive, in pieces of any length. */
function voxelDecoder(header: NiftiHeader, type: NiftiType, data: Float32Array) {
  const { slope, intercept } = type.colour ? { slope: 1, intercept: 0 } : header;
  const carry = new Uint8Array(type.size);
  let carried = 0;
  let filled = 0;
  const decode = (bytes: Uint8Array, count: number): void => {
    if (type.array && header.littleEndian) {
      const aligned = bytes.byteOffset % type.size === 0 ? bytes : bytes.slice(0, count * type.size);
      const values = new type.array(aligned.buffer, aligned.byteOffset, count);
      for (let index = 0; index < count; index += 1) data[filled + index] = (values[index] ?? 0) * slope + intercept;
      filled += count;
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < count; index += 1) {
      data[filled + index] = type.read(view, index * type.size, header.littleEndian) * slope + intercept;
    }
    filled += count;
  };
  return {
    /** Takes the next bytes; returns whether voxels are still missing. */
    push(chunk: Uint8Array): boolean {
      let rest = chunk;
      if (carried > 0) {
        const part = rest.subarray(0, type.size - carried);
        carry.set(part, carried);
        carried += part.length;
        rest = rest.subarray(part.length);
        if (carried < type.size) return true;
        carried = 0;
        if (filled < data.length) decode(carry, 1);
      }
      const whole = Math.min(Math.floor(rest.length / type.size), data.length - filled);
      decode(rest, whole);
      if (filled === data.length) return false;
      carry.set(rest.subarray(whole * type.size));
      carried = rest.length - whole * type.size;
      return true;
    },
    filled: () => filled,
  };
}

function readVoxels(header: NiftiHeader, type: NiftiType, count: number, bytes: Uint8Array): Float32Array {
  const needed = header.voxOffset + count * type.size;
  const packed = isGzip(bytes);
  const available = packed ? bytes.length * LARGEST_EXPANSION : bytes.length;
  const cutShort = (found: string): FormatError => new FormatError(
    `nifti: ${header.dims.join(' × ')} voxels of ${type.name} need ${needed} bytes, ${found}; ` +
    'the file is cut short, download or copy it again',
  );
  if (needed > available) throw cutShort(`the file can hold only ${available}`);
  const data = allocateVoxels('nifti', count);
  const decoder = voxelDecoder(header, type, data);
  if (!packed) {
    decoder.push(bytes.subarray(header.voxOffset, needed));
    return data;
  }
  let skip = header.voxOffset;
  inflate(bytes, 'gzip', (chunk) => {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    return decoder.push(chunk.subarray(skipped));
  });
  if (decoder.filled() < count) throw cutShort(`the compressed data ends or breaks after ${decoder.filled()} voxels`);
  return data;
}

/**
 * Reads a NIfTI-1 or NIfTI-2 image (.nii, .nii.gz, or .hdr with its .img), of either byte order and any real number
 * type: value = scl_slope · stored + scl_inter (slope 0 or NaN: stored), further dimensions flattened into slices,
 * colour as luma. Gzip checksums are not verified.
 *
 * @param file the image, or the header of a pair; gzip is recognised by content
 * @param imageFile the pair's .img
 * @throws FormatError for complex numbers, impossible headers, missing or cut-short voxels
 */
export function readNifti(file: NamedBytes, imageFile?: NamedBytes): Volume {
  return refusing('nifti', () => {
    const header = parseNiftiHeader(head(file.bytes));
    if (header.pair && !imageFile) {
      throw new FormatError('nifti: this is only the header of a .hdr/.img pair; open both files together');
    }
    const type = niftiType(header.datatype);
    const [columns = 1, rows = 1, ...further] = header.dims;
    const slices = further.reduce((product, size) => product * size, 1);
    const source = header.pair && imageFile ? imageFile.bytes : file.bytes;
    const data = readVoxels(header, type, columns * rows * slices, source);
    const space = niftiSpace(header);
    return {
      name: imageTitle(file.name),
      format: 'nifti',
      ...statedUnits(header.description),
      columns,
      rows,
      slices,
      data,
      spacing: space.spacing,
      affine: space.affine,
      origin: { format: 'nifti', header: header.bytes, littleEndian: header.littleEndian },
      notices: [
        ...space.notices,
        ...(type.colour ? ['The image is in colour; its brightness (luma) is shown.'] : []),
      ],
    };
  });
}
