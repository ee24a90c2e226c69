import { precisionText } from '../precisionText.ts';
import { useApp } from '../store.ts';
import { text } from '../text.ts';
import { CheckButton } from './CheckButton.tsx';
import { PrecisionButton } from './PrecisionButton.tsx';

/** Notices, the promise, the disclaimer, and the truth about the device. */
export function Footer() {
  const notice = useApp((state) => state.notice);
  return (
    <footer className="footer">
      <p role="status" className="footer-notice" title={notice ?? undefined}>
        {notice}
      </p>
      <p className="footer-promise">
        <span>{text.privacy}</span> <span>{text.notMedical}</span>
      </p>
      <DeviceLine />
      <div className="footer-tools">
        <PrecisionButton className="quiet footer-tool" />
        <CheckButton className="quiet footer-tool" />
      </div>
    </footer>
  );
}

function DeviceLine() {
  const device = useApp((state) => state.device);
  const used = useApp((state) => state.precision?.used);
  const slow = device !== null && (device.software || device.kind === 'wasm');
  const precision = used && <small className="device-precision">{precisionText.words[used]}</small>;
  const why = device?.why ? text.device.because(device.why) : undefined;
  return (
    <section aria-label={text.device.title} className={`device ${slow ? 'device-slow' : ''}`} title={why}>
      <i aria-hidden="true" />
      {device === null && <span>{text.device.looking}</span>}
      {device?.kind === 'wasm' && (
        <span>
          {text.device.wasm}
          {precision}
          {why && <small>{why}</small>}
        </span>
      )}
      {device?.kind === 'webgpu' && (
        <span>
          {[device.software ? text.device.software : null, device.name, 'WebGPU'].filter(Boolean).join(' · ')}
          {precision}
        </span>
      )}
    </section>
  );
}
