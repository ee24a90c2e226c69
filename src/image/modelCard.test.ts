import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readWeights } from '../weights/readWeights.ts';
import { CardError } from './cardFields.ts';
import { fileCardOf } from './cardMetadata.ts';
import { parseModelCard } from './modelCard.ts';

const shippedText = readFileSync(new URL('../../public/weights/light-all-in-one.json', import.meta.url), 'utf8');
const shipped = () => JSON.parse(shippedText) as Record<string, unknown>;

describe('model card', () => {
  it('of the shipped model is valid and says how it normalises', () => {
    const card = parseModelCard(shipped());
    expect(card.normalisation).toEqual({
      ct: { rule: 'range', from: [-1024, 3072] },
      pet: { rule: 'meanAbovePercentile', percentile: 60, times: 0.05 },
      mri: { rule: 'percentile', percentile: 99.8, times: 0.6 },
    });
    expect(card.file).toBe('light-all-in-one.safetensors');
    expect(card.tasks.map(({ modality }) => modality)).toEqual(['ct', 'pet', 'mri']);
    expect(card.data.every(({ licence, attribution }) => licence !== '' && attribution !== '')).toBe(true);
  });

  it('stands beside each shipped model, and says what the file says of itself', () => {
    const at = (name: string) => new URL(`../../public/weights/${name}`, import.meta.url);
    const index = JSON.parse(readFileSync(at('index.json'), 'utf8')) as { id: string; card: string }[];
    expect(index.map(({ id }) => id)).toEqual(['light-all-in-one', 'light-ct', 'light-pet', 'light-mri']);
    for (const { id, card: name } of index) {
      const card = parseModelCard(JSON.parse(readFileSync(at(name), 'utf8')));
      const bytes = new Uint8Array(readFileSync(at(card.file)));
      expect(card.file).toBe(`${id}.safetensors`);
      const own = fileCardOf(readWeights({ name: card.file, bytes }).metadata)!;
      expect(own.name).toBe(card.name);
      expect(own.normalisation).toEqual(card.normalisation);
      expect(own.tasks!.map(({ modality }) => modality)).toEqual(card.tasks.map(({ modality }) => modality));
      expect(card.measured.map(({ modality }) => modality)).toEqual(card.tasks.map(({ modality }) => modality));
      expect(card.limits.length).toBeGreaterThan(1);
    }
  });

  it('may leave out a modality\'s normalisation', () => {
    expect(parseModelCard({ ...shipped(), normalisation: {} }).normalisation).toEqual({});
  });

  it.each([
    ['not an object', null, 'model card: the card is null; expected an object'],
    ['a schema of the future', { ...shipped(), schema: 2 }, 'model card: schema is 2; expected 1'],
    ['no name', { ...shipped(), name: undefined }, 'model card: name is nothing; expected text'],
    [
      'a file elsewhere',
      { ...shipped(), file: '../secret.safetensors' },
      'model card: file is "../secret.safetensors"; expected the name of a .safetensors file without a folder',
    ],
    [
      'an unknown modality',
      { ...shipped(), normalisation: { xray: {} } },
      'model card: normalisation is "xray"; expected one of ct, pet, mri',
    ],
    [
      'an unknown rule',
      { ...shipped(), normalisation: { ct: { rule: 'eval' } } },
      'model card: normalisation.ct.rule is "eval"; expected one of range, percentile, meanAbovePercentile',
    ],
    [
      'an empty range',
      { ...shipped(), normalisation: { ct: { rule: 'range', from: [5, 5] } } },
      'model card: normalisation.ct.from is [5,5]; expected two rising numbers',
    ],
    [
      'a factor of 0',
      { ...shipped(), normalisation: { mri: { rule: 'percentile', percentile: 99.8, times: 0 } } },
      'model card: normalisation.mri.times is 0; expected a number above 0',
    ],
    [
      'a link that is a script',
      {
        ...shipped(),
        data: [{ title: 'a', modality: 'ct', licence: 'b', attribution: 'c', url: 'javascript:alert(1)' }],
      },
      'model card: data[0].url is "javascript:alert(1)"; expected an https:// address',
    ],
  ])('with %s is refused in one sentence', (_, json, sentence) => {
    expect(() => parseModelCard(json)).toThrow(new CardError(sentence));
  });
});
