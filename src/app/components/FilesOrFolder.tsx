import { useRef } from 'react';
import { chosen } from '../hooks/dropped.ts';
import type { NamedFile } from '../protocol.ts';
import { text } from '../text.ts';

interface Props {
  /** Of both buttons' row. */
  readonly className: string;
  /** Accessible name of the input for files, where it has one. */
  readonly label?: string;
  readonly onFiles: (files: NamedFile[]) => void;
}

/** Two buttons, as a browser's own dialogue shows either files or folders. */
export function FilesOrFolder({ className, label, onFiles }: Props) {
  const folder = useRef<HTMLInputElement>(null);
  const files = useRef<HTMLInputElement>(null);
  return (
    <>
      <div className={className}>
        <button type="button" className="button" onClick={() => files.current?.click()}>
          {text.start.files}
        </button>
        <button type="button" className="button" onClick={() => folder.current?.click()}>
          {text.start.folder}
        </button>
      </div>
      <input
        ref={files}
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
    </>
  );
}
