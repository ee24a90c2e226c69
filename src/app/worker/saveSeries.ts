import { version } from '../../../package.json';
import type { NamedBytes } from '../../formats/volume.ts';
import { precisionText } from '../precisionText.ts';
import type { SaveRequest, Work } from '../protocol.ts';
import { text } from '../text.ts';
import { writeToNewFolder } from './folder.ts';
import { UserError, proceed } from './jobs.ts';
import type { Job } from './jobs.ts';
import type { Model } from './models.ts';
import { kept, plainName, resultOf } from './save.ts';
import type { Saved } from './save.ts';
import type { Study } from './study.ts';

/** A zip without the 64-bit extension holds at most this much, with room for its directory. */
const MOST_BYTES = 2 ** 32 - 2 ** 26;

/**
 * The restored volume as a derived DICOM series: into a folder of its own inside the one that was chosen, file after
 * file, or as one zip. Names of de-identified files say nothing of where they came from.
 */
export async function saveSeries(
  study: Study,
  { deidentify, everySlice, folder }: SaveRequest & { what: 'dicom' },
  model: Model | null,
  job: Job,
  tell: (known: Omit<Work, 'state'>) => void,
): Promise<Saved> {
  if (study.degradation !== null) throw new UserError(text.save.simulated);
  const { writeDicomSeries } = await import('../../formats/writeDicom.ts');
  const { files, notices } = await writeDicomSeries(resultOf(study), {
    model: { name: model?.name ?? text.model.unnamed, version: model?.version ?? text.model.unnamed },
    software: text.software(version, precisionOf(study)),
    deidentify,
    indices: [...study.restored.keys()],
    everySlice,
  });
  proceed(job);
  const name = deidentify ? 'deidentified-restored' : `${plainName(study.volume.name)}-restored`;
  const all = [...(everySlice ? kept(study) : []), ...notices];
  if (folder) {
    const { into, done } = await writeToNewFolder(folder, name, files, job, (known) => tell({ ...known, left: null }));
    const sentence = done < files.length
      ? text.failed.savedPartly(done, files.length, into, null)
      : text.notices.savedFolder(files.length, into);
    return { name: into, blob: null, sentence, notices: all };
  }
  const zip = `${name}.zip`;
  return { name: zip, blob: await zipped(files), sentence: text.notices.saved(zip), notices: all };
}

/** Of the restored slices, to be added to the software's name. */
function precisionOf({ restored, halves }: Study): string {
  const precision = halves.size === 0 ? 'f32' : halves.size === restored.size ? 'f16' : 'both';
  return precisionText.inFiles[precision];
}

/** One zip of files as they are: DICOM that is worth packing is packed already. */
async function zipped(files: readonly NamedBytes[]): Promise<Blob> {
  const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total > MOST_BYTES) throw new UserError(text.failed.zipTooLarge(total));
  const { Zip, ZipPassThrough } = await import('fflate');
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part as Uint8Array<ArrayBuffer>);
  });
  for (const { name, bytes } of files) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    entry.push(bytes, true);
  }
  zip.end();
  return new Blob(parts, { type: 'application/zip' });
}
