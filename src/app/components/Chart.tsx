import { useEffect, useMemo, useRef } from 'react';
import type uPlot from 'uplot';

export interface Line {
  readonly name: string;
  /** One a position; null: nothing there. */
  readonly values: readonly (number | null)[];
  /** Name of a colour of the page, e.g. "--accent". */
  readonly colour: string;
  /** Scale on the right-hand side. */
  readonly right?: boolean;
  readonly dashed?: boolean;
  readonly faint?: boolean;
  readonly points?: boolean;
  readonly digits: number;
}

interface Props {
  readonly title: string;
  readonly says?: string;
  /** What a screen reader says of it; the figures themselves are in a table beside it. */
  readonly summary: string;
  readonly axis: string;
  /** Rising. */
  readonly positions: readonly number[];
  readonly lines: readonly Line[];
  /** Instead of the chart while there is nothing to draw. */
  readonly empty: string;
}

const HEIGHT = 168;

/** Lines over a common axis, with the values under the pointer. */
export function Chart({ title, says, summary, axis, positions, lines, empty }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useMemo(
    () => [positions, ...lines.map(({ values }) => values)] as uPlot.AlignedData,
    [positions, lines],
  );
  const latest = useRef({ data, lines });
  useEffect(() => {
    latest.current = { data, lines };
    plot.current?.setData(data);
  }, [data, lines]);
  // What a line looks like does not change while it grows; a new set of lines is a new plot.
  const kinds = lines.map(({ name, colour }) => `${name} ${colour}`).join('|');
  const there = positions.length > 0;
  useEffect(() => {
    const element = box.current;
    if (!element || !there) return;
    let gone = false;
    const draw = async () => {
      const { Plot } = await import('../view/plot.ts');
      if (gone) return;
      plot.current?.destroy();
      plot.current = new Plot(optionsOf(element, axis, latest.current.lines), latest.current.data, element);
    };
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    const redraw = () => void draw().catch(() => undefined);
    scheme.addEventListener('change', redraw);
    redraw();
    return () => {
      gone = true;
      watch.disconnect();
      scheme.removeEventListener('change', redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [axis, kinds, there]);
  return (
    <figure className="chart">
      <figcaption>
        <strong>{title}</strong>
        {says && <small>{says}</small>}
      </figcaption>
      <div className="chart-plot" ref={box} role="img" aria-label={summary}>
        {!there && <p>{empty}</p>}
      </div>
    </figure>
  );
}

function optionsOf(element: HTMLElement, axis: string, lines: readonly Line[]): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const quiet = { stroke: colour('--quiet'), font, ticks: { stroke: colour('--line'), size: 4 } };
  const grid = { stroke: colour('--line'), width: 1 };
  const right = lines.some((line) => line.right);
  const digits = (side: boolean) => lines.find((line) => (line.right ?? false) === side)?.digits ?? 2;
  const ticks = (side: boolean): uPlot.Axis => ({
    ...quiet, grid: side ? { show: false } : grid, scale: side ? 'right' : 'y', side: side ? 1 : 3, size: 56,
    values: (_, splits) => splits.map((value) => value.toFixed(digits(side))),
  });
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { live: true },
    scales: { x: { time: false } },
    axes: [{ ...quiet, grid, size: 28, space: 60 }, ticks(false), ...(right ? [ticks(true)] : [])],
    series: [
      { label: axis, value: (plot, value, _, at) => String(at === null ? (plot.data[0].at(-1) ?? '') : value) },
      ...lines.map((line): uPlot.Series => ({
        label: line.name,
        scale: line.right ? 'right' : 'y',
        stroke: colour(line.colour) + (line.faint ? '80' : ''),
        width: line.faint ? 1 : 2,
        dash: line.dashed ? [4, 4] : undefined,
        points: { show: line.points ?? false, size: 6, fill: colour(line.colour) },
        spanGaps: true,
        // Away from the pointer the legend says the last values.
        value: (plot, value, series, at) => {
          const last = [...plot.data[series]!].reverse().find((known) => known !== null);
          const shown = at === null ? last : value;
          return shown === null || shown === undefined ? '–' : shown.toFixed(line.digits);
        },
      })),
    ],
  };
}
