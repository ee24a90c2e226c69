/** Stops of a colour map at equal distances, sRGB 0…255. */
export type ColourMap = readonly (readonly [number, number, number])[];

/** Signed differences: blue below, the canvas at zero, amber above. Lightness grows with the size of the difference. */
export const DIVERGING: ColourMap = [
  [190, 224, 255],
  [92, 165, 236],
  [38, 104, 176],
  [22, 52, 86],
  [14, 15, 17],
  [84, 46, 16],
  [173, 96, 22],
  [240, 160, 64],
  [255, 226, 176],
];

/** SSIM 0 → 1: inferno at nine stops (Smith & van der Walt, CC0), reversed: what is alike is dark. */
export const SEQUENTIAL: ColourMap = [
  [252, 255, 164],
  [249, 201, 50],
  [249, 142, 9],
  [227, 89, 51],
  [188, 55, 84],
  [138, 34, 106],
  [87, 16, 110],
  [33, 12, 74],
  [8, 8, 16],
];

/** The colour at `t` in [0, 1]; values outside are clamped. */
export function colourAt(map: ColourMap, t: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, t)) * (map.length - 1);
  const i = Math.min(map.length - 2, Math.floor(at));
  const from = map[i]!;
  const to = map[i + 1]!;
  const mix = (c: 0 | 1 | 2) => from[c] + (to[c] - from[c]) * (at - i);
  return [mix(0), mix(1), mix(2)];
}

/** The map as a CSS gradient to the right. */
export function cssGradient(map: ColourMap): string {
  return `linear-gradient(to right, ${map.map(([r, g, b]) => `rgb(${r} ${g} ${b})`).join(', ')})`;
}
