import { evaluate, EVALUATION_RANGE, type Evaluation, type Range } from '../analysis/metrics.ts';
import type { Modality, Volume } from '../formats/volume.ts';
import { isPicture } from '../image/normalise.ts';
import { sliceOf } from '../image/slice.ts';
import { toSuv } from '../image/suv.ts';
import { RefusedError, UsageError } from './errors.ts';
import type { Evaluated } from './evaluateOutput.ts';
import { matchImages } from './evaluateMatch.ts';
import { readVolume } from './files.ts';
import { note } from './terminal.ts';

/** What is compared with a reference: a file or folder, and its name in the table. */
export interface FileMethod {
  readonly name: string;
  readonly path: string;
}

/**
 * Every slice of each method's images against the reference's, in native units within the paper's range.
 *
 * @param wanted the modality, where the files do not say it
 * @throws UsageError where nobody says the modality, RefusedError where images do not belong together
 */
export async function evaluateFiles(
  reference: string, methods: readonly FileMethod[], wanted: Modality | undefined,
): Promise<Evaluated> {
  const evaluations: Evaluation[][] = methods.map(() => []);
  const slices: { image: string; slice: number }[] = [];
  let first: Scale | null = null;
  let brighter = 0;
  for (const { name, paths } of await matchImages([reference, ...methods.map(({ path }) => path)])) {
    const volumes = await readAlike(name, paths);
    const scale = scaleOf(modalityOf(wanted, volumes), volumes);
    first ??= scale;
    if (scale.units !== first.units || scale.modality !== first.modality) {
      throw new RefusedError(
        `evaluate: ${name} is ${described(scale)}, the images before it ${described(first)}; evaluate them separately`,
      );
    }
    const [truth, ...estimates] = volumes;
    brighter += truth!.data.reduce((count, value) => count + Number(value > scale.range.max), 0);
    for (let index = 0; index < truth!.slices; index++) {
      slices.push({ image: name, slice: index + 1 });
      const expected = sliceOf(truth!, index);
      for (const [row, volume] of estimates.entries()) {
        evaluations[row]!.push(evaluate(expected, sliceOf(volume, index), scale.range));
      }
    }
  }
  if (brighter > 0 && first?.modality === 'mri') {
    note(`${brighter} voxels of the reference lie above the paper's range and are clamped to ${first.range.max}`);
  }
  return {
    table: {
      methods: methods.map(({ name }, i) => ({ name, parameters: null, macs: null, evaluations: evaluations[i]! })),
      comparisons: [],
      units: first?.units ?? '',
    },
    slices,
    floor: first?.range.min ?? 0,
  };
}

/** One image from every place, of one size and in one unit. */
async function readAlike(name: string, paths: readonly (readonly string[])[]): Promise<Volume[]> {
  const opened: Volume[] = [];
  for (const files of paths) opened.push(await readVolume(files));
  const size = ({ columns, rows, slices }: Volume) => `${columns} × ${rows} × ${slices}`;
  const odd = opened.find((volume) => size(volume) !== size(opened[0]!));
  if (odd) {
    const which = paths.length > 2 || odd.name === opened[0]!.name ? ` of ${name}` : '';
    throw new RefusedError(
      `evaluate: the input${which} is ${size(odd)}, the reference ${size(opened[0]!)}; name images of one size`,
    );
  }
  // All or none: values in Bq/mL mean nothing beside SUV.
  const inSuv = opened.every(({ units, suv }) => units === 'SUV' || (suv && suv.factor !== null));
  return inSuv ? opened.map(toSuv) : opened;
}

/** null for pictures in [0, 1]. */
function modalityOf(wanted: Modality | undefined, volumes: readonly Volume[]): Modality | null {
  const modality = wanted ?? volumes.find((volume) => volume.modality !== null)?.modality ?? null;
  if (modality || volumes.every(isPicture)) return modality;
  throw new UsageError(`evaluate: ${volumes[0]!.name} does not say what it is; add --modality ct, pet or mri`);
}

/** What images are clamped to before they are compared, and its units for people. */
interface Scale {
  readonly modality: Modality | null;
  readonly range: Range;
  readonly units: string;
}

function scaleOf(modality: Modality | null, volumes: readonly Volume[]): Scale {
  if (modality === null) return { modality, range: { min: 0, max: 1 }, units: '' };
  if (modality !== 'pet' || volumes[0]!.units !== 'Bq/mL') {
    return { modality, range: EVALUATION_RANGE[modality], units: { ct: 'HU', pet: 'SUV', mri: '' }[modality] };
  }
  // 20 SUV is not known in Bq/mL without dose and weight: then nothing is cut above.
  const larger = (most: number, value: number) => (value < Infinity && value > most ? value : most);
  const max = Math.max(...volumes.map(({ data }) => data.reduce(larger, 0))) || 1;
  note('PET in Bq/mL: values above 20 SUV cannot be told and are not clamped');
  return { modality, range: { min: 0, max }, units: 'Bq/mL' };
}

const described = ({ modality, units }: Scale) =>
  [modality?.toUpperCase() ?? 'a picture', units && `in ${units}`].filter(Boolean).join(' ');
