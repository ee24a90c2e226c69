import { tuneText } from '../fineTuneText.ts';
import type { TuneNumbers } from '../view/tuneDefaults.ts';
import { NumberField } from './NumberField.tsx';

interface Props {
  readonly numbers: TuneNumbers;
  readonly problem: string | null;
  readonly onNumber: (change: Partial<TuneNumbers>) => void;
}

const FIELDS = ['steps', 'batch', 'crop', 'rate', 'validateEvery', 'checkpointEvery', 'seed'] as const;
const STEP: Readonly<Record<(typeof FIELDS)[number], number>> = {
  steps: 100, batch: 1, crop: 8, rate: 1e-5, validateEvery: 10, checkpointEvery: 10, seed: 1,
};

/** The numbers of a run, each with a sentence; the defaults suit the device. */
export function FineTuneNumbers({ numbers, problem, onNumber }: Props) {
  return (
    <details className="tune-more" open={problem !== null || undefined}>
      <summary>
        {tuneText.more}
        <small>{tuneText.numbersAre(numbers.steps, numbers.batch, numbers.crop)}</small>
      </summary>
      <div className="tune-numbers">
        {FIELDS.map((field) => {
          const [label = '', says] = tuneText.fields[field];
          return (
            <div key={field}>
              <NumberField
                label={label}
                value={numbers[field]}
                step={STEP[field]}
                onValue={(value) => onNumber({ [field]: value })}
              />
              <small>{says}</small>
            </div>
          );
        })}
      </div>
      {problem && <p className="tune-warning">{problem}</p>}
    </details>
  );
}
