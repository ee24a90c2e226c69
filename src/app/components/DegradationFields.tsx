import { NOISE_SCALE, STRENGTH } from '../../image/degrade.ts';
import type { Degradation, StrengthScale } from '../../image/degrade.ts';
import type { Modality } from '../../formats/volume.ts';
import { text } from '../text.ts';

interface Props {
  readonly modality: Modality;
  readonly degradation: Degradation;
  readonly onDegradation: (degradation: Degradation) => void;
}

/** How strong the simulated degradation of a task is: a slider, and one for MRI's noise. */
export function DegradationFields({ modality, degradation, onDegradation }: Props) {
  return (
    <>
      <Slider
        {...STRENGTH[modality]}
        value={degradation.strength}
        onValue={(strength) => onDegradation({ ...degradation, strength })}
      />
      {modality === 'mri' && (
        <Slider
          {...NOISE_SCALE}
          value={degradation.noise}
          onValue={(noise) => onDegradation({ ...degradation, noise })}
        />
      )}
    </>
  );
}

interface SliderProps extends Pick<StrengthScale, 'name' | 'minimum' | 'maximum' | 'step'> {
  readonly value: number;
  readonly onValue: (value: number) => void;
}

function Slider({ name, minimum, maximum, step, value, onValue }: SliderProps) {
  return (
    <label className="degradation">
      <span>{name}</span>
      <input
        type="range"
        aria-label={`${text.reference.strength}: ${name.toLowerCase()}`}
        min={minimum}
        max={maximum}
        step={step}
        value={value}
        onChange={(event) => onValue(event.target.valueAsNumber)}
      />
      <span className="reading">{value}</span>
    </label>
  );
}
