import type { DicomHeader } from './dicomHeader.ts';
import type { Volume } from './volume.ts';

/** Slices in order, and where they lie. */
export interface DicomStack {
  readonly headers: readonly DicomHeader[];
  readonly spacing: Volume['spacing'];
  readonly affine: Volume['affine'];
  readonly notices: readonly string[];
}

type Vector = readonly [number, number, number];

/** Positions closer than this along the normal, in mm, are the same slice. */
const SAME_POSITION = 1e-3;
/** Distances between slices may differ by this part before the user is told; positions are rounded in files. */
const GAP_TOLERANCE = 0.02;

const vector = (values: readonly number[], from = 0): Vector =>
  [values[from] ?? 0, values[from + 1] ?? 0, values[from + 2] ?? 0];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector =>
  [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
};

const millimetres = (value: number): string => `${Number(value.toPrecision(4))} mm`;

/** Columns of the matrix and the first voxel's centre, LPS (DICOM) → 4×4 row by row, RAS+: x and y change sign. */
function affineFromLps(column: Vector, row: Vector, slice: Vector, origin: Vector): number[] {
  const line = (axis: 0 | 1 | 2, sign: number): number[] =>
    [column, row, slice, origin].map((part) => sign * part[axis] || 0);
  return [...line(0, -1), ...line(1, -1), ...line(2, 1), 0, 0, 0, 1];
}

/** Order without positions: instance number, then name; distances only where the header states them. */
function stackWithoutPositions(headers: readonly DicomHeader[]): DicomStack {
  const ordered = [...headers].sort((a, b) =>
    a.instanceNumber - b.instanceNumber || a.file.name.localeCompare(b.file.name, 'en', { numeric: true }));
  const [first] = ordered;
  const [rowSpacing, columnSpacing] = first?.pixelSpacing ?? [];
  const spacing = rowSpacing && columnSpacing
    ? { x: columnSpacing, y: rowSpacing, z: first?.sliceSpacing ?? 1 } : null;
  const notices = ordered.length > 1
    ? ['The files do not say where the slices lie; they are shown by instance number.'] : [];
  return { headers: ordered, spacing, affine: null, notices };
}

/**
 * Orders slices of one series, size and orientation by their position along the slice normal (row direction × column
 * direction of Image Orientation (Patient) (0020,0037), projected from Image Position (Patient) (0020,0032); PS3.3,
 * C.7.6.2.1.1), never by name. Of slices at one place, the first by instance number is kept.
 */
export function stackSlices(headers: readonly DicomHeader[]): DicomStack {
  const orientation = headers[0]?.orientation ?? null;
  if (!orientation || headers.some((header) => !header.position)) return stackWithoutPositions(headers);
  const across = vector(orientation, 0);
  const down = vector(orientation, 3);
  const normal = cross(across, down);
  const along = (header: DicomHeader): number => dot(normal, vector(header.position ?? []));
  const place = (header: DicomHeader): number => Math.round(along(header) / SAME_POSITION);
  const sorted = [...headers].sort((a, b) => place(a) - place(b) || a.instanceNumber - b.instanceNumber);
  const ordered = sorted.filter((header, index) => {
    const previous = sorted[index - 1];
    return !previous || place(header) !== place(previous);
  });
  const notices: string[] = [];
  const doubled = sorted.length - ordered.length;
  if (doubled > 0) {
    notices.push(`${doubled} of ${sorted.length} slices lie where another one does and were left out.`);
  }

  const gaps = ordered.slice(1).map((header, index) => along(header) - along(ordered[index] ?? header));
  const first = ordered[0] ?? headers[0];
  const gap = gaps.length > 0 ? median(gaps) : first?.sliceSpacing ?? 1;
  const uneven = gaps.filter((value) => Math.abs(value - gap) > GAP_TOLERANCE * gap);
  if (uneven.length > 0) {
    notices.push(
      `Slices are not evenly spaced (${millimetres(Math.min(...gaps))} to ${millimetres(Math.max(...gaps))}); ` +
      `${millimetres(gap)} is assumed throughout, some may be missing.`,
    );
  }
  const [rowSpacing, columnSpacing] = first?.pixelSpacing ?? [];
  if (!first || !rowSpacing || !columnSpacing) {
    notices.push('The files do not say how large their pixels are.');
    return { headers: ordered, spacing: null, affine: null, notices };
  }
  // From the positions themselves, so that a tilted gantry (slices shifted in plane) is kept.
  const origin = vector(first.position ?? []);
  const last = ordered[ordered.length - 1];
  const way = last && last !== first ? along(last) - along(first) : 0;
  const step = vector([0, 1, 2].map((axis) => way > 0
    ? ((last?.position?.[axis] ?? 0) - (origin[axis] ?? 0)) * gap / way
    : (normal[axis] ?? 0) * gap));
  if (Math.abs(Math.hypot(...step) - gap) > GAP_TOLERANCE * gap) {
    notices.push('Slices are shifted against each other (tilted gantry); they are shown as acquired.');
  }
  return {
    headers: ordered,
    spacing: { x: columnSpacing, y: rowSpacing, z: gap },
    affine: affineFromLps(
      vector(across.map((value) => value * columnSpacing)),
      vector(down.map((value) => value * rowSpacing)),
      step,
      origin,
    ),
    notices,
  };
}
