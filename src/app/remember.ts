import { MOST_REMEMBERED, PRECISION_CHOICES } from './precision.ts';
import type { PrecisionChoice, Remembered } from './precision.ts';

const CHOICE = 'restore-rwkv.precision';
const DEVICES = 'restore-rwkv.devices';

/** What the browser kept; what is no choice is Automatic, and what was measured is for the worker to check. */
export function remembered(): Remembered {
  const kept = read(CHOICE);
  const devices = read(DEVICES);
  return {
    choice: PRECISION_CHOICES.find((choice) => choice === kept) ?? 'auto',
    devices: devices !== null && devices.length <= MOST_REMEMBERED ? devices : null,
  };
}

export const keepChoice = (choice: PrecisionChoice): void => write(CHOICE, choice);
export const keepDevices = (devices: string): void => write(DEVICES, devices);

/** Private windows and full disks keep nothing: it is then measured anew. */
function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    return;
  }
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
