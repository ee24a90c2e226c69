import type { Modality } from '../formats/volume.ts';
import { percentile } from './percentile.ts';

/** Values from centre − width/2 to centre + width/2 go from black to white; inverted: from white to black. */
export interface Window {
  readonly centre: number;
  readonly width: number;
  readonly inverted: boolean;
}

export interface WindowPreset extends Window {
  readonly name: string;
}

/** The customary windows of CT reading, in HU. */
export const CT_WINDOWS: readonly WindowPreset[] = [
  { name: 'Abdomen', centre: 40, width: 400, inverted: false },
  { name: 'Lung', centre: -600, width: 1500, inverted: false },
  { name: 'Bone', centre: 400, width: 1800, inverted: false },
  { name: 'Brain', centre: 40, width: 80, inverted: false },
];

/** Presets for a modality, the one to start with first. `data`: the volume's voxels or those of one slice. */
export function windowPresets(modality: Modality | null, data: Float32Array): WindowPreset[] {
  if (modality === 'ct') return [...CT_WINDOWS, { name: 'Auto', ...autoWindow('ct', data) }];
  if (modality === 'pet') {
    const auto = autoWindow('pet', data);
    return [
      { name: 'Inverted', ...auto },
      { name: 'Hot is white', ...auto, inverted: false },
    ];
  }
  return [{ name: 'Auto', ...autoWindow(modality, data) }];
}

/**
 * A window from the data: CT and MRI from percentile 1 to 99.5; PET from 0 to percentile 99.5 of what is above 0, dark
 * where hot; images without a modality from minimum to maximum. A constant image gets a width that shows it mid-grey.
 */
export function autoWindow(modality: Modality | null, data: Float32Array): Window {
  const [low, high] = extent(modality, data);
  const inverted = modality === 'pet';
  if (!(high > low)) return { centre: low, width: Math.max(Math.abs(low) * 2, 1), inverted };
  return { centre: (low + high) / 2, width: high - low, inverted };
}

function extent(modality: Modality | null, data: Float32Array): [low: number, high: number] {
  if (modality === 'pet') return [0, percentile(data, 99.5, (value) => value > 0) ?? 0];
  if (modality === null) return [percentile(data, 0) ?? 0, percentile(data, 100) ?? 0];
  return [percentile(data, 1) ?? 0, percentile(data, 99.5) ?? 0];
}
