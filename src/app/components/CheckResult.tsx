import { useState } from 'react';
import { mainTiming } from '../../engine/deviceReport.ts';
import type { AdapterReport, CaseReport, DeviceReport } from '../../engine/deviceReport.ts';
import { reportMarkdown } from '../../engine/deviceReportMarkdown.ts';
import {
  caseName, digits, floorRatio, mebibytes, milliseconds, ratesOf, share,
} from '../../engine/deviceReportWords.ts';
import { sharesOf } from '../../engine/kernelReport.ts';
import type { KernelReport } from '../../engine/kernelReport.ts';
import type { CheckState } from '../check.ts';
import { checkText } from '../checkText.ts';
import { download } from '../client.ts';
import { useApp } from '../store.ts';

/** How far the check is, what it has measured, and the ways to share that. */
export function CheckResult() {
  const check = useApp((state) => state.check);
  const report = check?.report ?? null;
  return (
    <div className="check-result">
      <Progress check={check} />
      {check?.problem && (
        <p role="alert" className="dialog-problem">
          {check.problem}
        </p>
      )}
      {report?.adapter && <Adapter adapter={report.adapter} machine={report.machine} />}
      {report && report.cases.length > 0 && <Cases cases={report.cases} />}
      {report && report.cases.length > 0 && report.leftOut.length > 0 && (
        <ul className="tune-notices">
          {report.leftOut.map((one) => (
            <li key={`${caseName(one)} ${one.why}`}>{checkText.leftOut(caseName(one), one.why)}</li>
          ))}
        </ul>
      )}
      {report && <Kernels report={report} />}
      {check?.phase === 'ended' && report && report.cases.length > 0 && <Share report={report} />}
    </div>
  );
}

function Progress({ check }: { check: CheckState | null }) {
  const { phase, done = 0, cases = [], report } = check ?? {};
  const running = phase === 'running';
  const index = Math.floor(done);
  const current = cases[index];
  const words =
    !check ? checkText.ready
    : running && current ? checkText.measuring(caseName(current), index + 1, cases.length)
    : report && report.cases.length > 0 ? checkText.done(report.cases.length)
    : '';
  const attributes = running
    ? {
        role: 'progressbar', 'aria-label': checkText.progress,
        'aria-valuemin': 0, 'aria-valuemax': cases.length, 'aria-valuenow': Math.round(10 * done) / 10,
      }
    : {};
  return (
    <div className="check-progress">
      <div {...attributes} className="tune-bar">
        <i style={{ transform: `scaleX(${cases.length === 0 ? 0 : done / cases.length})` }} />
      </div>
      <p role="status">{words}</p>
    </div>
  );
}

function Adapter({ adapter, machine }: { adapter: AdapterReport; machine: string }) {
  return (
    <p className={`check-adapter ${adapter.software ? 'check-software' : ''}`}>
      <strong>{adapter.name}</strong>
      {adapter.software && <b>{checkText.software}</b>}
      <small>
        {machine}, {adapter.precision}. {checkText.rates(ratesOf(adapter))} {checkText.features(adapter.features)}
      </small>
    </p>
  );
}

function Cases({ cases }: { cases: readonly CaseReport[] }) {
  const { columns } = checkText;
  return (
    <div>
      <table className="check-table check-cases" aria-label={checkText.results}>
        <thead>
          <tr>
            {Object.entries(columns).map(([key, name]) => (
              <th key={key} scope="col">{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cases.map((one) => {
            const { plan } = one;
            const main = mainTiming(one);
            return (
              <tr key={caseName(one)}>
                <th scope="row">{caseName(one)}</th>
                <td data-name={columns.time}>{main ? milliseconds(main) : '–'}</td>
                <td data-name={columns.floor}>{floorRatio(one)}</td>
                <td data-name={columns.memory}>{plan ? mebibytes(plan.bytes) : '–'}</td>
                <td data-name={columns.dispatches}>{plan ? plan.dispatches : '–'}</td>
                <td data-name={columns.first}>{main ? `${digits((plan?.prepare ?? 0) + main.first)} ms` : '–'}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <small>{checkText.floorSays}</small>
    </div>
  );
}

function Kernels({ report: { adapter, cases } }: { report: DeviceReport }) {
  if (!adapter || cases.length === 0) return null;
  if (!adapter.features.includes('timestamp-query')) return <small>{checkText.noKernels}</small>;
  // The largest image says most.
  return cases.toReversed().map((one, i) =>
    one.plan?.kernels && (
      <details key={caseName(one)} className="tune-figures check-kernels" open={i === 0}>
        <summary>{checkText.kernels(caseName(one))}</summary>
        <KernelTable name={checkText.kernels(caseName(one))} kernels={one.plan.kernels} />
        <small>{checkText.kernelsSay}</small>
      </details>
    ));
}

function KernelTable({ name, kernels }: { name: string; kernels: readonly KernelReport[] }) {
  const shares = sharesOf(kernels);
  const { kernelColumns: columns } = checkText;
  return (
    <table className="check-table" aria-label={name}>
      <thead>
        <tr>
          <th scope="col">{columns.name}</th>
          <th scope="col">{columns.share}</th>
          <th scope="col">{columns.time}</th>
          <th scope="col">{columns.dispatches}</th>
        </tr>
      </thead>
      <tbody>
        {kernels.map((kernel, i) => (
          <tr key={kernel.name}>
            <th scope="row">
              {kernel.name}
              <i style={{ inlineSize: `${100 * (shares[i] ?? 0)}%` }} />
            </th>
            <td>{share(shares[i] ?? null)}</td>
            <td>{milliseconds(kernel)}</td>
            <td>{kernel.dispatches}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Share({ report }: { report: DeviceReport }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      // Pages without https have no clipboard: that is a failure, too.
      await navigator.clipboard.writeText(reportMarkdown(report));
      setSaid(checkText.copied);
    } catch {
      setSaid(checkText.notCopied);
    }
  };
  const save = () => {
    const json = new Blob([`${JSON.stringify(report, null, 1)}\n`], { type: 'application/json' });
    download(checkText.file(report.date), json);
  };
  return (
    <div className="actions save-actions check-share">
      <p role="status">{said}</p>
      <button type="button" className="button" onClick={() => void copy()}>
        {checkText.copy}
      </button>
      <button type="button" className="button" onClick={save}>
        {checkText.save}
      </button>
    </div>
  );
}
