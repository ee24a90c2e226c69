import { plainText } from '../formats/guard.ts';
import type { Modality } from '../formats/volume.ts';
import { LONGEST_TEXT, list, refuse, text } from './cardFields.ts';
import { MODALITIES, parseNormalisation, parseTask } from './modelCard.ts';
import type { CardTask, ModelCard, NormalisationRule } from './modelCard.ts';
import { PAPER_RANGE } from './normalise.ts';

/**
 * What a weights file says of itself in the text metadata of safetensors: `name` and `training` as they are,
 * `normalisation` and `tasks` as JSON of the card's fields. A file may have all, some or none of them.
 */
export interface FileCard {
  readonly name: string | null;
  readonly training: string | null;
  /** Without a rule for a modality, the paper's range applies. */
  readonly normalisation: ModelCard['normalisation'];
  readonly tasks: readonly CardTask[];
}

const LONGEST_NAME = 120;
/** JSON of a hundred tasks; longer texts are not parsed at all. */
const LONGEST_JSON = 100_000;

/** The metadata for a weights file, under the keys that `fileCardOf` reads. */
export function metadataOf(
  { name, training, normalisation, tasks }: Pick<ModelCard, 'name' | 'training' | 'normalisation' | 'tasks'>,
): Record<string, string> {
  return { name, training, normalisation: JSON.stringify(normalisation), tasks: JSON.stringify(tasks) };
}

/**
 * Reads the metadata of a weights file; null where it has none of the keys, as in the public checkpoints. Text comes
 * back printable, on one line and of bounded length.
 *
 * A normalisation that cannot be understood refuses the file: restoring by another one would give wrong images that
 * look right. A `tasks` entry of another program's form is left out.
 *
 * @throws CardError, one sentence
 */
export function fileCardOf(metadata: Readonly<Record<string, string>>): FileCard | null {
  const entry = (key: string) => (Object.hasOwn(metadata, key) ? metadata[key] : undefined);
  const name = plainText(entry('name') ?? '', LONGEST_NAME);
  const training = plainText(entry('training') ?? '', LONGEST_TEXT);
  const rules = entry('normalisation');
  const tasks = tasksOf(entry('tasks'));
  if (!name && !training && rules === undefined && tasks.length === 0) return null;
  return { name: name || null, training: training || null, normalisation: normalisationOf(rules), tasks };
}

function normalisationOf(json: string | undefined): ModelCard['normalisation'] {
  if (json === undefined) return {};
  const at = 'weights: the file\'s own normalisation';
  return parseNormalisation(parsed(json, at), at);
}

function tasksOf(json: string | undefined): readonly CardTask[] {
  if (json === undefined) return [];
  try {
    const at = 'weights: tasks';
    return list(parsed(json, at), at, parseTask).map((task) => ({
      ...task, title: plainText(task.title, LONGEST_NAME), degradation: plainText(task.degradation, LONGEST_TEXT),
    }));
  } catch {
    return [];
  }
}

function parsed(json: string, at: string): unknown {
  if (json.length > LONGEST_JSON) refuse(at, `${json.length} characters long`, `at most ${LONGEST_JSON}`);
  try {
    return JSON.parse(json);
  } catch {
    return refuse(at, text(json.slice(0, LONGEST_NAME) || '(nothing)', at), 'JSON');
  }
}

/** A card made of what a file says of itself; what it does not say is said to be unknown. */
export function cardOf(
  { name, training, normalisation, tasks }: FileCard, { file, variant }: Pick<ModelCard, 'file' | 'variant'>,
): ModelCard {
  return {
    schema: 1,
    name: name ?? file,
    variant,
    file,
    tasks,
    normalisation,
    training: training ?? 'The file does not say how it was trained.',
    data: [],
    licence: 'The file does not state a licence.',
    measured: [],
    limits: ['The file carries no measurements: compare with a reference before relying on it.'],
  };
}

/** The rules of a card in words: of its tasks' modalities; where it names none, of its rules'; else of all three. */
export function ruleSentences({ tasks, normalisation }: Pick<ModelCard, 'tasks' | 'normalisation'>): string[] {
  const known = new Set(tasks.length > 0 ? tasks.map(({ modality }) => modality) : Object.keys(normalisation));
  const shown = known.size > 0 ? MODALITIES.filter((modality) => known.has(modality)) : MODALITIES;
  return shown.map((modality) => ruleSentence(modality, normalisation[modality] ?? null));
}

const UNITS: { readonly [M in Modality]: string } = { ct: ' HU', pet: ' SUV', mri: '' };

/** How a model maps a modality's native units to [0, 1], in words; null stands for the paper's range. */
export function ruleSentence(modality: Modality, rule: NormalisationRule | null): string {
  const name = modality.toUpperCase();
  if (rule === null || rule.rule === 'range') {
    const [low, high] = rule === null ? PAPER_RANGE[modality] : rule.from;
    const range = `${low} … ${high}`.replaceAll('-', '−');
    return `${name}: ${range}${UNITS[modality]} becomes 0 … 1${rule === null ? ', the paper\'s range' : ''}.`;
  }
  const { percentile, times } = rule;
  const divisor =
    rule.rule === 'percentile' ? `percentile ${percentile} of the volume's voxels above 0`
    : `the mean of the volume's voxels above their percentile ${percentile}`;
  return `${name}: values are divided by ${divisor} and multiplied by ${times}.`;
}
