import { useState } from 'react';
import { cancel } from '../actions.ts';
import { CHECK_SIZES } from '../check.ts';
import { runCheck } from '../checkActions.ts';
import { checkText } from '../checkText.ts';
import type { DeviceState } from '../protocol.ts';
import { useApp } from '../store.ts';
import { CheckResult } from './CheckResult.tsx';
import { Dialog } from './Dialog.tsx';

/** How fast this device restores, and what it could do at most. */
export function CheckDeviceDialog() {
  const device = useApp((state) => state.device);
  return (
    <Dialog title={checkText.name} wide>
      <p className="dialog-says">{checkText.says}</p>
      <div className="check">
        {device && <CheckForm device={device} />}
        <CheckResult />
      </div>
    </Dialog>
  );
}

function CheckForm({ device }: { device: DeviceState }) {
  const working = useApp((state) => state.work !== null);
  const running = useApp((state) => state.check?.phase === 'running');
  const slow = device.software || device.kind === 'wasm';
  const [ticked, setTicked] = useState<Readonly<Record<number, boolean>>>({});
  const [full, setFull] = useState(false);
  const isTicked = (size: number) => ticked[size] ?? size <= (slow ? 128 : 512);
  const sizes = CHECK_SIZES.filter(isTicked);
  return (
    <form
      className="check-form"
      onSubmit={(event) => {
        event.preventDefault();
        runCheck(sizes, full);
      }}
    >
      <fieldset className="choice" disabled={running}>
        <legend>{checkText.sizes}</legend>
        <div className="check-sizes">
          {CHECK_SIZES.map((size) => (
            <label key={size} className="save-check">
              <input
                type="checkbox"
                checked={isTicked(size)}
                onChange={(event) => setTicked({ ...ticked, [size]: event.target.checked })}
              />
              <span>{checkText.size(size)}</span>
            </label>
          ))}
        </div>
        <label className="save-check">
          <input type="checkbox" checked={full} onChange={(event) => setFull(event.target.checked)} />
          <span>
            {checkText.full} <small>{checkText.fullSays}</small>
          </span>
        </label>
      </fieldset>
      {slow && <small className="tune-warning">{device.kind === 'wasm' ? checkText.wasm : checkText.slow}</small>}
      <div className="actions">
        {running ? (
          <button type="button" className="button" onClick={cancel}>
            {checkText.cancel}
          </button>
        ) : (
          <button type="submit" className="button primary" disabled={working || sizes.length === 0}>
            {checkText.begin}
          </button>
        )}
      </div>
    </form>
  );
}
