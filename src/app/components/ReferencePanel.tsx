import { useState } from 'react';
import { STRENGTH } from '../../image/degrade.ts';
import { degrade, open } from '../actions.ts';
import type { ImageState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Explained } from './Explained.tsx';
import { FileButton } from './FileButton.tsx';
import { Others } from './Others.tsx';

export function ReferencePanel() {
  const image = useApp((state) => state.image);
  const reference = useApp((state) => state.reference);
  if (!image) return null;
  return (
    <Explained title={text.reference.title} sentence={text.reference.sentence} drop="reference">
      <p className="reference-now" title={reference?.name}>
        <span>{text.reference.current}</span>{' '}
        {reference ? (reference.degradation ?? reference.name) : text.reference.noneYet}
      </p>
      <Others role="reference" />
      <Degradation key={image.modality} image={image} />
    </Explained>
  );
}

function Degradation({ image }: { image: ImageState }) {
  const scale = STRENGTH[image.modality];
  const applied = useApp((state) => state.reference?.strength ?? null);
  const working = useApp((state) => state.work !== null);
  const [strength, setStrength] = useState<number>(applied ?? scale.standard);
  const name = `${text.reference.strength}: ${scale.name.toLowerCase()}`;
  return (
    <div className="degrade">
      <label>
        <span>{scale.name}</span>
        <input
          type="range"
          aria-label={name}
          min={scale.minimum}
          max={scale.maximum}
          step={scale.step}
          value={strength}
          onChange={(event) => setStrength(event.target.valueAsNumber)}
        />
        <span className="reading">{strength}</span>
      </label>
      <div className="actions">
        <button type="button" className="button" disabled={working} onClick={() => degrade(strength)}>
          {text.reference.degrade}
        </button>
        <button
          type="button"
          className="button quiet"
          disabled={working || applied === null}
          onClick={() => degrade(null)}
        >
          {text.reference.undo}
        </button>
        <FileButton
          label={text.reference.input}
          multiple
          className="actions-last"
          onFiles={(files) => open(files, 'reference')}
        >
          {text.reference.choose}
        </FileButton>
      </div>
    </div>
  );
}
