import { useEffect, useState } from 'react';
import { standardDegradation } from '../../image/degrade.ts';
import type { Degradation } from '../../image/degrade.ts';
import type { Modality } from '../../formats/volume.ts';
import type { TrainingOptions } from '../../training/training.ts';
import { askFit, begin } from '../fineTuneActions.ts';
import type { Fit, TuneSource, TuneStart } from '../fineTune.ts';
import { tuneText } from '../fineTuneText.ts';
import type { NamedFile } from '../protocol.ts';
import { useApp } from '../store.ts';
import { cadence, optionsOf, problemOf, tuneDefaults } from '../view/tuneDefaults.ts';
import type { TuneNumbers } from '../view/tuneDefaults.ts';
import { Choice } from './Choice.tsx';
import { FineTuneNumbers } from './FineTuneNumbers.tsx';
import { FineTuneSource } from './FineTuneSource.tsx';

/** What a run is to be; every choice has a default, so that Start is enough. */
export function FineTuneForm() {
  const image = useApp((state) => state.image);
  const device = useApp((state) => state.device);
  const stored = useApp((state) => state.tune.stored);
  const model = useApp((state) => state.models.find(({ id }) => id === state.model) ?? null);
  const working = useApp((state) => state.work !== null);
  const [kind, setKind] = useState<TuneSource['kind']>(image ? 'opened' : 'references');
  const [references, setReferences] = useState<NamedFile[]>([]);
  const [inputs, setInputs] = useState<NamedFile[]>([]);
  const [chosenModality, setModality] = useState<Modality>(image?.modality ?? 'mri');
  const fromOpened = kind === 'opened' || kind === 'openedPair';
  const modality = fromOpened && image ? image.modality : chosenModality;
  const [degradations, setDegradations] = useState<Partial<Record<Modality, Degradation>>>({});
  const degradation = degradations[modality] ?? standardDegradation(modality);
  const [start, setStart] = useState<TuneStart>(model ? 'model' : 'tiny');
  const [wantedParts, setParts] = useState<TrainingOptions['parts']>('all');
  // From scratch there is nothing yet that could be left as it is.
  const parts = start === 'model' ? wantedParts : 'all';
  const [typed, setTyped] = useState<Partial<TuneNumbers>>({});
  const fit = useFit(start, parts, typed, model?.id ?? null);
  const defaults = tuneDefaults(start, device, fit?.batch ?? null);
  const steps = typed.steps ?? defaults.steps;
  const numbers: TuneNumbers = { ...defaults, ...cadence(steps), ...typed };
  const problem = problemOf(numbers);
  const missing =
    kind === 'references' ? references.length === 0
    : kind === 'pairs' ? references.length === 0 || inputs.length === 0
    : image === null;

  const submit = () => {
    const source: TuneSource =
      kind === 'references' ? { kind, references } : kind === 'pairs' ? { kind, inputs, references } : { kind };
    const { checkpointEvery, validateEvery } = numbers;
    const options = optionsOf(numbers, parts, fit?.recompute);
    begin({ source, modality, degradation, start, options, checkpointEvery, validateEvery });
  };
  return (
    <form
      className="tune-form"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <FineTuneSource
        kind={kind}
        onKind={setKind}
        references={references}
        onReferences={setReferences}
        inputs={inputs}
        onInputs={setInputs}
        modality={modality}
        onModality={fromOpened ? null : setModality}
        degradation={degradation}
        onDegradation={(value) => setDegradations({ ...degradations, [modality]: value })}
      />
      <Choice
        legend={tuneText.start.legend}
        name="tune-start"
        chosen={start}
        onChoose={setStart}
        kinds={(['model', 'light', 'tiny'] as const).map((of) => {
          const [title = '', says = ''] = tuneText.start.kinds[of](model?.name ?? tuneText.start.none);
          return { kind: of, title, says, disabled: of === 'model' && !model };
        })}
      />
      {start === 'model' && (
        <Choice
          legend={tuneText.parts.legend}
          name="tune-parts"
          chosen={parts}
          onChoose={setParts}
          kinds={(['all', 'decoder'] as const).map((of) => {
            const [title = '', says = ''] = tuneText.parts[of];
            return { kind: of, title, says };
          })}
        />
      )}
      <FineTuneNumbers numbers={numbers} problem={problem} onNumber={(change) => setTyped({ ...typed, ...change })} />
      <div className="actions save-actions tune-start">
        <p>
          <FitLine fit={fit} />
          {stored && <small>{tuneText.replaces}</small>}
        </p>
        <button type="submit" className="button primary" disabled={missing || problem !== null || working}>
          {tuneText.begin}
        </button>
      </div>
    </form>
  );
}

function FitLine({ fit }: { fit: Fit | null }) {
  if (!fit) return <small>{tuneText.fit.looking}</small>;
  const tooLarge = fit.bytes > fit.available;
  return (
    <small className={tooLarge ? 'tune-warning' : undefined}>
      {(tooLarge ? tuneText.fit.tooLarge : tuneText.fit.fits)(fit.bytes, fit.available)}{' '}
      {fit.recompute && !tooLarge && tuneText.fit.recompute}
    </small>
  );
}

/** Asks the worker for the memory of such a run; null until it has answered. */
function useFit(
  start: TuneStart, parts: TrainingOptions['parts'], typed: Partial<TuneNumbers>, model: string | null,
): Fit | null {
  const fit = useApp((state) => state.tune.fit);
  const device = useApp((state) => state.device);
  const defaults = tuneDefaults(start, device, fit?.request.start === start ? fit.batch : null);
  const crop = typed.crop ?? defaults.crop;
  const batch = typed.batch ?? defaults.batch;
  const sensible = problemOf({ ...defaults, crop, batch }) === null;
  useEffect(() => {
    if (device && sensible) askFit({ start, crop, batch, parts });
  }, [device, sensible, start, crop, batch, parts, model]);
  const answers = fit && fit.request.start === start && fit.request.crop === crop && fit.request.parts === parts;
  return answers ? fit : null;
}
