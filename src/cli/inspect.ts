import { stat } from 'node:fs/promises';
import { plainText } from '../formats/guard.ts';
import type { NamedBytes, Volume } from '../formats/volume.ts';
import { fileCardOf, ruleSentence } from '../image/cardMetadata.ts';
import { MODALITIES, type ModelCard } from '../image/modelCard.ts';
import { variantName } from '../model/config.ts';
import { countParameters } from '../weights/networkWeights.ts';
import { readWeights } from '../weights/readWeights.ts';
import { parseVerb } from './arguments.ts';
import { sentence, UsageError } from './errors.ts';
import { findInputs, readInput } from './files.ts';
import { cardBeside } from './loadedModel.ts';

interface ImageReport {
  readonly kind: 'image';
  readonly format: string;
  readonly modality: string | null;
  /** [slices, rows, columns] */
  readonly shape: readonly number[];
  /** mm, [z, y, x] */
  readonly spacing: readonly number[] | null;
  readonly units: string;
  /** Over finite voxels, in native units after rescale; null where there are none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
}

interface WeightsReport {
  readonly kind: 'weights';
  readonly variant: string;
  readonly dim: number;
  readonly blocks: readonly number[];
  readonly refinement: number;
  readonly parameters: number;
  /** What the file or the card beside it says of itself; absent where neither does. */
  readonly name?: string;
  /** The rules by modality of that card or file; absent where there are none and the paper's ranges apply. */
  readonly normalisation?: ModelCard['normalisation'];
}

/**
 * `inspect FILE… [--json]`: one report an image; a folder or zip may hold several, numbered for `--series`. A refused
 * file does not stop the rest.
 */
export async function inspect(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('inspect', args, { json: { type: 'boolean' } });
  if (positionals.length === 0) throw new UsageError('inspect: name at least one file');
  let status = 0;
  for (const path of positionals) {
    try {
      for await (const { name, report, notices } of reportsOn(path)) {
        console.log(values.json ? JSON.stringify(report) : describe(name, report));
        for (const notice of notices) process.stderr.write(`note: ${sentence(notice)}\n`);
      }
    } catch (error) {
      const reason = sentence(error);
      process.stderr.write(`error: ${reason.startsWith(path) ? reason : `${path}: ${reason}`}\n`);
      status = 1;
    }
  }
  return status;
}

interface Report {
  readonly name: string;
  readonly report: ImageReport | WeightsReport;
  readonly notices: readonly string[];
}

/** @throws the first image's own reason where none of several can be read */
async function* reportsOn(path: string): AsyncGenerator<Report> {
  if (!(await stat(path)).isDirectory()) {
    const file = await readInput(path);
    if (looksLikeWeights(file.bytes)) {
      yield { name: path, ...await weightsReport(path, file) };
      return;
    }
  }
  const { images, notices } = await findInputs([path]);
  let told = notices;
  let failure: unknown = null;
  let read = 0;
  for (const [index, image] of images.entries()) {
    let volume: Volume;
    try {
      volume = await image.read();
    } catch (error) {
      if (images.length > 1) process.stderr.write(`note: image ${index + 1}, ${image.title}: ${sentence(error)}\n`);
      failure ??= error;
      continue;
    }
    const name = images.length === 1 ? path : `${path} [${index + 1}: ${image.title}]`;
    yield { name, report: imageReport(volume), notices: [...told, ...volume.notices] };
    told = [];
    read += 1;
  }
  if (read === 0) throw failure;
}

function imageReport(volume: Volume): ImageReport {
  const { format, modality, slices, rows, columns, spacing, units } = volume;
  return {
    kind: 'image',
    format,
    modality: modality && modality.toUpperCase(),
    shape: [slices, rows, columns],
    spacing: spacing && [spacing.z, spacing.y, spacing.x],
    units,
    ...range(volume.data),
  };
}

interface Findings {
  readonly report: WeightsReport;
  readonly notices: readonly string[];
}

async function weightsReport(path: string, file: NamedBytes): Promise<Findings> {
  const { config, ignored, metadata } = readWeights(file);
  const { dim, blocks, refinement } = config;
  const { card, notices } = await cardBeside(path);
  const known = card ?? fileCardOf(metadata);
  if (ignored.length > 0) notices.push(`${ignored.length} tensors of the file are not used by this network`);
  return {
    report: {
      kind: 'weights', variant: variantName(config), dim, blocks, refinement, parameters: countParameters(config),
      ...(known?.name ? { name: plainText(known.name) } : {}),
      ...(known && Object.keys(known.normalisation).length > 0 ? { normalisation: known.normalisation } : {}),
    },
    notices,
  };
}

/** Least, largest and mean finite value, summed in float64. */
function range(data: Float32Array): Pick<ImageReport, 'min' | 'max' | 'mean'> {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  let count = 0;
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
    count++;
  }
  return count > 0 ? { min, max, mean: sum / count } : { min: null, max: null, mean: null };
}

/**
 * Weights are told from images by content: a safetensors header (length, then a brace), a zip that holds a pickle, or a
 * bare pickle. NIfTI begins with the size of its header and DICOM has "DICM" at 128, so neither is mistaken.
 */
function looksLikeWeights(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text.toString('latin1', 128, 132) === 'DICM') return false;
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return true;
  if (text.toString('latin1', 0, 2) === 'PK') return text.includes('data.pkl');
  // The upper half of the header's length is zero or the file is broken; NIfTI has its magic at 344 or 4.
  const nifti = /^(n\+1|ni1)/.test(text.toString('latin1', 344, 347)) || /^(n\+2|ni2)/.test(text.toString('latin1', 4, 7));
  return bytes[8] === 0x7b && !nifti;
}

function describe(path: string, report: ImageReport | WeightsReport): string {
  if (report.kind === 'weights') {
    const { variant, dim, blocks, refinement, parameters, name, normalisation } = report;
    const rules = MODALITIES.map((modality) => ruleSentence(modality, normalisation?.[modality] ?? null));
    return `${path}: ${name ? `${name}, ` : ''}weights, ${variant}, C = ${dim}, blocks ${blocks.join(' ')}, ` +
      `refinement ${refinement}, ${parameters.toLocaleString('en')} parameters\n  ${rules.join('\n  ')}`;
  }
  const { format, modality, shape, spacing, units, min, max, mean } = report;
  const [slices, rows, columns] = shape;
  const size = `${columns} × ${rows} × ${slices}`;
  const places = (value: number | null) => (value === null ? 'none' : String(Number(value.toPrecision(6))));
  const voxel = spacing ? `${spacing.toReversed().map(places).join(' × ')} mm` : 'spacing unknown';
  return `${path}: ${format}, ${modality ?? 'modality unknown'}, ${size}, ${voxel}, ${units}, ` +
    `${places(min)} to ${places(max)}, mean ${places(mean)}`;
}
