import type { PixelReport } from './derivedPixels.ts';

/** What is worth telling the user, gathered over all files. */
export interface Findings {
  readonly reports: PixelReport[];
  readonly missing: Set<string>;
  untouchedFrames: number;
  burnedIn: boolean;
  pet: boolean;
}

const short = (value: number): number => Number(value.toPrecision(6));

/** The findings as sentences. */
export function noticesOf(found: Findings, deidentified: boolean, nameOf: (tag: string) => string): string[] {
  const notices: string[] = [];
  const notFinite = found.reports.reduce((total, report) => total + report.notFinite, 0);
  const coarser = found.reports.flatMap((report) => report.coarser);
  const [first] = coarser;
  if (found.reports.some(({ wasColour }) => wasColour)) {
    notices.push('The source is in colour; the saved images are in shades of grey.');
  }
  if (first) {
    const most = coarser.reduce((a, b) => (b.to / b.from > a.to / a.from ? b : a), first);
    const [least, greatest, from, to] = [most.least, most.greatest, most.from, most.to].map(short);
    notices.push(
      `Values from ${least} to ${greatest} have more steps of ${from} than the pixels can hold; ${coarser.length} of ` +
      `the saved images or frames have larger steps, up to ${to}.`,
    );
  }
  if (notFinite > 0) {
    notices.push(
      `${notFinite} voxels without a finite number were saved as padding or, where the source has none, as the ` +
      'smallest storable value.',
    );
  }
  if (found.untouchedFrames > 0) {
    notices.push(
      `A multi-frame file is saved whole: ${found.untouchedFrames} frames that were not restored hold the input’s ` +
      'values.',
    );
  }
  if (found.missing.size > 0) {
    const names = [...found.missing].map(nameOf);
    notices.push(
      `The source lacks what its kind of image requires (${names.slice(0, 6).join(', ')}` +
      `${names.length > 6 ? `, and ${names.length - 6} more` : ''}); the saved files lack it too.`,
    );
  }
  if (deidentified && found.burnedIn) {
    notices.push('Text may be burned into the pixels; de-identification did not look there, so check the images.');
  }
  if (deidentified && found.pet) {
    notices.push('SUV can no longer be computed from the saved files: weight and times went with the identity.');
  }
  return notices;
}
