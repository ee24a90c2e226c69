import { backproject, project, toSquare } from './projection.ts';
import type { Random } from './random.ts';
import type { Slice } from './slice.ts';

export interface CtDegradation {
  /** The share of the reference's dose, above 0, at most 1. */
  readonly dose: number;
  /** mm between columns. */
  readonly pixelSpacing: number;
  /** Photons per detector bin and angle before the patient, at full dose. */
  readonly photons: number;
  /** Standard deviation of the read-out's noise in photons. */
  readonly electronic: number;
  readonly angles: number;
}

export const CT_DEFAULTS = { dose: 0.25, photons: 8e5, electronic: 10, angles: 360 } as const;

/** Linear attenuation of water near 70 keV, 1/mm. */
const WATER = 0.0192;

/**
 * A CT slice in HU at a share of its dose: the slice plus the filtered back-projection of the noise that its line
 * integrals p would have, −ln((Poisson(e^−p·photons·dose) + electronic noise) / (photons·dose)) − p, times √(1 − dose)
 * because the reference keeps the noise of its own dose. Noise is therefore streaked along thick and dense paths, and
 * grows with the patient's diameter. Ramp filter (Kak and Slaney, eq. 61) under a Hann window cos²(π·k/m).
 *
 * Not square: air is added to make it so. Non-finite voxels count as air and stay as they are in the result.
 */
export function degradeCt(slice: Slice, degradation: CtDegradation, random: Random): Slice {
  const { dose, pixelSpacing, photons, electronic, angles } = degradation;
  const { n, data, back } = toSquare(slice, -1000);
  const attenuation = data.map((hu) => (Number.isFinite(hu) ? Math.max(WATER * (1 + hu / 1000), 0) * pixelSpacing : 0));
  const geometry = { n, angles };
  const sinogram = project(geometry, attenuation);
  const sent = photons * dose;
  for (let i = 0; i < sinogram.length; i++) {
    const p = sinogram[i]!;
    const counted = random.poisson(Math.exp(-p) * sent) + electronic * random.normal();
    sinogram[i] = -Math.log(Math.max(counted, 1) / sent) - p;
  }
  const noise = filteredBackprojection(geometry, sinogram);
  const toHu = ((1000 / WATER) * Math.sqrt(1 - dose)) / pixelSpacing;
  return back(data.map((hu, i) => hu + noise[i]! * toHu));
}

/** Sinogram [angles, n] in pixel lengths → image [n, n] per pixel length. */
export function filteredBackprojection(geometry: { n: number; angles: number }, sinogram: Float32Array): Float32Array {
  const { n, angles } = geometry;
  const ramp = Float64Array.from({ length: 2 * n + 1 }, (_, i) => rampAt(i - n));
  const filtered = new Float32Array(sinogram.length);
  for (let a = 0; a < angles; a++) filtered.set(filterRow(sinogram.subarray(a * n, (a + 1) * n), ramp), a * n);
  const scale = Math.PI / angles;
  return backproject(geometry, filtered).map((value) => value * scale);
}

/** The ramp filter in space at distance k. */
function rampAt(k: number): number {
  if (k === 0) return 0.25;
  return k % 2 === 0 ? 0 : -1 / (Math.PI * k) ** 2;
}

/**
 * A row [n] under the ramp (distance k at index n + k) and the window cos²(π·k/m) = 1/2 + cos(2π·k/m)/2, which is the
 * three-point average 1/4, 1/2, 1/4 of what the ramp gives; one position beyond each end of the row takes part in it.
 */
function filterRow(row: Float32Array, ramp: Float64Array): Float64Array {
  const n = row.length;
  const ramped = new Float64Array(n + 2);
  for (let j = -1; j <= n; j++) {
    let sum = j >= 0 && j < n ? row[j]! * ramp[n]! : 0;
    for (let i = (j + 1) & 1; i < n; i += 2) sum += row[i]! * ramp[n + j - i]!;
    ramped[j + 1] = sum;
  }
  const windowed = new Float64Array(n);
  for (let j = 0; j < n; j++) windowed[j] = (ramped[j]! + 2 * ramped[j + 1]! + ramped[j + 2]!) / 4;
  return windowed;
}
