import { useState } from 'react';
import { tuneText } from '../fineTuneText.ts';
import { useApp } from '../store.ts';
import { figure } from '../view/describe.ts';

/** Rows that are made: a page with a hundred thousand would not move. */
const MOST_ROWS = 200;
/** Losses of runs are compared by these digits. */
const DIGITS = 6;

/** The charts' figures as text. */
export function FineTuneFigures() {
  const [open, setOpen] = useState(false);
  return (
    <details className="tune-figures" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{tuneText.numbers.title}</summary>
      {open && <Tables />}
    </details>
  );
}

function Tables() {
  const losses = useApp((state) => state.tune.losses);
  const validations = useApp((state) => state.tune.validations);
  return (
    <div className="tune-tables">
      <table>
        <caption>
          {tuneText.numbers.losses}
          {losses.length > MOST_ROWS && ` ${tuneText.numbers.shown(MOST_ROWS)}`}
        </caption>
        <thead>
          <tr>
            <th scope="col">{tuneText.numbers.step}</th>
            <th scope="col">{tuneText.numbers.loss}</th>
            <th scope="col">{tuneText.numbers.rate}</th>
          </tr>
        </thead>
        <tbody>
          {losses.slice(-MOST_ROWS).map(({ step, loss, rate }) => (
            <tr key={step}>
              <th scope="row">{step}</th>
              <td>{loss.toPrecision(DIGITS)}</td>
              <td>{rate.toExponential(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {validations.length > 0 && (
        <table>
          <caption>{tuneText.numbers.validations}</caption>
          <thead>
            <tr>
              <th scope="col">{tuneText.numbers.step}</th>
              <th scope="col">PSNR, dB</th>
              <th scope="col">SSIM</th>
            </tr>
          </thead>
          <tbody>
            {validations.slice(-MOST_ROWS).map(({ step, psnr, ssim }) => (
              <tr key={step}>
                <th scope="row">{step}</th>
                <td>{Number.isFinite(psnr) ? psnr.toFixed(3) : figure(psnr)}</td>
                <td>{ssim.toFixed(4)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
