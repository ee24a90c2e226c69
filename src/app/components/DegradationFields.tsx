import { NOISE_SCALE, STRENGTH } from '../../image/degrade.ts';
import type { Degradation } from '../../image/degrade.ts';
import type { Modality } from '../../formats/volume.ts';
import { text } from '../text.ts';

interface Props {
  readonly modality: Modality;
  readonly degradation: Degradation;
  readonly onDegradation: (degradation: Degradation) => void;
}

/** How strong the simulated degradation of a task is: a slider, and one for MRI's noise. */
export function DegradationFields({ modality, degradation, onDegradation }: Props) {
  const { strength, noise } = degradation;
  const scale = STRENGTH[modality];
  return (
    <>
      <label className="degradation">
        <span>{scale.name}</span>
        <input
          type="range"
          aria-label={`${text.reference.strength}: ${scale.name.toLowerCase()}`}
          min={scale.minimum}
          max={scale.maximum}
          step={scale.step}
          value={strength}
          onChange={(event) => onDegradation({ ...degradation, strength: event.target.valueAsNumber })}
        />
        <span className="reading">{strength}</span>
      </label>
      {modality === 'mri' && (
        <label className="degradation">
          <span>{NOISE_SCALE.name}</span>
          <input
            type="range"
            aria-label={`${text.reference.strength}: ${NOISE_SCALE.name.toLowerCase()}`}
            min={0}
            max={NOISE_SCALE.maximum}
            step={NOISE_SCALE.step}
            value={noise}
            onChange={(event) => onDegradation({ ...degradation, noise: event.target.valueAsNumber })}
          />
          <span className="reading">{noise}</span>
        </label>
      )}
    </>
  );
}
