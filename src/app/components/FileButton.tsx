import type { NamedFile } from '../protocol.ts';
import { chosen } from '../hooks/dropped.ts';

interface Props {
  /** Accessible name of the input. */
  readonly label: string;
  readonly children: string;
  readonly onFiles: (files: NamedFile[]) => void;
  readonly multiple?: boolean;
  readonly accept?: string;
  readonly className?: string;
}

/** A file input that looks like a button; the input itself has the focus and the name. */
export function FileButton({ label, children, onFiles, multiple, accept, className = '' }: Props) {
  return (
    <label className={`button file-button ${className}`}>
      <input
        type="file"
        aria-label={label}
        multiple={multiple}
        accept={accept}
        onChange={(event) => {
          onFiles(chosen(event.target.files));
          event.target.value = ''; // so that the same file can be chosen again
        }}
      />
      <span aria-hidden="true">{children}</span>
    </label>
  );
}
