import { basename, resolve } from 'node:path';
import { verify as verifyVectors, type CaseResult } from '../conformance/verify.ts';
import { parseVerb } from './arguments.ts';
import { deviceOption } from './devices.ts';
import { RefusedError, UsageError } from './errors.ts';
import { listInputs } from './files.ts';
import { openSubjects } from './subjects.ts';

/** From the bundle in .cache/cli as from src/cli. */
const SHIPPED_VECTORS = resolve(import.meta.dirname, '../../public/conformance');

/** `verify [DIR] [--json]`: every interpreter present against the vectors; 1 where one is out of tolerance. */
export async function verify(args: string[]): Promise<number> {
  const { values, positionals } = parseVerb('verify', args, { json: { type: 'boolean' }, device: { type: 'string' } });
  if (positionals.length > 1) throw new UsageError('verify: name one folder of vectors at most');
  const folder = positionals[0] ?? SHIPPED_VECTORS;
  const choice = deviceOption(values.device);
  const sources = (await listInputs([folder])).filter(({ name }) => name.endsWith('.safetensors'));
  const files = await Promise.all(sources.map(async (file) => ({ name: basename(file.name), bytes: await file.bytes() })));
  if (files.length === 0) throw new RefusedError(`${folder}: no .safetensors file with vectors is in this folder`);

  const subjects = await openSubjects(choice);
  const print = values.json ? printJson : printLine;
  const { results, passed, notApplicable } = await verifyVectors(files, subjects, print);
  const failed = results.filter((result) => !result.passed);
  if (!values.json) {
    for (const [name, count] of notApplicable) {
      if (count > 0) console.log(`      ${name.padEnd(11)}  ${count} cases do not apply to it: metrics, or too large for it`);
    }
    console.log(`${results.length - failed.length} of ${results.length} cases within tolerance`);
  }
  if (!passed) {
    const worst = failed.map(({ subject, case: name }) => `${name} on ${subject}`);
    const more = worst.length > 3 ? ` and ${worst.length - 3} more` : '';
    const what = worst.length > 0 ? `${worst.slice(0, 3).join(', ')}${more} out of tolerance` : 'no case was checked';
    process.stderr.write(`error: verify: ${what}\n`);
  }
  return passed ? 0 : 1;
}

/** A result as one JSON object; an infinite error has no number in JSON and becomes null. */
function printJson(result: CaseResult): void {
  console.log(JSON.stringify(result));
}

function printLine({ passed, subject, file, case: name, error, tolerance, tensor, failure, milliseconds }: CaseResult): void {
  const verdict = passed ? 'ok  ' : 'FAIL';
  const found = failure ?? `${error.toExponential(1)} of ${tolerance.toExponential(0)}${passed ? '' : ` in ${tensor}`}`;
  console.log(`${verdict}  ${subject.padEnd(11)}  ${`${file} ${name}`.padEnd(44)}  ${found}  ${Math.round(milliseconds)} ms`);
}
