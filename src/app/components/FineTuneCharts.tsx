import { useMemo } from 'react';
import { tuneText } from '../fineTuneText.ts';
import { useApp } from '../store.ts';
import { figure } from '../view/describe.ts';
import { smoothed } from '../view/smoothed.ts';
import { Chart } from './Chart.tsx';
import type { Line } from './Chart.tsx';

/** Steps over which the loss of single batches, which jumps, is averaged. */
const WINDOW = 20;

/** Loss, and PSNR and SSIM of what is held back, over the steps. */
export function FineTuneCharts() {
  return (
    <div className="charts">
      <LossChart />
      <QualityChart />
    </div>
  );
}

function LossChart() {
  const losses = useApp((state) => state.tune.losses);
  const { positions, lines } = useMemo(() => {
    const values = losses.map(({ loss }) => loss);
    const drawn: Line[] = [
      { name: tuneText.charts.loss, values, colour: '--accent', faint: true, digits: 4 },
      { name: tuneText.charts.mean, values: smoothed(values, WINDOW), colour: '--accent', digits: 4 },
    ];
    return { positions: losses.map(({ step }) => step), lines: drawn };
  }, [losses]);
  return (
    <Chart
      title={tuneText.charts.loss}
      says={tuneText.charts.lossSays}
      summary={summary(tuneText.charts.loss, lines[1]!.values, figure)}
      axis={tuneText.numbers.step}
      positions={positions}
      lines={lines}
      empty={tuneText.charts.waiting}
    />
  );
}

function QualityChart() {
  const validations = useApp((state) => state.tune.validations);
  const held = useApp((state) => (state.tune.run?.images.validation ?? 0) > 0);
  const { positions, lines } = useMemo(() => {
    const of = (pick: (v: (typeof validations)[number]) => number) =>
      validations.map((v) => (Number.isFinite(pick(v)) ? pick(v) : null));
    const { psnr: restored, input, ssim: similarity } = tuneText.charts;
    const drawn: Line[] = [
      { name: restored, values: of(({ psnr }) => psnr), colour: '--accent', points: true, digits: 2 },
      { name: input, values: of(({ inputPsnr }) => inputPsnr), colour: '--quiet', dashed: true, digits: 2 },
      { name: similarity, values: of(({ ssim }) => ssim), colour: '--good', points: true, right: true, digits: 3 },
    ];
    return { positions: validations.map(({ step }) => step), lines: drawn };
  }, [validations]);
  return (
    <Chart
      title={tuneText.charts.quality}
      says={tuneText.charts.qualitySays}
      summary={summary(tuneText.charts.psnr, lines[0]!.values, (value) => value.toFixed(2))}
      axis={tuneText.numbers.step}
      positions={positions}
      lines={lines}
      empty={held ? tuneText.charts.waiting : tuneText.charts.noQuality}
    />
  );
}

function summary(name: string, values: readonly (number | null)[], shown: (value: number) => string): string {
  const [first, last] = [values[0], values.at(-1)].map((value) => (value == null ? '–' : shown(value)));
  return tuneText.charts.summary(name, first!, last!);
}
