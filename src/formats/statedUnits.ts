import type { Modality, Units } from './volume.ts';

/** Units, and the modality that they imply, where a header's free text names them; never guessed from values. */
export function statedUnits(text: string): { units: Units; modality: Modality | null } {
  if (/\bHU\b|hounsfield/i.test(text)) return { units: 'HU', modality: 'ct' };
  if (/\bBq\/ml\b/i.test(text)) return { units: 'Bq/mL', modality: 'pet' };
  if (/\bSUV\b/.test(text)) return { units: 'SUV', modality: 'pet' };
  return { units: 'raw', modality: null };
}

/** What a saved file says of itself. NIfTI and MetaImage have no field for units, so that they stand here. */
export function savedDescription(units: Units): string {
  return `Restore-RWKV, not for diagnosis${units === 'raw' ? '' : `; ${units}`}`;
}
