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
  const kernel = hannRamp(n);
  const filtered = new Float32Array(sinogram.length);
  for (let a = 0; a < angles; a++) {
    const row = sinogram.subarray(a * n, (a + 1) * n);
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += row[i]! * kernel[n - 1 + j - i]!;
      filtered[a * n + j] = sum;
    }
  }
  const scale = Math.PI / angles;
  return backproject(geometry, filtered).map((value) => value * scale);
}

/**
 * The filter in space, index distance + n − 1. The ramp is 1/4 at 0, −1/(π·k)² at odd and 0 at even distances; the
 * window cos²(π·k/m) = 1/2 + cos(2π·k/m)/2 is the three-point average 1/4, 1/2, 1/4 of it.
 */
function hannRamp(n: number): Float64Array {
  const ramp = (k: number) => (k === 0 ? 0.25 : k % 2 === 0 ? 0 : -1 / (Math.PI * k) ** 2);
  return Float64Array.from({ length: 2 * n - 1 }, (_, i) => {
    const k = i - (n - 1);
    return ramp(k) / 2 + (ramp(k - 1) + ramp(k + 1)) / 4;
  });
}
