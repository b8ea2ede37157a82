/** Milliseconds since the epoch of an RFC 3339 time or of decimal nanoseconds; NaN if neither. */
export function instant(at: string | undefined): number {
  if (!at) return Number.NaN;
  return /^\d+$/.test(at) ? Number(BigInt(at) / 1000n) / 1000 : Date.parse(at);
}
