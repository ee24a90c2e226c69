import { open, showDialog } from '../actions.ts';
import type { ImageState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { describe } from '../view/describe.ts';
import { FileButton } from './FileButton.tsx';
import { Notes } from './Notes.tsx';
import { Others } from './Others.tsx';

export function Header() {
  const image = useApp((state) => state.image);
  return (
    <header className="header">
      <h1>{text.title}</h1>
      {image && <OpenImage image={image} />}
      <nav className="header-tools">
        <a className="button quiet wide-only" href={text.paper.href} target="_blank" rel="noreferrer">
          {text.paper.label}
        </a>
        <button
          type="button"
          className="button quiet wide-only"
          aria-label={text.keys.button}
          onClick={() => showDialog('keys')}
        >
          ?
        </button>
        {image && (
          <button type="button" className="button" onClick={() => showDialog('save')}>
            {text.save.button}
          </button>
        )}
        <FileButton label={text.open} multiple onFiles={(files) => open(files, 'input')}>
          {text.open}
        </FileButton>
      </nav>
    </header>
  );
}

/** What is open, what else could be, and what there is to know about it. */
function OpenImage({ image }: { image: ImageState }) {
  return (
    <>
      <p className="header-file" title={[image.name, ...image.notes].join('\n')}>
        <strong>{image.name}</strong>
        <span>{describe(image)}</span>
      </p>
      <p className="header-more">
        <Others role="input" />
        <Notes />
      </p>
    </>
  );
}
