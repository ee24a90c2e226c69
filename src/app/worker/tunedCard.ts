import type { Modality } from '../../formats/volume.ts';
import { degradationSentence } from '../../image/degrade.ts';
import type { Degradation } from '../../image/degrade.ts';
import { metadataOf } from '../../image/cardMetadata.ts';
import { TASK_TITLES } from '../../image/modelCard.ts';
import type { ModelCard } from '../../image/modelCard.ts';
import { PAPER_RANGE } from '../../image/normalise.ts';
import type { TrainingOptions } from '../../training/training.ts';
import type { TuneStart } from '../fineTune.ts';
import { tuneText } from '../fineTuneText.ts';

/** What the weights of a run say of themselves. */
export type TunedCard = Pick<ModelCard, 'name' | 'normalisation' | 'tasks'>;

interface Begun {
  readonly start: TuneStart;
  /** The model's name that it began with. */
  readonly origin: string;
  /** Its normalisation. */
  readonly rules: ModelCard['normalisation'];
  readonly modality: Modality;
  /** null for pairs. */
  readonly degradation: Degradation | null;
}

/** Standard strength stands for pairs, whose degradation has no number. */
export function tunedCard({ start, origin, rules, modality, degradation }: Begun, standard: number): TunedCard {
  const suffered = degradation
    ? `${degradationSentence(modality, degradation.strength, degradation.noise)}.` : tuneText.card.pairs;
  return {
    name: tuneText.card.names[start](origin.replace(tuneText.card.own, '')),
    normalisation: { ...rules, [modality]: rules[modality] ?? { rule: 'range', from: PAPER_RANGE[modality] } },
    tasks: [{ modality, title: TASK_TITLES[modality], degradation: suffered, strength: degradation?.strength ?? standard }],
  };
}

/** The card with the steps done so far, as metadata of a weights file. Files' names, which may be patients', stay out. */
export function tunedMetadata(
  card: TunedCard, begun: Pick<Begun, 'start' | 'origin'>, options: TrainingOptions, step: number,
  images: { readonly slices: number; readonly scans: number },
): Record<string, string> {
  const { start, origin } = begun;
  const training = tuneText.card.training({ start, origin, ...images, ...options, step });
  return { ...metadataOf({ ...card, training }), steps: String(step) };
}
