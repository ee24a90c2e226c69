/**
 * A date (DA, YYYYMMDD) and time (TM, HHMMSS.ffffff; minutes and seconds may be missing) in seconds since 1970, as if
 * the clock were UTC; NaN where either is unreadable.
 */
export function secondsOf(date: string, time: string): number {
  const day = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(date.trim());
  const seconds = secondsOfDay(time);
  return day ? Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) / 1000 + seconds : Number.NaN;
}

/** Seconds since midnight of a time (TM); NaN where unreadable. */
export function secondsOfDay(time: string): number {
  const parts = /^(\d{2}):?(\d{2})?:?(\d{2}(?:\.\d*)?)?$/.exec(time.trim());
  if (!parts) return Number.NaN;
  const [hours, minutes, seconds] = [Number(parts[1]), Number(parts[2] ?? 0), Number(parts[3] ?? 0)];
  return hours < 24 && minutes < 60 && seconds < 61 ? 3600 * hours + 60 * minutes + seconds : Number.NaN;
}

/**
 * A date and time in one (DT, YYYYMMDDHHMMSS.ffffff&ZZXX) in seconds, as `secondsOf`.
 *
 * @param zone the offset from UTC of the file's other times (0008,0201), to which the value's own is converted
 */
export function secondsOfDateTime(value: string, zone = ''): number {
  const parts = /^(\d{8})(\d{2,6}(?:\.\d*)?)([+-]\d{4})?$/.exec(value.trim());
  if (!parts) return Number.NaN;
  const [own, others] = [offsetOf(parts[3] ?? ''), offsetOf(zone)];
  const shift = own === null || others === null ? 0 : others - own;
  return secondsOf(parts[1] ?? '', parts[2] ?? '') + shift;
}

/** "+0130" in seconds. */
function offsetOf(zone: string): number | null {
  const parts = /^([+-])(\d{2})(\d{2})$/.exec(zone.trim());
  return parts ? (parts[1] === '-' ? -1 : 1) * (3600 * Number(parts[2]) + 60 * Number(parts[3])) : null;
}
