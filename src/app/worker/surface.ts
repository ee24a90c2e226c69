type Context = 'webgpu' | '2d';

/** What the viewer is drawn on. */
export interface Surface {
  /** A canvas for a context: once it had one, a canvas has no other, and the page puts a new one in its place. */
  take(context: Context): Promise<OffscreenCanvas>;
  /** The page has put a new one there. */
  put(canvas: OffscreenCanvas): void;
}

/** @param ask asks the page for a new canvas, which it then `put`s */
export function createSurface(first: OffscreenCanvas, ask: () => void): Surface {
  let canvas = first;
  let used: Context | null = null;
  let arrived: (() => void) | null = null;
  return {
    async take(context) {
      if (used !== null && used !== context) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
          ask();
        });
      }
      used = context;
      return canvas;
    },
    put(fresh) {
      canvas = fresh;
      arrived?.();
      arrived = null;
    },
  };
}
