import { useId } from 'react';
import { useApp } from '../store.ts';
import { text } from '../text.ts';

/** What was left out, guessed or changed when the image was read or saved, behind a button that counts it. */
export function Notes() {
  const id = useId();
  const opened = useApp((state) => state.image?.notes ?? NONE);
  const saved = useApp((state) => state.savedNotes);
  const count = opened.length + saved.length;
  if (count === 0) return null;
  return (
    <>
      <button type="button" className="button quiet" popoverTarget={id}>
        {text.notes.button(count)}
      </button>
      <section id={id} popover="auto" className="notes" aria-label={text.notes.title}>
        <List title={text.notes.title} notes={opened} />
        <List title={text.notes.saved} notes={saved} />
      </section>
    </>
  );
}

const NONE: readonly string[] = [];

function List({ title, notes }: { title: string; notes: readonly string[] }) {
  if (notes.length === 0) return null;
  return (
    <>
      <h2>{title}</h2>
      <ul>
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </>
  );
}
