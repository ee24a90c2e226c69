import { FormatError } from '../volume.ts';

/** Packets, each with its own header; 8192 × 8192 pixels in precincts of 128 × 128 and 20 layers make 120,000. */
const MAX_PACKETS = 2 ** 20;
/** Code-blocks, some hundred bytes each in a decoder; 8192 × 8192 pixels of three components make 65,000 of 64 × 64. */
const MAX_BLOCKS = 2 ** 20;
const MAX_LEVELS = 32;

/** How a tile's component is divided and coded (ITU-T T.800, A.6.1 and A.6.2). */
export interface CodingStyle {
  readonly layers: number;
  readonly colourTransform: boolean;
  /** Wavelet decompositions. */
  readonly levels: number;
  /** Base-2 logarithms of the code-block's width and height. */
  readonly block: readonly [number, number];
  readonly reversible: boolean;
  /** Base-2 logarithms of the precincts' width and height, from the smallest resolution on. */
  readonly precincts: readonly (readonly [number, number])[];
}

/** SPcod and SPcoc (tables A.20 and A.23). */
function readParameters(operation: string, bytes: Uint8Array, precinctsDeclared: boolean) {
  const [levels = 0, width = 0, height = 0, , transform = 0] = bytes;
  const expected = precinctsDeclared ? 5 + levels + 1 : 5;
  const block = [width + 2, height + 2] as const;
  if (bytes.length < expected || levels > MAX_LEVELS || block[0] > 10 || block[1] > 10 || block[0] + block[1] > 12) {
    throw new FormatError(`${operation}: the coding style is damaged; export or download the file again`);
  }
  const precincts = Array.from({ length: levels + 1 }, (_, index) => {
    const packed = precinctsDeclared ? bytes[5 + index] ?? 0 : 0xff;
    return [packed & 15, packed >> 4] as const;
  });
  return { levels, block, reversible: transform === 1, precincts };
}

/** COD without marker and length. @throws FormatError where it is cut short or declares the impossible */
export function readCodingStyle(operation: string, content: Uint8Array): CodingStyle {
  const [style = 0, , layersHigh = 0, layersLow = 0, colour = 0] = content;
  return {
    layers: (layersHigh << 8) | layersLow,
    colourTransform: colour === 1,
    ...readParameters(operation, content.subarray(5), (style & 1) === 1),
  };
}

/** COC from its style byte on; layers and colour transform are the main header's. @throws FormatError as for COD */
export function readComponentStyle(operation: string, content: Uint8Array, main: CodingStyle): CodingStyle {
  return { ...main, ...readParameters(operation, content.subarray(1), ((content[0] ?? 0) & 1) === 1) };
}

interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly tileColumns: number;
  readonly tileRows: number;
  readonly tiles: number;
}

/**
 * Refuses what would keep a decoder busy or full for no picture's sake: counts precincts and code-blocks as though each
 * style found anywhere were that of every component of every tile (B.6 and B.7).
 *
 * @param progressions how many progression orders there are, each of which passes over the packets
 * @throws FormatError where packets or code-blocks are too many
 */
export function checkWork(operation: string, grid: Grid, styles: readonly CodingStyle[], progressions: number): void {
  const layers = styles.reduce((most, style) => Math.max(most, style.layers), 0);
  for (const { levels, block, precincts } of styles) {
    let packets = 0;
    let blocks = 0;
    precincts.forEach((precinct, resolution) => {
      const scale = 2 ** (levels - resolution);
      // Cells of 2^exponent in a tile, one more where its edges cut through cells, but no more than in the image.
      const along = (image: number, tile: number, exponent: number): number => Math.min(
        Math.ceil(image / scale / 2 ** exponent), Math.ceil(Math.min(image, tile) / scale / 2 ** exponent) + 1,
      );
      const cells = (wide: number, high: number): number =>
        along(grid.columns, grid.tileColumns, wide) * along(grid.rows, grid.tileRows, high);
      packets += cells(precinct[0], precinct[1]);
      // A code-block is no larger than its precinct within a sub-band, half as wide above the lowest resolution.
      const halved = resolution > 0 ? 1 : 0;
      const within = (axis: 0 | 1): number => Math.min(block[axis], Math.max(0, precinct[axis] - halved)) + halved;
      blocks += (halved ? 3 : 1) * cells(within(0), within(1));
    });
    const everywhere = grid.components * grid.tiles;
    if (layers < 1 || packets * layers * everywhere * progressions > MAX_PACKETS || blocks * everywhere > MAX_BLOCKS) {
      throw new FormatError(
        `${operation}: the image is cut into ${Math.max(packets * layers, blocks) * everywhere} parts, more than can ` +
        'be decoded; export it with larger blocks and fewer layers',
      );
    }
  }
}
