import type { Modality } from '../formats/volume.ts';

/** How native units become the network's [0, 1]: n = clamp((native − offset) · scale, 0, 1). */
export type NormalisationRule =
  /** from[0] … from[1] in native units becomes 0 … 1. */
  | { readonly rule: 'range'; readonly from: readonly [number, number] }
  /** native · times / (percentile of the volume's voxels that are > 0). */
  | { readonly rule: 'percentile'; readonly percentile: number; readonly times: number }
  /** native · times / (mean of the volume's voxels that are above its percentile). */
  | { readonly rule: 'meanAbovePercentile'; readonly percentile: number; readonly times: number };

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

/** A model card that cannot be understood; the message is one sentence for the user. */
export class CardError extends Error {
  override name = 'CardError';
}

const MODALITIES = ['ct', 'pet', 'mri'] as const;
/** A card is a page of text; more is not a card. */
const LONGEST_TEXT = 10_000;
const LONGEST_LIST = 100;

/**
 * Checks parsed JSON field by field and gives the card with these fields only. Throws CardError that names the field,
 * what was found and what was expected.
 */
export function parseModelCard(json: unknown): ModelCard {
  const card = record(json, 'the card');
  const schema = card['schema'];
  if (schema !== 1) refuse('schema', schema, '1');
  const rules = record(card['normalisation'], 'normalisation');
  const normalisation: { [M in Modality]?: NormalisationRule } = {};
  for (const key of Object.keys(rules)) {
    const modality = oneOf(key, MODALITIES, 'normalisation');
    normalisation[modality] = rule(rules[key], `normalisation.${modality}`);
  }
  return {
    schema: 1,
    name: text(card['name'], 'name'),
    variant: oneOf(card['variant'], ['light', 'full', 'custom'] as const, 'variant'),
    file: fileName(card['file']),
    tasks: list(card['tasks'], 'tasks', task),
    normalisation,
    training: text(card['training'], 'training'),
    data: list(card['data'], 'data', data),
    licence: text(card['licence'], 'licence'),
    measured: list(card['measured'], 'measured', measurement),
    limits: list(card['limits'], 'limits', text),
  };
}

function rule(json: unknown, at: string): NormalisationRule {
  const fields = record(json, at);
  const kind = oneOf(fields['rule'], ['range', 'percentile', 'meanAbovePercentile'] as const, `${at}.rule`);
  if (kind === 'range') {
    const from = fields['from'];
    const [low, high] = list(from, `${at}.from`, number);
    if (low === undefined || high === undefined || !(low < high)) refuse(`${at}.from`, from, 'two rising numbers');
    return { rule: kind, from: [low, high] };
  }
  const percentile = number(fields['percentile'], `${at}.percentile`);
  if (!(percentile >= 0 && percentile <= 100)) refuse(`${at}.percentile`, percentile, 'a number from 0 to 100');
  const times = number(fields['times'], `${at}.times`);
  if (!(times > 0)) refuse(`${at}.times`, times, 'a number above 0');
  return { rule: kind, percentile, times };
}

function task(json: unknown, at: string): CardTask {
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

function record(json: unknown, at: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) refuse(at, json, 'an object');
  return json as Record<string, unknown>;
}

function list<T>(json: unknown, at: string, item: (json: unknown, at: string) => T): T[] {
  if (!Array.isArray(json) || json.length > LONGEST_LIST) refuse(at, json, `a list of at most ${LONGEST_LIST}`);
  return json.map((entry: unknown, i) => item(entry, `${at}[${i}]`));
}

function text(json: unknown, at: string): string {
  if (typeof json !== 'string' || json === '' || json.length > LONGEST_TEXT) refuse(at, json, 'text');
  return json;
}

/** The weights lie beside the card: a path could lead elsewhere. */
function fileName(json: unknown): string {
  const name = text(json, 'file');
  if (!/^[\w.-]+\.safetensors$/.test(name)) refuse('file', name, 'the name of a .safetensors file without a folder');
  return name;
}

function number(json: unknown, at: string): number {
  if (typeof json !== 'number' || !Number.isFinite(json)) refuse(at, json, 'a finite number');
  return json;
}

function oneOf<T extends string>(json: unknown, allowed: readonly T[], at: string): T {
  const found = allowed.find((value) => value === json);
  if (found === undefined) refuse(at, json, `one of ${allowed.join(', ')}`);
  return found;
}

function refuse(at: string, found: unknown, expected: string): never {
  const shown = found === undefined ? 'nothing' : (JSON.stringify(found) ?? typeof found).slice(0, 60);
  throw new CardError(`model card: ${at} is ${shown}; expected ${expected}`);
}
