import type { Volume } from '../formats/volume.ts';
import { writePng } from '../formats/writePng.ts';
import { windowPresets } from '../image/window.ts';

/**
 * One slice as a grey PNG: what came from a PNG in [0, 1] and its own bit depth, anything else in 8 bits through the
 * modality's first window.
 */
export function pngOf(volume: Volume): Uint8Array {
  const { columns: width, rows: height, modality, origin, data } = volume;
  if (origin.format === 'picture') return writePng({ width, height, data }, origin.bitDepth);
  const [{ centre, width: range, inverted }] = windowPresets(modality, data);
  const grey = data.map((value) => {
    const shown = (value - centre) / range + 0.5;
    return inverted ? 1 - shown : shown;
  });
  return writePng({ width, height, data: grey });
}
