/** A device that is missing, too small or lost; the message is one sentence that says what to try. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}

/** The device has less memory than it was asked for; a smaller image may find room. */
export class MemoryError extends DeviceError {}
