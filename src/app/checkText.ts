/** Every sentence and label of the check of the device. */
export const checkText = {
  name: 'Check this device',
  says:
    'Restores a made-up image with made-up weights, so that every device has the same to do, and says how long that ' +
    'takes: a whole image, each kernel, and the least that this device could need. Nothing leaves this computer; ' +
    'share the result only if you like.',
  sizes: 'Image sizes',
  size: (size: number) => `${size} × ${size}`,
  full: 'Also the full network',
  fullSays: 'About 25 times the work; its weights take 100 MiB.',
  slow: 'There is no graphics processor for this page: larger sizes take minutes, and what takes too long is left out.',
  wasm: 'There is no WebGPU here: WebAssembly on the processor is timed, without kernels and floor.',
  begin: 'Start',
  cancel: 'Cancel',
  progress: 'Check',
  measuring: (name: string, number: number, total: number) => `Measuring ${name}, ${number} of ${total}…`,
  ready: 'Nothing has been measured yet.',
  done: (count: number) => (count === 1 ? 'Done: one size measured.' : `Done: ${count} sizes measured.`),
  cancelled: 'Cancelled; what was measured is shown.',
  software: 'Software rendering: slow',
  rates: (rates: string) => `At most ${rates}, measured.`,
  features: (features: readonly string[]) =>
    features.length === 0 ? 'No optional features.' : `Uses ${features.join(', ')}.`,
  results: 'Results',
  columns: {
    case: 'Network',
    time: 'An image',
    floor: 'Times the floor',
    memory: 'Memory',
    dispatches: 'Dispatches',
    first: 'First image',
  },
  floorSays:
    'The floor is the least time that the measured rates allow; the first image includes getting ready for its size.',
  kernels: (name: string) => `Kernels, ${name}`,
  kernelsSay:
    'Each dispatch by itself, so that all of them take longer than an image; browsers round short times to 0.1 ms.',
  noKernels: 'This browser gives no timestamps, so kernels are not timed.',
  kernelColumns: { name: 'Kernel', share: 'Share', time: 'Time', dispatches: 'Dispatches' },
  leftOut: (name: string, why: string) => `${name} left out: ${why}.`,
  copy: 'Copy as Markdown',
  copied: 'Copied.',
  notCopied: 'The browser did not allow copying; save the JSON instead.',
  save: 'Save JSON',
  file: (date: string) => `restore-rwkv-bench-${date}.json`,
  onWasm: (threads: number) => `WebAssembly, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
  browser: (name: string, system: string, processors: number) =>
    `${[name, system].filter(Boolean).join(' on ')}, ${processors} ${processors === 1 ? 'processor' : 'processors'}`,
};
