import type { Volume } from '../formats/volume.ts';

/**
 * A PET volume in SUV by body weight, where its headers give the factor; any other volume as it is. The values are
 * multiplied where they lie: the volume given is no longer to be used.
 */
export function toSuv(volume: Volume): Volume {
  const factor = volume.suv?.factor ?? null;
  if (volume.units !== 'Bq/mL' || factor === null) return volume;
  const { data } = volume;
  for (let index = 0; index < data.length; index += 1) data[index] = (data[index] ?? 0) * factor;
  return { ...volume, units: 'SUV' };
}

/** The volume in the unit of its file, Bq/mL, with values of its own, where `toSuv` has changed it; else as it is. */
export function fromSuv(volume: Volume): Volume {
  const factor = volume.suv?.factor ?? null;
  if (volume.units !== 'SUV' || factor === null) return volume;
  return { ...volume, units: 'Bq/mL', data: volume.data.map((value) => value / factor) };
}
