import type { Findings } from '../../formats/foundImage.ts';
import { findImages } from '../../formats/readImages.ts';
import { FormatError } from '../../formats/volume.ts';
import type { Modality, Volume } from '../../formats/volume.ts';
import type { NormalisationRule } from '../../image/modelCard.ts';
import { toSuv } from '../../image/suv.ts';
import { matchPairs } from '../../image/trainingImages.ts';
import type { TuneSource } from '../fineTune.ts';
import { tuneText } from '../fineTuneText.ts';
import type { NamedFile, Work } from '../protocol.ts';
import { fromDisk } from './files.ts';
import { UserError, proceed } from './jobs.ts';
import type { Job } from './jobs.ts';
import { rangeFor } from './runImages.ts';
import type { Scan } from './runImages.ts';
import type { Study } from './study.ts';

/** Voxels of all images together (256 MiB of float32): of larger ones every second, third, … slice is taken. */
export const MOST_VOXELS = 2 ** 26;
/** Scans that a run learns from. */
const MOST_IMAGES = 500;

export interface Gathering {
  readonly source: TuneSource;
  readonly modality: Modality;
  /** The model's rule; null for the paper's range. */
  readonly rule: NormalisationRule | null;
  readonly study: Study | null;
  readonly job: Job;
  readonly busy: (state: Work['state'], known?: Omit<Work, 'state'>) => void;
}

/** What there is to learn from, and sentences about what was left out. */
export interface Gathered {
  readonly scans: readonly Scan[];
  readonly notices: readonly string[];
}

/**
 * Reads what a user has chosen to learn from.
 *
 * @throws UserError or FormatError where there is nothing
 */
export async function gather(gathering: Gathering): Promise<Gathered> {
  const { source, modality } = gathering;
  const notices: string[] = [];
  const scans =
    source.kind === 'references' || source.kind === 'pairs'
      ? await fromFiles(source, gathering, notices)
      : fromStudy(source, gathering, notices);
  if (scans.length === 0) throw new UserError([tuneText.failed.nothing(modality), ...notices].join(' '));
  return { scans: distinct(scans), notices };
}

function fromStudy({ kind }: TuneSource, { study, modality, rule }: Gathering, notices: string[]): Scan[] {
  if (!study) throw new UserError(tuneText.failed.nothingOpen);
  const { volume, degradation } = study;
  const better = degradation === null ? study.reference?.volume : undefined;
  if (kind === 'openedPair' && !better) throw new UserError(tuneText.failed.noReference);
  const input = kind === 'openedPair' ? volume : null;
  const reference = better ?? volume;
  const kept = (whole: Volume) => thinned(whole, MOST_VOXELS / (input ? 2 : 1), notices);
  const range = rangeFor(modality, input ?? reference, rule);
  return [{ reference: kept(reference), input: input && kept(input), range }];
}

async function fromFiles(
  source: TuneSource & { kind: 'references' | 'pairs' }, gathering: Gathering, notices: string[],
): Promise<Scan[]> {
  const { modality, rule, job, busy } = gathering;
  busy('looking');
  const find = (files: readonly NamedFile[]) => findImages(files.map((file) => fromDisk(file, () => proceed(job))));
  const references = await find(source.references);
  const inputs = source.kind === 'pairs' ? await find(source.inputs) : null;
  const total = references.images.length + (inputs?.images.length ?? 0);
  if (total > MOST_IMAGES) throw new UserError(tuneText.failed.tooMany(total, MOST_IMAGES));
  const ranges = new Map<Volume, Scan['range']>();
  let done = 0;
  /** One after the other and thinned at once: ten large scans would not fit beside each other. */
  const readAll = async (found: Findings): Promise<Volume[]> => {
    const volumes: Volume[] = [];
    notices.push(...found.notices);
    for (const image of found.images) {
      busy('scans', { done: done++, total, left: null });
      // A Cancel is heard in between.
      await new Promise((resolve) => setTimeout(resolve));
      proceed(job);
      try {
        const whole = toSuv(await image.read(() => proceed(job)));
        if (whole.modality !== null && whole.modality !== modality) {
          notices.push(tuneText.notices.otherModality(whole.name, whole.modality));
          continue;
        }
        const volume = thinned(whole, MOST_VOXELS / total, notices);
        // By the whole image, as it will be when the network is used.
        ranges.set(volume, rangeFor(modality, whole, rule));
        volumes.push(volume);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        notices.push(tuneText.notices.leftOut(image.title, error.message));
      }
    }
    return volumes;
  };
  const good = await readAll(references);
  if (!inputs) return good.map((reference) => ({ reference, input: null, range: ranges.get(reference) ?? null }));
  const { pairs, mismatches } = matchPairs(await readAll(inputs), good);
  notices.push(...mismatches);
  return pairs.map(({ input, reference }) => ({ reference, input, range: ranges.get(input) ?? null }));
}

/** The first time point's every n-th slice so that at most so many voxels remain, in a buffer of their own. */
export function thinned(volume: Volume, most: number, notices: string[]): Volume {
  const { name, columns, rows, times, data, spacing, affine } = volume;
  const size = columns * rows;
  const perTime = volume.slices / times;
  const every = Math.min(perTime, Math.ceil((size * perTime) / most));
  if (times > 1) notices.push(tuneText.notices.firstTime(name));
  if (every > 1) notices.push(tuneText.notices.thinned(name, every));
  if (every === 1 && times === 1) return volume;
  const slices = Math.ceil(perTime / every);
  const kept = new Float32Array(size * slices);
  for (let k = 0; k < slices; k++) kept.set(data.subarray(k * every * size, (k * every + 1) * size), k * size);
  return {
    ...volume, slices, times: 1, data: kept,
    spacing: spacing && { ...spacing, z: spacing.z * every },
    affine: affine && affine.map((entry, i) => (i % 4 === 2 ? entry * every : entry)),
  };
}

/** Images of one name and size would share their simulated noise: the second becomes "name (2)". */
function distinct(scans: readonly Scan[]): Scan[] {
  const seen = new Map<string, number>();
  return scans.map(({ reference, input, range }) => {
    const times = (seen.get(reference.name) ?? 0) + 1;
    seen.set(reference.name, times);
    const name = times === 1 ? reference.name : `${reference.name} (${times})`;
    return { reference: { ...reference, name }, input: input && { ...input, name }, range };
  });
}
