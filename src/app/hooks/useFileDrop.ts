import { useEffect, useState } from 'react';
import { open } from '../actions.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { dropped } from './dropped.ts';

/** Opens what is dropped on the page (on the reference's part: as the reference); true while files hover over it. */
export function useFileDrop(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      depth++;
      setOver(true);
    };
    const leave = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const hover = (event: DragEvent) => event.preventDefault();
    const drop = (event: DragEvent) => {
      event.preventDefault();
      depth = 0;
      setOver(false);
      if (!event.dataTransfer) return;
      const onReference = event.target instanceof Element && event.target.closest('[data-drop="reference"]');
      dropped(event.dataTransfer).then(
        (files) => {
          if (files.length > 0) open(files, onReference ? 'reference' : 'input');
          else useApp.setState({ alert: text.failed.noFiles });
        },
        (error: unknown) => {
          useApp.setState({ alert: text.failed.unexpected('Reading the dropped files', String(error)) });
        },
      );
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', hover);
    window.addEventListener('drop', drop);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', hover);
      window.removeEventListener('drop', drop);
    };
  }, []);
  return over;
}
