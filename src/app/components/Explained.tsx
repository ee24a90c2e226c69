import type { ReactNode } from 'react';
import { text } from '../text.ts';

interface Props {
  readonly title: string;
  readonly sentence: string;
  /** The paper's section that says more. */
  readonly section?: string;
  readonly children: ReactNode;
  readonly drop?: 'reference';
  /** A landmark of its own; the others would share their name with a control in them. */
  readonly landmark?: boolean;
}

/** A part of the panel: its name, one sentence about it, and its controls. */
export function Explained({ title, sentence, section, children, drop, landmark }: Props) {
  return (
    <section className="part" aria-label={landmark ? title : undefined} data-drop={drop}>
      <h2>{title}</h2>
      <p className="part-says">
        {sentence}
        {section && (
          <>
            {' '}
            <a href={text.paper.href} target="_blank" rel="noreferrer">
              {`${text.paper.label}, ${section.toLowerCase()}`}
            </a>
          </>
        )}
      </p>
      {children}
    </section>
  );
}
