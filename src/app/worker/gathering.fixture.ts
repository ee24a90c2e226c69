/** An uncompressed NIfTI-1 of float32 with a bright block in every slice, written field by field from the standard. */
export function niftiOf(columns: number, rows: number, slices: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(352 + 4 * columns * rows * slices);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, 348, true);
  [3, columns, rows, slices, 1, 1, 1, 1].forEach((size, i) => view.setInt16(40 + 2 * i, size, true));
  view.setInt16(70, 16, true);
  view.setInt16(72, 32, true);
  [1, 1, 1, 2].forEach((mm, i) => view.setFloat32(76 + 4 * i, mm, true));
  view.setFloat32(108, 352, true);
  view.setFloat32(112, 1, true);
  view.setInt16(254, 1, true);
  [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0].forEach((entry, i) => view.setFloat32(280 + 4 * i, entry, true));
  bytes.set([0x6e, 0x2b, 0x31, 0], 344);
  for (let i = 0; i < columns * rows * slices; i++) view.setFloat32(352 + 4 * i, i % columns > 3 ? 500 + i : 0, true);
  return bytes;
}
