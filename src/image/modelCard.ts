import type { Modality } from '../formats/volume.ts';
import { list, number, oneOf, record, refuse, text } from './cardFields.ts';

/** How native units become the network's [0, 1]: n = clamp((native − offset) · scale, 0, 1). */
export type NormalisationRule =
  /** from[0] … from[1] in native units becomes 0 … 1. */
  | { readonly rule: 'range'; readonly from: readonly [number, number] }
  /** native · times / (percentile of the volume's voxels that are > 0). */
  | { readonly rule: 'percentile'; readonly percentile: number; readonly times: number }
  /** native · times / (mean of the volume's voxels that are above its percentile). */
  | { readonly rule: 'meanAbovePercentile'; readonly percentile: number; readonly times: number };

export const TASK_TITLES: Readonly<Record<Modality, string>> = {
  ct: 'CT denoising', pet: 'PET synthesis', mri: 'MRI super-resolution',
};

export interface CardTask {
  readonly modality: Modality;
  readonly title: string;
  /** A sentence: what the inputs suffered in training. */
  readonly degradation: string;
  /** The strength at which `degrade` simulates it (see image/degrade.ts). */
  readonly strength: number;
}

export interface CardData {
  readonly title: string;
  readonly modality: Modality;
  readonly licence: string;
  readonly attribution: string;
  readonly url: string;
}

/** PSNR in dB, SSIM in [0, 1], RMSE in the units that the measurement names. */
export interface CardScores {
  readonly psnr: number;
  readonly ssim: number;
  readonly rmse: number;
}

export interface CardMeasurement {
  readonly modality: Modality;
  readonly on: string;
  readonly slices: number;
  readonly rmseUnits: string;
  readonly input: CardScores;
  readonly restored: CardScores;
}

/** What is shipped beside a weights file: what it does, what it was made from, how well it does, where it fails. */
export interface ModelCard {
  readonly schema: 1;
  readonly name: string;
  readonly variant: 'light' | 'full' | 'custom';
  /** Name of the weights file, beside the card. */
  readonly file: string;
  readonly tasks: readonly CardTask[];
  /** A modality without a rule takes the paper's range. */
  readonly normalisation: { readonly [M in Modality]?: NormalisationRule };
  readonly training: string;
  readonly data: readonly CardData[];
  readonly licence: string;
  readonly measured: readonly CardMeasurement[];
  readonly limits: readonly string[];
}

export const MODALITIES = ['ct', 'pet', 'mri'] as const;

/** Beyond these, float32 arithmetic would give infinities where the file is hostile, and no scanner goes near them. */
const LARGEST = 1e12;
const LEAST_WIDTH = 1e-6;
const MOST_TIMES = 1e6;

/**
 * Checks parsed JSON field by field and gives the card with these fields only.
 *
 * @throws CardError that names the field, what was found and what was expected
 */
export function parseModelCard(json: unknown): ModelCard {
  const card = record(json, 'model card: the card');
  const at = (field: string) => `model card: ${field}`;
  const schema = card['schema'];
  if (schema !== 1) refuse(at('schema'), schema, '1');
  return {
    schema: 1,
    name: text(card['name'], at('name')),
    variant: oneOf(card['variant'], ['light', 'full', 'custom'] as const, at('variant')),
    file: fileName(card['file'], at('file')),
    tasks: list(card['tasks'], at('tasks'), parseTask),
    normalisation: parseNormalisation(card['normalisation'], at('normalisation')),
    training: text(card['training'], at('training')),
    data: list(card['data'], at('data'), data),
    licence: text(card['licence'], at('licence')),
    measured: list(card['measured'], at('measured'), measurement),
    limits: list(card['limits'], at('limits'), text),
  };
}

/** The rules by modality. @param at where they stand, for the message @throws CardError */
export function parseNormalisation(json: unknown, at: string): ModelCard['normalisation'] {
  const rules = record(json, at);
  const normalisation: { [M in Modality]?: NormalisationRule } = {};
  for (const key of Object.keys(rules)) {
    const modality = oneOf(key, MODALITIES, at);
    normalisation[modality] = parseRule(rules[key], `${at}.${modality}`);
  }
  return normalisation;
}

function parseRule(json: unknown, at: string): NormalisationRule {
  const fields = record(json, at);
  const kind = oneOf(fields['rule'], ['range', 'percentile', 'meanAbovePercentile'] as const, `${at}.rule`);
  if (kind === 'range') {
    const from = fields['from'];
    const [low, high] = list(from, `${at}.from`, number);
    if (low === undefined || high === undefined || !(low < high)) refuse(`${at}.from`, from, 'two rising numbers');
    if (Math.max(-low, high) > LARGEST || high - low < LEAST_WIDTH) {
      refuse(`${at}.from`, from, `a range at least ${LEAST_WIDTH} wide within ±${LARGEST}`);
    }
    return { rule: kind, from: [low, high] };
  }
  const percentile = number(fields['percentile'], `${at}.percentile`);
  if (!(percentile >= 0 && percentile <= 100)) refuse(`${at}.percentile`, percentile, 'a number from 0 to 100');
  const times = number(fields['times'], `${at}.times`);
  if (!(times > 0)) refuse(`${at}.times`, times, 'a number above 0');
  if (times > MOST_TIMES || times < 1 / MOST_TIMES) {
    refuse(`${at}.times`, times, `a number from ${1 / MOST_TIMES} to ${MOST_TIMES}`);
  }
  return { rule: kind, percentile, times };
}

/** One task. @param at where it stands, for the message @throws CardError */
export function parseTask(json: unknown, at: string): CardTask {
  const fields = record(json, at);
  return {
    modality: oneOf(fields['modality'], MODALITIES, `${at}.modality`),
    title: text(fields['title'], `${at}.title`),
    degradation: text(fields['degradation'], `${at}.degradation`),
    strength: number(fields['strength'], `${at}.strength`),
  };
}

function data(json: unknown, at: string): CardData {
  const fields = record(json, at);
  const url = text(fields['url'], `${at}.url`);
  // Cards may be shown with a link: only https, so that no card can carry a script.
  if (!url.startsWith('https://')) refuse(`${at}.url`, url, 'an https:// address');
  return {
    title: text(fields['title'], `${at}.title`),
    modality: oneOf(fields['modality'], MODALITIES, `${at}.modality`),
    licence: text(fields['licence'], `${at}.licence`),
    attribution: text(fields['attribution'], `${at}.attribution`),
    url,
  };
}

function measurement(json: unknown, at: string): CardMeasurement {
  const fields = record(json, at);
  return {
    modality: oneOf(fields['modality'], MODALITIES, `${at}.modality`),
    on: text(fields['on'], `${at}.on`),
    slices: number(fields['slices'], `${at}.slices`),
    rmseUnits: text(fields['rmseUnits'], `${at}.rmseUnits`),
    input: scores(fields['input'], `${at}.input`),
    restored: scores(fields['restored'], `${at}.restored`),
  };
}

function scores(json: unknown, at: string): CardScores {
  const fields = record(json, at);
  return {
    psnr: number(fields['psnr'], `${at}.psnr`),
    ssim: number(fields['ssim'], `${at}.ssim`),
    rmse: number(fields['rmse'], `${at}.rmse`),
  };
}

/** The weights lie beside the card: a path could lead elsewhere. */
function fileName(json: unknown, at: string): string {
  const name = text(json, at);
  if (!/^[\w.-]+\.safetensors$/.test(name)) refuse(at, name, 'the name of a .safetensors file without a folder');
  return name;
}
