import { parseNiftiHeader } from './niftiHeader.ts';
import { NIFTI_TYPES } from './niftiTypes.ts';
import { STORED_NUMBERS } from './numberTypes.ts';
import type { StoredNumber } from './numberTypes.ts';
import type { NumberType, Volume } from './volume.ts';

/** 'source': as the input's. */
export type WrittenType = 'source' | NumberType;

const [LEAST, MOST] = STORED_NUMBERS.int16.range ?? [0, 0];
const isInt16 = (value: number): boolean => Number.isInteger(value) && value >= LEAST && value <= MOST;

/**
 * How a volume's values are stored in a format that has no rescaling. 'source' is the input's own number type where its
 * numbers are the values: NIfTI without scaling, NRRD, MetaImage, npy, TIFF of native values. DICOM is int16 where
 * every value is a whole number within it, so that nothing is lost; everything else (scaled NIfTI, colour, pictures in
 * [0, 1]) is float32.
 */
export function writtenNumber(volume: Volume, type: WrittenType): StoredNumber {
  if (type !== 'source') return STORED_NUMBERS[type];
  const { origin, data } = volume;
  switch (origin.format) {
    case 'plain': return STORED_NUMBERS[origin.type];
    case 'dicom': return STORED_NUMBERS[data.every(isInt16) ? 'int16' : 'float32'];
    case 'picture': return STORED_NUMBERS.float32;
    case 'nifti': {
      const { datatype, slope, intercept } = parseNiftiHeader(origin.header);
      const own = NIFTI_TYPES.find(({ code }) => code === datatype)?.number;
      return own && slope === 1 && intercept === 0 ? own : STORED_NUMBERS.float32;
    }
  }
}
