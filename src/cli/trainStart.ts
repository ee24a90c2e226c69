import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { degradationSentence, STRENGTH } from '../image/degrade.ts';
import { fileCardOf, metadataOf } from '../image/cardMetadata.ts';
import { TASK_TITLES, type CardTask, type ModelCard } from '../image/modelCard.ts';
import { SCRATCH_RULES } from '../image/normalise.ts';
import { FULL, LIGHT, TINY, type Config } from '../model/config.ts';
import { readCheckpoint } from '../training/checkpoint.ts';
import type { TrainingOptions } from '../training/training.ts';
import { initialStateDict } from '../weights/initialWeights.ts';
import { readWeights } from '../weights/readWeights.ts';
import type { StateDict } from '../weights/tensor.ts';
import { RefusedError } from './errors.ts';
import { readInput } from './files.ts';
import { cardBeside } from './loadedModel.ts';
import { MODALITIES, type Lesson, type Run, type TrainArguments } from './trainOptions.ts';

/** What a run begins with. */
export interface Beginning extends Run {
  readonly stateDict: Readonly<StateDict>;
  readonly config: Config;
  readonly rules: ModelCard['normalisation'];
  /** "From scratch", or the weights' name and version. */
  readonly origin: string;
}

/** @throws UsageError, or what is wrong with the weights */
export async function beginning(settings: TrainArguments): Promise<Beginning & { readonly notices: readonly string[] }> {
  const run = settings.run(null);
  if (settings.weights === null) {
    const config = { light: LIGHT, full: FULL, tiny: TINY }[settings.variant];
    const stateDict = initialStateDict(config, run.options.seed);
    return { ...run, stateDict, config, rules: SCRATCH_RULES, origin: 'From scratch', notices: [] };
  }
  const file = await readInput(settings.weights);
  const { stateDict, config, metadata } = readWeights(file);
  const { card: beside, notices } = await cardBeside(settings.weights);
  const card = beside ?? fileCardOf(metadata);
  const version = createHash('sha256').update(file.bytes).digest('hex').slice(0, 12);
  const origin = `From ${card?.name ?? file.name} (${version})`;
  return { ...run, stateDict, config, rules: card?.normalisation ?? {}, origin, notices };
}

/** What a checkpoint keeps of how its run began. */
export interface Continuation extends Run {
  readonly rules: ModelCard['normalisation'];
  readonly metadata: Readonly<Record<string, string>>;
}

/** @throws UsageError where the run is to change, or what is wrong with the checkpoint */
export function continuation(checkpoint: Uint8Array, settings: TrainArguments): Continuation {
  const { options, metadata } = readCheckpoint(checkpoint);
  const run = settings.run({ options, lesson: lessonOf(metadata['lesson']) });
  return { ...run, rules: fileCardOf(metadata)?.normalisation ?? {}, metadata };
}

/** The lesson in a checkpoint of whatever origin. */
function lessonOf(json: string | undefined): Lesson {
  try {
    const { shares, strength, noise, gain } = JSON.parse(json ?? '') as Lesson;
    const known = (record: object) => Object.keys(record).every((key) => MODALITIES.some((modality) => modality === key));
    const isPositive = (value: unknown) => typeof value === 'number' && value > 0;
    const isPair = (value: unknown) => Array.isArray(value) && value.length === 2 && value.every(isPositive);
    const tasks = Object.keys(shares);
    if (
      tasks.length > 0 && known(shares) && Object.values(shares).every(isPositive)
      && (strength === null || (Object.keys(strength).join() === tasks.join() && Object.values(strength).flat().every(isPositive)))
      && typeof noise === 'number' && known(gain) && Object.values(gain).every(isPair)
    ) return { shares, strength, noise, gain };
  } catch {
    // Told below.
  }
  throw new RefusedError(
    'train: the checkpoint does not say how its images were made; resume it where it was made, or begin a new run',
  );
}

/** What checkpoints of a new run carry: the card's fields, and how to go on. */
export function runMetadata(settings: TrainArguments, begun: Beginning, learntFrom: string): Record<string, string> {
  const { lesson, rules, origin } = begun;
  const name = settings.name ?? (basename(settings.out).replace(/\.[^.]*$/, '') || 'model');
  const tasks = MODALITIES.filter((modality) => lesson.shares[modality]).map((modality): CardTask => {
    const strengths = [lesson.strength?.[modality] ?? []].flat();
    const suffered = strengths.map((strength) => degradationSentence(modality, strength, lesson.noise));
    const degradation = suffered.length === 0 ? 'Real pairs.' : `${suffered.join('; ')}.`;
    return { modality, title: TASK_TITLES[modality], degradation, strength: strengths[0] ?? STRENGTH[modality].standard };
  });
  return { ...metadataOf({ name, training: '', normalisation: rules, tasks }), lesson: JSON.stringify(lesson), origin, learntFrom };
}

/** Metadata of the finished weights: the card's fields, steps and configuration. */
export function weightsMetadata(
  run: Readonly<Record<string, string>>, options: TrainingOptions, config: Config,
): Record<string, string> {
  const { steps, batch, crop, rate, lastRate, seed, parts } = options;
  const { name = '', normalisation = '{}', tasks = '[]', origin = 'Trained', learntFrom = '' } = run;
  const part = parts === 'decoder' ? ', decoder and refinement only' : '';
  const training = `${origin}: ${steps} steps of ${batch} crops of ${crop} × ${crop}, L1 loss, Adam, learning rate ` +
    `${rate} to ${lastRate} by cosine, seed ${seed}${part}. ${learntFrom}.`;
  return { name, training, normalisation, tasks, steps: String(steps), config: JSON.stringify(config) };
}
