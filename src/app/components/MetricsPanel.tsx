import { showDialog } from '../actions.ts';
import type { Measured, Metrics } from '../protocol.ts';
import { acquiredPlane, shownSlice, useApp } from '../store.ts';
import { sweepText } from '../sweepText.ts';
import { text } from '../text.ts';
import { gain, measured, rmseDigits } from '../view/describe.ts';
import { ACQUIRED } from '../view/place.ts';
import { Explained } from './Explained.tsx';

/** PSNR, SSIM and RMSE of the slice on the screen, and of the restored volume. */
export function MetricsPanel() {
  const reference = useApp((state) => state.reference);
  const metrics = useApp((state) => shownSlice(state)?.metrics ?? null);
  const cut = useApp((state) => state.place.across !== ACQUIRED);
  const plane = useApp(acquiredPlane);
  const note = !reference
    ? text.metrics.noReference
    : cut
      ? text.metrics.onCuts(plane)
      : text.metrics.against(text.metrics.kinds[reference.kind], metrics?.range ?? '…');
  return (
    <Explained landmark title={text.metrics.title} sentence={text.metrics.sentence} section={text.metrics.section}>
      <table className="metrics">
        <thead>
          <tr>
            <td />
            <th scope="col">{text.sources.input}</th>
            <th scope="col">{text.sources.restored}</th>
            <th scope="col" className="metrics-gain">
              {text.metrics.change}
            </th>
          </tr>
        </thead>
        <tbody>
          <Rows metrics={metrics} input={metrics?.input ?? null} restored={metrics?.restored ?? null} />
        </tbody>
        {metrics?.volume && (
          <tbody>
            <tr>
              <th scope="rowgroup" colSpan={4} className="metrics-mean">
                {text.metrics.volume(metrics.volume.slices)}
              </th>
            </tr>
            <Rows metrics={metrics} input={metrics.volume.input} restored={metrics.volume.restored} />
          </tbody>
        )}
      </table>
      <p className="metrics-note">{note}</p>
      <div className="actions">
        <button type="button" className="button quiet" onClick={() => showDialog('sweep')}>
          {sweepText.open}
        </button>
      </div>
    </Explained>
  );
}

interface RowsProps {
  readonly metrics: Metrics | null;
  readonly input: Measured | null;
  readonly restored: Measured | null;
}

function Rows({ metrics, input, restored }: RowsProps) {
  const from = input && measured(input);
  const to = restored && measured(restored);
  const rows = [
    { key: 'psnr', name: 'PSNR', unit: 'dB', digits: 2, better: 1 },
    { key: 'ssim', name: 'SSIM', unit: '', digits: 4, better: 1 },
    { key: 'rmse', name: 'RMSE', unit: metrics?.units ?? '', digits: 2, better: -1 },
  ] as const;
  return rows.map(({ key, name, unit, digits, better }) => {
    const both = input && restored;
    const improved = both && (restored[key] - input[key]) * better > 0;
    const places = key === 'rmse' && both ? rmseDigits(restored.rmse) : digits;
    return (
      <tr key={key}>
        <th scope="row">
          {name} {unit && <small>{unit}</small>}
        </th>
        <td>{from ? from[key] : text.metrics.none}</td>
        <td>{to ? to[key] : text.metrics.none}</td>
        <td className={`metrics-gain ${improved ? 'metrics-better' : ''}`}>
          {both ? gain(input[key], restored[key], places) : ''}
        </td>
      </tr>
    );
  });
}
