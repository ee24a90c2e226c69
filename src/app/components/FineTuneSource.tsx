import type { Degradation } from '../../image/degrade.ts';
import type { Modality } from '../../formats/volume.ts';
import type { TuneSource } from '../fineTune.ts';
import { tuneText } from '../fineTuneText.ts';
import type { NamedFile } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Choice } from './Choice.tsx';
import { DegradationFields } from './DegradationFields.tsx';
import { FilesField } from './FilesField.tsx';

type Kind = TuneSource['kind'];
const MODALITIES: readonly Modality[] = ['ct', 'pet', 'mri'];

interface Props {
  readonly kind: Kind;
  readonly onKind: (kind: Kind) => void;
  readonly references: readonly NamedFile[];
  readonly onReferences: (files: NamedFile[]) => void;
  readonly inputs: readonly NamedFile[];
  readonly onInputs: (files: NamedFile[]) => void;
  readonly modality: Modality;
  /** null: it is the open image's. */
  readonly onModality: ((modality: Modality) => void) | null;
  readonly degradation: Degradation;
  readonly onDegradation: (degradation: Degradation) => void;
}

/** What is learnt from, and what the poor images suffer. */
export function FineTuneSource(props: Props) {
  const { kind, onKind, modality, onModality } = props;
  const image = useApp((state) => state.image);
  const hasPair = useApp((state) => state.reference !== null && state.reference.kind !== 'degraded');
  const kinds: Kind[] = [
    ...(image ? ['opened' as const] : []), ...(image && hasPair ? ['openedPair' as const] : []), 'references', 'pairs',
  ];
  return (
    <>
      <Choice
        legend={tuneText.source.legend}
        name="tune-source"
        chosen={kind}
        onChoose={onKind}
        kinds={kinds.map((of) => {
          const [title, says] = tuneText.source.kinds[of];
          if (of !== 'opened' || !image) return { kind: of, title, says };
          const named = tuneText.source.openedWith(image.name, image.slices);
          return { kind: of, title, says: `${named}. ${hasPair ? tuneText.source.openedReference : says}` };
        })}
      />
      {(kind === 'references' || kind === 'pairs') && (
        <div className="tune-files">
          {kind === 'pairs' && (
            <FilesField label={tuneText.source.inputs} files={props.inputs} onFiles={props.onInputs} />
          )}
          <FilesField label={tuneText.source.references} files={props.references} onFiles={props.onReferences} />
          <small>{tuneText.source.formats}</small>
        </div>
      )}
      <fieldset className="choice tune-task">
        <legend>{kind === 'pairs' || kind === 'openedPair' ? tuneText.task.modality : tuneText.task.legend}</legend>
        {onModality ? (
          <select
            aria-label={tuneText.task.modality}
            value={modality}
            onChange={(event) => onModality(event.target.value as Modality)}
          >
            {MODALITIES.map((of) => (
              <option key={of} value={of}>
                {text.modalities[of]}
              </option>
            ))}
          </select>
        ) : (
          <span className="tune-modality">{text.modalities[modality]}</span>
        )}
        {kind !== 'pairs' && kind !== 'openedPair' && (
          <>
            <small>{tuneText.task.simulated[modality]}</small>
            <DegradationFields {...props} />
          </>
        )}
      </fieldset>
    </>
  );
}
