/** What `multiplyAdd` leaves of one value: the sum of eight chains x ← 0.5 x + k after so many rounds, in closed form. */
export function probeMultiplyAdd(value: number, rounds: number): number {
  const kept = 0.5 ** rounds;
  let sum = 0;
  for (let k = 0; k < 8; k++) sum += value * kept + 2 * k * (1 - kept);
  return sum;
}
