import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../weights/safetensors.ts';
import { CardError } from './cardFields.ts';
import { cardOf, fileCardOf, metadataOf, ruleSentence, ruleSentences } from './cardMetadata.ts';
import { parseModelCard } from './modelCard.ts';

const shipped = parseModelCard(
  JSON.parse(readFileSync(new URL('../../public/weights/light-all-in-one.json', import.meta.url), 'utf8')),
);

const normalisation = (json: unknown) => ({ normalisation: typeof json === 'string' ? json : JSON.stringify(json) });

describe('what a weights file says of itself', () => {
  it('survives a safetensors file: name, training, normalisation and tasks of the shipped card', () => {
    const { metadata } = readSafetensors(writeSafetensors(new Map(), metadataOf(shipped)));
    const { name, training, normalisation, tasks } = shipped;
    expect(fileCardOf(metadata)).toEqual({ name, training, normalisation, tasks });
  });

  it('is null where the metadata has none of the keys, as in public checkpoints', () => {
    expect(fileCardOf({})).toBeNull();
    expect(fileCardOf({ format: 'pt', card: '{"normalisation": 5}' })).toBeNull();
    expect(fileCardOf({ name: ' \u0007 ' })).toBeNull();
  });

  it('may be a normalisation alone, of one modality', () => {
    const rule = { rule: 'range', from: [0, 800] };
    expect(fileCardOf(normalisation({ mri: rule }))).toEqual({
      name: null, training: null, normalisation: { mri: rule }, tasks: [],
    });
  });

  it('comes back as plain text of bounded length', () => {
    const name = `<img onerror=x>\u001b[31m\u202eliver${'!'.repeat(500)}`;
    const card = fileCardOf({ name, training: 'a\nb\u0000c' })!;
    expect(card.name).not.toMatch(/[<>\u0000-\u001f\u202e]/);
    expect(card.name!.length).toBe(120);
    expect(card.training).toBe('a b c');
  });

  it('leaves out tasks in another program\'s form', () => {
    for (const tasks of ['denoising', '["ct"]', '{}', '['.repeat(50_000), `"${'x'.repeat(200_000)}"`]) {
      expect(fileCardOf({ name: 'mine', tasks })!.tasks).toEqual([]);
    }
  });

  it.each([
    ['no JSON', 'divide by 4', 'weights: the file\'s own normalisation is "divide by 4"; expected JSON'],
    ['nothing', '', 'weights: the file\'s own normalisation is "(nothing)"; expected JSON'],
    ['a list', [], 'weights: the file\'s own normalisation is []; expected an object'],
    [
      'an unknown modality', '{"__proto__": {}}',
      'weights: the file\'s own normalisation is "__proto__"; expected one of ct, pet, mri',
    ],
    [
      'a range that float32 cannot divide by', { ct: { rule: 'range', from: [0, 1e-320] } },
      'weights: the file\'s own normalisation.ct.from is [0,1e-320]; expected a range at least 0.000001 wide within ' +
        '±1000000000000',
    ],
    [
      'a range without end', '{"ct": {"rule": "range", "from": [-1e308, 1e308]}}',
      'weights: the file\'s own normalisation.ct.from is [-1e+308,1e+308]; expected a range at least 0.000001 wide ' +
        'within ±1000000000000',
    ],
    [
      'a factor without measure', { mri: { rule: 'percentile', percentile: 99, times: 1e300 } },
      'weights: the file\'s own normalisation.mri.times is 1e+300; expected a number from 0.000001 to 1000000',
    ],
    [
      'more text than rules can need', `{${' '.repeat(100_000)}}`,
      'weights: the file\'s own normalisation is "100002 characters long"; expected at most 100000',
    ],
  ])('with %s as normalisation is refused in one sentence', (_, json, sentence) => {
    expect(() => fileCardOf(normalisation(json))).toThrow(new CardError(sentence));
  });

  it('with brackets nested without end as normalisation is refused like any other', () => {
    for (const json of ['['.repeat(90_000), `${'['.repeat(45_000)}${']'.repeat(45_000)}`]) {
      expect(() => fileCardOf(normalisation(json))).toThrow(CardError);
    }
  });
});

describe('a rule in words', () => {
  it('names the modality, the numbers, and whether they are the paper\'s', () => {
    expect(ruleSentence('ct', null)).toBe('CT: −1024 … 3072 HU becomes 0 … 1, the paper\'s range.');
    expect(ruleSentence('pet', { rule: 'range', from: [0, 10] })).toBe('PET: 0 … 10 SUV becomes 0 … 1.');
    expect(ruleSentence('mri', shipped.normalisation.mri!)).toBe(
      'MRI: values are divided by percentile 99.8 of the volume\'s voxels above 0 and multiplied by 0.6.',
    );
    expect(ruleSentence('pet', shipped.normalisation.pet!)).toBe(
      'PET: values are divided by the mean of the volume\'s voxels above their percentile 60 and multiplied by 0.05.',
    );
  });
});

describe('a card made of what a file says of itself', () => {
  const rule = { rule: 'percentile', percentile: 99.8, times: 0.6 } as const;
  const fileCard = { name: null, training: null, normalisation: { mri: rule }, tasks: [] };

  it('has the file\'s name and its normalisation, and is a valid card but for what nobody said', () => {
    const card = cardOf(fileCard, { file: 'mine.safetensors', variant: 'custom' });
    expect(card).toMatchObject({ name: 'mine.safetensors', normalisation: { mri: rule }, data: [], measured: [] });
    expect(parseModelCard(JSON.parse(JSON.stringify(card)))).toEqual(card);
  });

  it('says its rules in words: of its tasks, else of its rules, else the paper\'s of all three', () => {
    expect(ruleSentences(fileCard)).toEqual([ruleSentence('mri', rule)]);
    expect(ruleSentences({ tasks: shipped.tasks.slice(0, 1), normalisation: {} })).toEqual([ruleSentence('ct', null)]);
    expect(ruleSentences({ ...shipped, tasks: shipped.tasks.slice(0, 1) })).toHaveLength(1);
    expect(ruleSentences({ tasks: [], normalisation: { mri: rule } })).toEqual([ruleSentence('mri', rule)]);
    expect(ruleSentences({ tasks: [], normalisation: {} })).toHaveLength(3);
  });
});
