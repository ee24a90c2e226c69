import { tuneText } from '../fineTuneText.ts';
import type { NamedFile } from '../protocol.ts';
import { FilesOrFolder } from './FilesOrFolder.tsx';

interface Props {
  readonly label: string;
  readonly files: readonly NamedFile[];
  readonly onFiles: (files: NamedFile[]) => void;
}

/** Files or a folder, and how many were chosen. */
export function FilesField({ label, files, onFiles }: Props) {
  return (
    <div className="files-field">
      <span>
        <strong>{label}</strong> <output>{tuneText.source.chosen(files.length)}</output>
      </span>
      <FilesOrFolder className="actions" label={label} onFiles={onFiles} />
    </div>
  );
}
