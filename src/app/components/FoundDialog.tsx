import { useRef } from 'react';
import type { KeyboardEvent } from 'react';
import { choose } from '../actions.ts';
import type { Found, FoundCard } from '../protocol.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { Dialog } from './Dialog.tsx';

/** The images of a drop, one of which is to be opened; closing it leaves everything as it is. */
export function FoundDialog() {
  const shown = useApp((state) => state.dialog === 'found');
  const found = useApp((state) => state.found);
  if (!shown || !found) return null;
  return (
    <Dialog title={found.role === 'input' ? text.found.title : text.found.reference} wide>
      <p className="dialog-says">{text.found.says(found.images.length)}</p>
      <Cards found={found} />
    </Dialog>
  );
}

function Cards({ found }: { found: Found }) {
  const list = useRef<HTMLUListElement>(null);
  const steer = (event: KeyboardEvent) => {
    const cards = [...(list.current?.querySelectorAll('button') ?? [])];
    const to = target(cards, cards.indexOf(document.activeElement as HTMLButtonElement), event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
  };
  return (
    <ul className="found" ref={list} onKeyDown={steer}>
      {found.images.map((card, index) => (
        <li key={index}>
          <Card card={card} first={index === 0} onChoose={() => choose(found, index)} />
        </li>
      ))}
    </ul>
  );
}

/** The card that a key leads to: left and right in reading order, up and down to the nearest of the next row. */
function target(cards: readonly HTMLElement[], at: number, key: string): HTMLElement | undefined {
  if (key === 'Home') return cards[0];
  if (key === 'End') return cards.at(-1);
  if (key === 'ArrowLeft') return cards[Math.max(0, at - 1)];
  if (key === 'ArrowRight') return cards[Math.min(cards.length - 1, at + 1)];
  const from = cards[at];
  if (!from || (key !== 'ArrowUp' && key !== 'ArrowDown')) return undefined;
  const way = key === 'ArrowDown' ? cards.slice(at + 1) : cards.slice(0, at).reverse();
  const row = way.find(({ offsetTop }) => offsetTop !== from.offsetTop)?.offsetTop;
  const inRow = way.filter(({ offsetTop }) => offsetTop === row);
  const distance = ({ offsetLeft }: HTMLElement) => Math.abs(offsetLeft - from.offsetLeft);
  return inRow.sort((a, b) => distance(a) - distance(b))[0];
}

interface CardProps {
  readonly card: FoundCard;
  readonly first: boolean;
  readonly onChoose: () => void;
}

function Card({ card, first, onChoose }: CardProps) {
  const { title, format, modality, size, files, picture } = card;
  const kind = modality ? text.modalities[modality] : text.found.unknownModality;
  const counts = size && [text.found.slices(size.slices), size.times > 1 && text.found.times(size.times)];
  return (
    <button type="button" className="found-card" data-first={first || undefined} onClick={onChoose}>
      <span className="found-picture">
        {picture && 'url' in picture && <img src={picture.url} alt="" />}
        {picture && 'failed' in picture && (
          <small>
            <b>{text.found.noPicture}</b> {picture.failed}
          </small>
        )}
      </span>
      <strong>{title}</strong>
      <small>{counts ? [`${size.columns} × ${size.rows}`, ...counts].filter(Boolean).join(' · ') : text.found.unknownSize}</small>
      <small>{[kind, text.formats[format], text.found.files(files)].join(' · ')}</small>
    </button>
  );
}
