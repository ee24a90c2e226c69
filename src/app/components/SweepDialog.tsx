import { useState } from 'react';
import { SWEEP_STRENGTHS } from '../../analysis/sweep.ts';
import { STRENGTH } from '../../image/degrade.ts';
import type { Modality } from '../../formats/volume.ts';
import { cancel } from '../actions.ts';
import { runSweep } from '../fineTuneActions.ts';
import type { ModelState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { sweepText } from '../sweepText.ts';
import { text } from '../text.ts';
import { learnt } from '../view/describe.ts';
import { Dialog } from './Dialog.tsx';
import { SweepResult } from './SweepResult.tsx';

/** PSNR and SSIM over strengths, for the slice on the screen. */
export function SweepDialog() {
  const modality = useApp((state) => state.image?.modality ?? null);
  const hasReference = useApp((state) => state.reference !== null && state.reference.kind !== 'degraded');
  if (!modality) return null;
  return (
    <Dialog title={sweepText.name} wide>
      <p className="dialog-says">
        {sweepText.says} {hasReference && sweepText.usesReference}{' '}
        <a href={text.paper.href} target="_blank" rel="noreferrer">
          {`${text.paper.label}, ${sweepText.section.toLowerCase()}`}
        </a>
      </p>
      <SweepForm modality={modality} />
      <SweepResult />
    </Dialog>
  );
}

function SweepForm({ modality }: { modality: Modality }) {
  const models = useApp((state) => state.models);
  const working = useApp((state) => state.work !== null);
  const running = useApp((state) => state.sweep?.phase === 'running');
  const [typed, setTyped] = useState(SWEEP_STRENGTHS[modality].join(', '));
  const strengths = strengthsOf(typed, modality);
  const [ticked, setTicked] = useState<Readonly<Record<string, boolean>>>({});
  const isTicked = ({ id, card }: ModelState) => ticked[id] ?? learnt(card, modality);
  const chosen = models.filter(isTicked).map(({ id }) => id);
  const { name, minimum, maximum, values } = STRENGTH[modality];
  return (
    <form
      className="sweep-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (strengths) runSweep(strengths, chosen);
      }}
    >
      <label className="sweep-strengths">
        <span>{name}</span>
        <input
          type="text"
          aria-label={sweepText.strengths}
          value={typed}
          aria-invalid={strengths === null}
          onChange={(event) => setTyped(event.target.value)}
        />
        <small className={strengths ? undefined : 'tune-warning'}>
          {!strengths && `${sweepText.wrong} `}
          {sweepText.strengthsSays(minimum, maximum, values)}
        </small>
      </label>
      <fieldset className="choice">
        <legend>{sweepText.models}</legend>
        {models.map((model) => (
          <label key={model.id} className="save-check sweep-model">
            <input
              type="checkbox"
              checked={isTicked(model)}
              onChange={(event) => setTicked({ ...ticked, [model.id]: event.target.checked })}
            />
            <span>{[model.name, model.variant].filter(Boolean).join(' · ')}</span>
          </label>
        ))}
      </fieldset>
      <div className="actions">
        {running ? (
          <button type="button" className="button" onClick={cancel}>
            {sweepText.cancel}
          </button>
        ) : (
          <button type="submit" className="button primary" disabled={working || !strengths || chosen.length === 0}>
            {sweepText.begin}
          </button>
        )}
      </div>
    </form>
  );
}

/** Rising and each once; null where one is none of the task's. */
function strengthsOf(typed: string, modality: Modality): number[] | null {
  const parts = typed.split(/[\s,;]+/).filter(Boolean).map(Number);
  const { minimum, maximum, values } = STRENGTH[modality];
  const allowed = (value: number) => (values ? values.includes(value) : value >= minimum && value <= maximum);
  return parts.length > 0 && parts.every(allowed) ? [...new Set(parts)].sort((a, b) => a - b) : null;
}
