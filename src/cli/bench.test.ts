import { expect, test } from 'vitest';
import { bench } from './bench.ts';
import { UsageError } from './errors.ts';

test.each([
  [['--size', '60'], '--size is "60"; it can be multiples of 8 up to 4096'],
  [['--size', '128,'], '--size is "128,"'],
  [['--size', '0'], '--size is "0"'],
  [['--size', '1e2'], '--size is "1e2"'],
  [['--size', Array.from({ length: 17 }, (_, i) => 8 * (i + 1)).join(',')], '17 cases are too many'],
  [['--variant', 'tiny'], '--variant is "tiny"; it can be light, full, both'],
  [['--budget', '0'], '--budget is "0"'],
  [['--budget', 'Infinity'], '--budget is "Infinity"'],
  [['--json', '--markdown'], 'choose --json or --markdown'],
  [['--variant', 'both', '--onnx', 'a.onnx'], 'choose --variant light or full'],
  [['--training', '--compare', 'a.json'], '--compare needs images'],
  [['--device', 'cpu'], '--device can be gpu, software or wasm'],
  [['old.json'], '"old.json" is no option'],
  [['--tune', '--no-tune'], 'choose --tune or --no-tune'],
])('bench refuses %o', async (args, sentence) => {
  await expect(bench(args)).rejects.toThrow(UsageError);
  await expect(bench(args)).rejects.toThrow(sentence);
});

test('bench refuses a PyTorch script that is not there before it measures', async () => {
  await expect(bench(['--torch', 'no/such/script.py'])).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(bench(['--torch', import.meta.dirname])).rejects.toThrow('give a Python script that times PyTorch');
});
