/** What is learnt from, and what it is judged by. */
export interface HeldOut<Item> {
  readonly training: readonly Item[];
  readonly validation: readonly Item[];
}

/** Fewer slices than these are kept or held out together. */
const LEAST_SLICES = 4;
const SHARE = 10;
/** Anatomy changes little over this distance along z, mm. */
const LOOKALIKE = 3;

/**
 * Holds a tenth of the slices out for validation so that no slice is learnt from that looks like one of them: of a
 * volume, a block in its middle, while the slices within 3 mm on either side (at least one, at most as many as the block
 * has) are in neither part. Of volumes with fewer than 4 slices, every tenth is held out whole.
 *
 * @param volumes slices in their order along z, and mm between them where that is known
 */
export function holdOut<Item>(
  volumes: readonly { readonly slices: readonly Item[]; readonly spacing: number | null }[],
): HeldOut<Item> {
  const training: Item[] = [];
  const validation: Item[] = [];
  let small = 0;
  for (const { slices, spacing } of volumes) {
    const count = slices.length;
    if (count < LEAST_SLICES) {
      (++small % SHARE === 0 ? validation : training).push(...slices);
      continue;
    }
    const block = Math.max(1, Math.round(count / SHARE));
    const near = spacing !== null && spacing > 0 ? Math.ceil(LOOKALIKE / spacing) : 1;
    const margin = Math.min(block, Math.max(1, near));
    const first = Math.floor((count - block) / 2);
    validation.push(...slices.slice(first, first + block));
    training.push(...slices.slice(0, first - margin), ...slices.slice(first + block + margin));
  }
  return { training, validation };
}

/** At most `count` items, evenly spread over all. */
export function spread<Item>(items: readonly Item[], count: number): Item[] {
  if (items.length <= count) return [...items];
  return Array.from({ length: count }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / count)]!);
}
