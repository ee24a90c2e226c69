import { useMemo } from 'react';
import { download } from '../client.ts';
import type { SweepFigure, SweepState } from '../sweep.ts';
import { useApp } from '../store.ts';
import { sweepText } from '../sweepText.ts';
import { measured } from '../view/describe.ts';
import { Chart } from './Chart.tsx';
import type { Line } from './Chart.tsx';

/** Told apart by eyes that see no red or green, too: blue, orange, green, purple. */
const COLOURS = ['--line-1', '--line-2', '--line-3', '--line-4'] as const;

/** The charts, how far the sweep is, and its figures. */
export function SweepResult() {
  const sweep = useApp((state) => state.sweep);
  const psnr = useChart(sweep, 'psnr', 1);
  const ssim = useChart(sweep, 'ssim', 3);
  const { done = 0, total = 0, phase, problem, csv } = sweep ?? {};
  const words =
    !sweep ? sweepText.ready
    : phase === 'running' || problem ? sweepText.counted(done, total)
    : sweepText.done(total);
  return (
    <div className="sweep-result">
      <div
        role={phase === 'running' ? 'progressbar' : undefined}
        aria-label={phase === 'running' ? sweepText.progress : undefined}
        aria-valuemin={phase === 'running' ? 0 : undefined}
        aria-valuemax={phase === 'running' ? total : undefined}
        aria-valuenow={phase === 'running' ? done : undefined}
        className="tune-bar"
      >
        <i style={{ transform: `scaleX(${total === 0 ? 0 : done / total})` }} />
      </div>
      <p className="tune-status">
        <span>{sweep?.title}</span>
        <span>{words}</span>
      </p>
      {problem && (
        <p role="alert" className="dialog-problem">
          {problem}
        </p>
      )}
      <div className="charts">
        <Chart title={sweepText.psnr} axis={sweep?.axis ?? ''} empty={sweepText.ready} {...psnr} />
        <Chart title={sweepText.ssim} axis={sweep?.axis ?? ''} empty={sweepText.ready} {...ssim} />
      </div>
      {sweep && sweep.points.length > 0 && <Figures sweep={sweep} />}
      <div className="actions save-actions">
        <button
          type="button"
          className="button"
          disabled={!csv}
          onClick={() => csv && download(csv.name, new Blob([csv.text], { type: 'text/csv' }))}
        >
          {sweepText.save}
        </button>
      </div>
    </div>
  );
}

const NONE: readonly SweepFigure[] = [];

/** One line for the input and one for each model. */
function useChart(sweep: SweepState | null, measure: 'psnr' | 'ssim', digits: number) {
  const points = sweep?.points ?? NONE;
  return useMemo(() => {
    const positions = [...new Set(points.map(({ strength }) => strength))].sort((a, b) => a - b);
    const lines = namesOf(points).map((model, i): Line => ({
      name: model ?? sweepText.input,
      values: positions.map((strength) => {
        const found = points.find((point) => point.strength === strength && point.model === model)?.[measure];
        return found !== undefined && Number.isFinite(found) ? found : null;
      }),
      colour: model === null ? '--quiet' : COLOURS[(i - 1) % COLOURS.length]!,
      dashed: model === null,
      points: true,
      digits,
    }));
    const summary = lines.map(({ name, values }) => {
      const [from, to] = [values[0], values.at(-1)].map((value) => (value == null ? '–' : value.toFixed(digits)));
      return sweepText.summary(name, from!, to!);
    });
    return { positions, lines, summary: summary.join('; ') };
  }, [points, measure, digits]);
}

/** The input first, which the sweep measures first. */
const namesOf = (points: readonly SweepFigure[]) => [...new Set(points.map(({ model }) => model))];

function Figures({ sweep: { points, axis } }: { sweep: SweepState }) {
  return (
    <details className="tune-figures">
      <summary>{sweepText.figures}</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">{axis}</th>
            <th scope="col" />
            <th scope="col">PSNR, dB</th>
            <th scope="col">SSIM</th>
            <th scope="col">RMSE</th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => {
            const { psnr, ssim, rmse } = measured(point);
            return (
              <tr key={`${point.strength} ${point.model}`}>
                <th scope="row">{point.strength}</th>
                <td className="sweep-name">{point.model ?? sweepText.input}</td>
                <td>{psnr}</td>
                <td>{ssim}</td>
                <td>{rmse}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </details>
  );
}
