import { parseArgs, type ParseArgsConfig } from 'node:util';
import type { Modality } from '../formats/volume.ts';
import { UsageError } from './errors.ts';

export const USAGE = `Restore-RWKV on the command line.

  inspect FILE... [--json]                what images or weights a file, folder or zip holds
  restore INPUT... --out PATH [--weights FILE] [--modality ct|pet|mri] [--raw] [--series N] [--deidentify]
          [--memory MIB] [--precision f32|f16]
                                          restores every slice; PATH ends in .nii, .nii.gz, .nrrd, .mha or .png, or is
                                          a folder with a slash at its end for a derived DICOM series; a slice that
                                          takes more than MIB (1024) is done in overlapping tiles;
                                          f16 halves what activations take on the GPU, after a check
  degrade INPUT... --out PATH --task ct|pet|mri [--strength N] [--seed N] [--noise N] [--series N]
                                          simulates the low-quality input of a task; --noise for mri, a share of the
                                          brightest signal
  evaluate --reference R --input I [--input-row LOW] [--against OTHER] [--modality ct|pet|mri] [--csv FILE]
           [--markdown | --json]          PSNR, SSIM and RMSE, mean and standard deviation over slices, of images or of
                                          folders matched by file name; LOW adds the row of the unrestored input, OTHER
                                          another restoration and paired tests of the two
  evaluate --weights FILE... --data DIR --task ct|pet|mri [--against FILE] [--strength N] [--seed N] [--noise N]
           [--slices 7|7-12|"every 5"] [--precision f32|f16] [--csv FILE] [--markdown | --json]
                                          the same of models, on inputs simulated from the references in DIR
  sweep REFERENCE... --task ct|pet|mri [--weights FILE]... [--strengths A,B,C] [--slices 7|7-12|every 5] [--seed N]
        [--noise N] [--csv FILE] [--json] [--series N]
                                          PSNR, SSIM and RMSE over strengths of the simulated degradation, for the input
                                          and each model
  train --data DIR --task ct|pet|mri|all --steps N --out FILE [--weights FILE | --variant light|full|tiny]
                                          learns from the volumes in DIR (with all: in its folders ct, pet and mri) and
                                          writes safetensors; FILE.checkpoint beside it is what --resume goes on from
        [--reference DIR]...              DIR holds inputs and these their references; else inputs are simulated:
        [--strength N] [--noise N]        for all: --strength ct=0.25/0.1/0.05,pet=12,mri=4,
                                          several in turn, the first for validation
        [--shares ct=1,pet=1,mri=2] [--gain LO,HI|none] [--validation DIR] [--validation-slices N] [--name TEXT]
        [--batch N] [--crop N] [--rate N] [--last-rate N] [--clip N] [--parts all|decoder] [--recompute] [--seed N]
        [--checkpoint-every N] [--validate-every N] [--resume FILE] [--json]
  verify [DIR] [--json]                   conformance vectors against every interpreter present
  bench [--variant light|full|both] [--size 128,256,512] [--kernels] [--peers] [--onnx FILE]... [--budget SECONDS]
        [--precision f32|f16] [--tune | --no-tune] [--torch SCRIPT] [--json | --markdown] [--compare OLD.json]
                                          speed on this device, against the least time that it allows and in turn with
                                          stock tfjs (at 128 only, unless --peers) and onnxruntime-web on FILE (where
                                          that package is installed); OLD.json is an earlier --json, exit status 1 where
                                          something got slower; a case that takes longer than SECONDS (300) is left out;
                                          --tune tries the kernels' tiles anew and says what was chosen, --no-tune keeps
                                          the default; SCRIPT times PyTorch: python3 SCRIPT --sizes … --variant …
  bench --training [--batch N] [--crop N] [--json | --markdown]
                                          time and memory of a training step of the light network on WebGPU, with the
                                          kernels of this program and with those of stock tfjs; with --size, both

  --device gpu|software|wasm|cpu          for restore, evaluate, sweep, verify, bench and (but for cpu) train; a GPU where there
                                          is one, else wasm (for verify, bench, train: software WebGPU)

Exit status: 0 done, 1 refused or failed, 2 wrong usage. Not a medical device.`;

type Options = NonNullable<ParseArgsConfig['options']>;

/** The arguments of one verb; an unknown, doubled-up or valueless option ends as a UsageError. */
export function parseVerb<const O extends Options>(verb: string, args: string[], options: O) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    // Node's sentence goes on with advice on quoting after the first full stop.
    const reason = (error as Error).message.split(/\. |\n/, 1)[0];
    throw new UsageError(`${verb}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`);
  }
}

/** A value out of a short list, or undefined where the option was not given. */
export function oneOf<T extends string>(option: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((name) => name === value.toLowerCase());
  if (!found) throw new UsageError(`--${option} is "${value}"; it can be ${allowed.join(', ')}`);
  return found;
}

/** A verb's option without which it cannot start. */
export function required(verb: string, option: string, value: string | undefined): string {
  if (!value) throw new UsageError(`${verb}: --${option} is missing`);
  return value;
}

/** `--series N`: which of several images, counted from 1. */
export function seriesOption(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(value)) throw new UsageError(`--series is "${value}"; it must be a whole number from 1`);
  return Number(value);
}

export const modalityOption = (value: string | undefined, option = 'modality'): Modality | undefined =>
  oneOf(option, value, ['ct', 'pet', 'mri'] as const);
