import type { Findings, FoundImage } from '../../formats/foundImage.ts';
import { findImages } from '../../formats/readImages.ts';
import type { Volume } from '../../formats/volume.ts';
import { toSuv } from '../../image/suv.ts';
import { MOST_FILES } from '../protocol.ts';
import type { Found, FoundCard, FromWorker, NamedFile, Picture, Role, Work } from '../protocol.ts';
import { text } from '../text.ts';
import { fromDisk } from './files.ts';
import { UserError, proceed, sentence } from './jobs.ts';
import type { Job } from './jobs.ts';
import { ASSUMED } from './study.ts';
import { thumbnail } from './thumbnail.ts';

/** The page is told this often (ms) how far a reading is. */
const TELL_EVERY = 100;

/** What one drop held; its images can be opened one after another. */
interface Finding extends Findings {
  readonly role: Role;
  readonly pictures: (Picture | null)[];
  /** The job that reads these files at the moment: cancelling it ends the reading. */
  readonly reader: { job: Job | null };
}

/** An image that was read, with all that there is to say about it. */
export interface Opened {
  readonly volume: Volume;
  readonly notes: readonly string[];
}

/** The images of the last drops: those that are open, and those that can be chosen instead. */
export class Opening {
  private readonly post: (message: FromWorker) => void;
  private readonly findings = new Map<number, Finding>();
  private readonly opened = new Map<Role, number>();
  private last = 0;
  /** The finding whose thumbnails are being made. */
  private picturing: { readonly finding: number } | null = null;

  constructor(post: (message: FromWorker) => void) {
    this.post = post;
  }

  /** The images among files: the number under which they are kept, and how many there are. */
  async find(files: readonly NamedFile[], role: Role, job: Job): Promise<{ finding: number; images: number }> {
    const reader: Finding['reader'] = { job };
    const check = () => {
      if (reader.job) proceed(reader.job);
    };
    const found = await findImages(files.map((file) => fromDisk(file, check)));
    proceed(job);
    reader.job = null;
    const finding = ++this.last;
    const cut = files.length >= MOST_FILES ? [text.notices.tooMany(MOST_FILES)] : [];
    const notices = [...cut, ...found.notices];
    this.findings.set(finding, { ...found, notices, role, pictures: found.images.map(() => null), reader });
    this.forget();
    return { finding, images: found.images.length };
  }

  /** Lets the user choose; thumbnails come one after another. */
  async offer(finding: number): Promise<void> {
    const { role, images, pictures } = this.known(finding);
    const found: Found = { finding, role, images: images.map((image, i) => cardOf(image, pictures[i] ?? null)) };
    this.post({ type: 'found', found });
    await this.makePictures(finding);
  }

  /** Reads one image; PET in Bq/mL becomes SUV where the file says how. */
  async read(finding: number, index: number, job: Job): Promise<Opened> {
    const kept = this.known(finding);
    const image = kept.images[index]!;
    const { size } = image;
    const total = size && size.slices;
    const began = performance.now();
    let told = began;
    this.picturing = null;
    kept.reader.job = job;
    this.busy({ done: total && 0, total, left: null });
    try {
      const volume = toSuv(
        await image.read((done) => {
          proceed(job);
          const now = performance.now();
          if (now - told < TELL_EVERY || total === null) return;
          told = now;
          this.busy({ done, total, left: done > 0 ? ((now - began) / done) * (total - done) : null });
        }),
      );
      proceed(job);
      const said = volume.suv ? [volume.suv.sentence] : [];
      return { volume, notes: [...new Set([...volume.notices, ...said, ...kept.notices])] };
    } finally {
      kept.reader.job = null;
    }
  }

  /** Remembers what an open image came from, so that another of the same drop can be chosen. */
  keep(role: Role, finding: number | null): void {
    if (finding === null) this.opened.delete(role);
    else this.opened.set(role, finding);
    this.forget();
  }

  findingOf(role: Role): number | null {
    return this.opened.get(role) ?? null;
  }

  /** Goes on with the thumbnails of a finding until it is finished or another thing is wanted. */
  async makePictures(finding: number): Promise<void> {
    const kept = this.findings.get(finding);
    if (!kept || this.picturing?.finding === finding) return;
    const mine = { finding };
    this.picturing = mine;
    for (const [index, image] of kept.images.entries()) {
      if (this.picturing !== mine) return;
      if (kept.pictures[index]) continue;
      const picture = await pictureOf(image);
      // A reading that ended the thumbnails may have ended this one badly.
      if (this.picturing !== mine) return;
      kept.pictures[index] = picture;
      this.post({ type: 'preview', finding, index, picture });
    }
    this.picturing = null;
  }

  private known(finding: number): Finding {
    const found = this.findings.get(finding);
    if (!found) throw new UserError(text.failed.forgotten);
    return found;
  }

  /** Files of drops that nothing was opened from are let go when the next ones come. */
  private forget(): void {
    const wanted = new Set([this.last, ...this.opened.values()]);
    for (const finding of this.findings.keys()) if (!wanted.has(finding)) this.findings.delete(finding);
  }

  private busy(known: Omit<Work, 'state'>): void {
    this.post({ type: 'busy', work: { state: 'loading', ...known } });
  }
}

function cardOf({ title, format, modality, size, files }: FoundImage, picture: Picture | null): FoundCard {
  return { title, format, modality, size: size && { ...size, slices: size.slices / size.times }, files, picture };
}

async function pictureOf(image: FoundImage): Promise<Picture> {
  try {
    const slice = await image.preview();
    const modality = image.modality ?? slice.modality ?? ASSUMED;
    return { url: await thumbnail(slice, modality, { cover: false, beside: null }) };
  } catch (error) {
    return { failed: sentence('The preview', error) };
  }
}
