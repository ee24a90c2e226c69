import { useRef } from 'react';
import { chosen } from '../hooks/dropped.ts';
import { tuneText } from '../fineTuneText.ts';
import type { NamedFile } from '../protocol.ts';

interface Props {
  readonly label: string;
  readonly files: readonly NamedFile[];
  readonly onFiles: (files: NamedFile[]) => void;
}

/** Files or a folder, and how many were chosen. */
export function FilesField({ label, files, onFiles }: Props) {
  const folder = useRef<HTMLInputElement>(null);
  const single = useRef<HTMLInputElement>(null);
  return (
    <div className="files-field">
      <span>
        <strong>{label}</strong> <output>{tuneText.source.chosen(files.length)}</output>
      </span>
      <div className="actions">
        <button type="button" className="button" onClick={() => single.current?.click()}>
          {tuneText.source.files}
        </button>
        <button type="button" className="button" onClick={() => folder.current?.click()}>
          {tuneText.source.folder}
        </button>
      </div>
      <input
        ref={single}
        type="file"
        multiple
        hidden
        aria-label={label}
        onChange={(event) => onFiles(chosen(event.target.files))}
      />
      <input
        ref={(element) => {
          folder.current = element;
          element?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        hidden
        onChange={(event) => onFiles(chosen(event.target.files))}
      />
    </div>
  );
}
