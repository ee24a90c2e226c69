import type { Modality, Volume } from '../formats/volume.ts';
import type { ModelCard } from '../image/modelCard.ts';
import { IDENTITY, isPicture, normalisationFor, type Normalisation } from '../image/normalise.ts';
import { paddedSize } from '../image/padding.ts';
import { sliceOf, type Slice } from '../image/slice.ts';
import { fromSuv, toSuv } from '../image/suv.ts';
import { EDGE_MULTIPLE } from '../model/config.ts';
import { modalityOption, parseVerb, required, seriesOption } from './arguments.ts';
import { deviceOption, openRestorer, precisionOption, type Restorer } from './devices.ts';
import { RefusedError, UsageError } from './errors.ts';
import { readVolume } from './files.ts';
import { loadModel, SHIPPED_WEIGHTS } from './loadedModel.ts';
import { outputAt } from './output.ts';
import { restoreSlice, throughNetwork, type RestoredSlice } from './restoreSlice.ts';
import { note, progress } from './terminal.ts';

const OPTIONS = {
  out: { type: 'string' },
  weights: { type: 'string' },
  modality: { type: 'string' },
  raw: { type: 'boolean' },
  device: { type: 'string' },
  series: { type: 'string' },
  deidentify: { type: 'boolean' },
  memory: { type: 'string' },
  precision: { type: 'string' },
} as const;

/** `restore INPUT… --out PATH`: every slice of one volume through the network, in the input's own terms. */
export async function restore(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('restore', args, OPTIONS);
  if (positionals.length === 0) throw new UsageError('restore: name an image, or a folder of DICOM slices');
  const out = required('restore', 'out', values.out);
  const wanted = modalityOption(values.modality);
  const choice = deviceOption(values.device);
  const memory = memoryOption(values.memory);
  const precision = precisionOption(values.precision);
  const series = seriesOption(values.series);
  const output = await outputAt('restore', out, positionals, {
    type: values.raw ? 'float32' : 'source', dicom: !values.raw,
  });

  const read = await readVolume(positionals, series);
  output.check(read);
  const volume = !values.raw && (wanted ?? read.modality) === 'pet' ? toSuv(read) : read;
  const { weights, name, version, normalisation: rules, notices } = await loadModel(values.weights ?? SHIPPED_WEIGHTS);
  const normalisation = values.raw ? null : normalisationOf(volume, wanted, rules);
  note(...notices, ...volume.notices);
  if (normalisation) note(normalisation.sentence, ...(normalisation.notice ? [normalisation.notice] : []));

  const restorer = await openRestorer(weights, choice, { memory, precision });
  const data = await restoreSlices(volume, normalisation, restorer);
  restorer.dispose();
  const derivation = { model: { name, version }, deidentify: values.deidentify ?? false };
  note(...await output.write(fromSuv({ ...volume, data }), derivation));
  return 0;
}

function normalisationOf(
  volume: Volume, wanted: Modality | undefined, rules: ModelCard['normalisation'],
): Normalisation {
  const modality = wanted ?? volume.modality;
  if (modality === null) {
    if (isPicture(volume)) return IDENTITY;
    throw new UsageError(
      `restore: ${volume.name} does not say what it is; add --modality ct, pet or mri, or --raw where it is in [0, 1]`,
    );
  }
  if (volume.modality !== null && volume.modality !== modality) {
    note(`${volume.name} says ${volume.modality.toUpperCase()}; it is taken as ${modality.toUpperCase()}`);
  }
  return normalisationFor(modality, volume, rules[modality] ?? null);
}

/** MiB as bytes. */
function memoryOption(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const mebibytes = Number(text);
  if (text.trim() !== '' && mebibytes >= 1 && mebibytes <= 2 ** 20) return mebibytes * 2 ** 20;
  throw new UsageError(`restore: --memory is "${text}"; say a number of MiB such as 2048`);
}

/** All slices, in native units (without a normalisation: as the network gives them). */
async function restoreSlices(volume: Volume, normalisation: Normalisation | null, restorer: Restorer): Promise<Float32Array> {
  const result = new Float32Array(volume.data.length);
  const { height, width } = paddedSize({ width: volume.columns, height: volume.rows }, EDGE_MULTIPLE);
  const tiles = await restorer.tiles?.(height, width) ?? 1;
  if (tiles > 1) note(`a slice does not fit in the memory as a whole: ${tiles} overlapping parts, the network sees one at a time`);
  const start = performance.now();
  let nonFinite = 0;
  let clamped = 0;
  const begin = async (index: number): Promise<RestoredSlice> => {
    const slice = sliceOf(volume, index);
    const where = `slice ${index + 1}`;
    if (normalisation) return restoreSlice(slice, normalisation, restorer, where);
    return { restored: await throughNetwork(rawSlice(slice, index), restorer, where), clamped: 0, nonFinite: 0 };
  };
  // While one comes back from the device the next is on its way there; tiles go one by one.
  let following: Promise<RestoredSlice> | null = null;
  for (let index = 0; index < volume.slices; index++) {
    const current: Promise<RestoredSlice> = following ?? begin(index);
    following = tiles === 1 && index + 1 < volume.slices ? begin(index + 1) : null;
    following?.catch(() => undefined); // heard when its turn comes
    const { restored, ...input } = await current;
    nonFinite += input.nonFinite;
    clamped += input.clamped;
    result.set(restored.data, index * volume.columns * volume.rows);
    progress('slice', index + 1, volume.slices, performance.now() - start);
  }
  if (clamped > 0) note(`${clamped} voxels lay outside the network's range and were set to its nearest end`);
  if (nonFinite > 0) note(`${nonFinite} voxels were not finite and were taken as the least value`);
  return result;
}

/** A slice for `--raw`: values outside [0, 1] pass, but one NaN would spread over the whole image. */
function rawSlice(slice: Slice, index: number): Slice {
  const broken = slice.data.findIndex((value) => !Number.isFinite(value));
  if (broken < 0) return slice;
  throw new RefusedError(`restore: slice ${index + 1} holds ${slice.data[broken]}; --raw wants finite values in [0, 1]`);
}
