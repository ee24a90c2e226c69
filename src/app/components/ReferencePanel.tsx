import { useState } from 'react';
import { standardDegradation } from '../../image/degrade.ts';
import type { Degradation } from '../../image/degrade.ts';
import { degrade, open } from '../actions.ts';
import type { ImageState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { DegradationFields } from './DegradationFields.tsx';
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
      <Simulation key={image.modality} image={image} />
    </Explained>
  );
}

function Simulation({ image }: { image: ImageState }) {
  const applied = useApp((state) => state.reference?.simulated ?? null);
  const working = useApp((state) => state.work !== null);
  const { modality } = image;
  const [degradation, setDegradation] = useState<Degradation>(applied ?? standardDegradation(modality));
  return (
    <div className="degrade">
      <DegradationFields modality={modality} degradation={degradation} onDegradation={setDegradation} />
      <div className="actions">
        <button type="button" className="button" disabled={working} onClick={() => degrade(degradation)}>
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
