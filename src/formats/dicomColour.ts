import type { PixelLayout } from './dicomLayout.ts';
import type { Palette } from './dicomLookup.ts';
import type { Samples } from './dicomPixels.ts';
import { luma } from './luma.ts';

/** Where the brightness of a pixel comes from. */
export interface ColourSamples {
  readonly samples: Samples;
  /** The decoder has undone the colour transform, whatever the header declares. */
  readonly rgb: boolean;
  /** One plane a colour instead of interleaved pixels. */
  readonly planar: boolean;
  /** Two pixels share their colour differences: Y Y Cb Cr. */
  readonly halved: boolean;
}

/**
 * Writes the brightness (BT.601 luma, in the samples' own range) of a colour frame. The first component of YBR_FULL and
 * YBR_ICT is that luma already; YBR_PARTIAL puts it between 16 and 235 (PS3.3, C.7.6.3.1.2).
 */
export function brightness(
  { samples, rgb, planar, halved }: ColourSamples, { photometric }: PixelLayout, target: Float32Array,
): void {
  const count = target.length;
  if (!rgb && photometric === 'YBR_RCT') {
    reversibleBrightness(samples, planar, target);
  } else if (rgb || photometric === 'RGB') {
    const [step, plane] = planar ? [1, count] : [3, 1];
    for (let pixel = 0; pixel < count; pixel += 1) {
      const at = pixel * step;
      target[pixel] = luma(samples[at] ?? 0, samples[at + plane] ?? 0, samples[at + 2 * plane] ?? 0);
    }
  } else if (halved) {
    for (let pixel = 0; pixel < count; pixel += 1) target[pixel] = samples[(pixel >> 1) * 4 + (pixel & 1)] ?? 0;
  } else {
    const step = planar ? 1 : 3;
    for (let pixel = 0; pixel < count; pixel += 1) target[pixel] = samples[pixel * step] ?? 0;
  }
  if (!rgb && photometric.startsWith('YBR_PARTIAL')) {
    for (let pixel = 0; pixel < count; pixel += 1) target[pixel] = ((target[pixel] ?? 0) - 16) * 255 / 219;
  }
}

/** Reversible transform (ISO/IEC 15444-1, G.2): Y = ⌊(R + 2G + B) / 4⌋, Cb = B − G, Cr = R − G. */
function reversibleBrightness(samples: Samples, planar: boolean, target: Float32Array): void {
  const [step, plane] = planar ? [1, target.length] : [3, 1];
  for (let pixel = 0; pixel < target.length; pixel += 1) {
    const at = pixel * step;
    const [blue, red] = [samples[at + plane] ?? 0, samples[at + 2 * plane] ?? 0];
    const green = (samples[at] ?? 0) - Math.floor((blue + red) / 4);
    target[pixel] = luma(red + green, green, blue + green);
  }
}

/** Writes the brightness of each palette entry that a frame names; beyond both ends the last one. */
export function paletteBrightness(samples: Samples, palette: Palette, target: Float32Array): void {
  const { first, red, green, blue } = palette;
  const table = Float32Array.from(red, (value, index) => luma(value, green[index] ?? 0, blue[index] ?? 0));
  const last = table.length - 1;
  for (let pixel = 0; pixel < target.length; pixel += 1) {
    target[pixel] = table[Math.min(last, Math.max(0, (samples[pixel] ?? 0) - first))] ?? 0;
  }
}
