/** The address of a capture cut to a window, Unix nanoseconds as decimal strings. */
export function windowOf(capture: string, from: string, to: string): string {
  const q = new URLSearchParams();
  if (from) q.set("from", from);
  if (to) q.set("to", to);
  return `/captures/${capture}/pcapng?${q.toString()}`;
}

/** A window a little wider than from the fault to the end of the measurement. */
export function around(fault: string, end: string): { from: string; to: string } {
  const second = 1_000_000_000n;
  const at = (text: string): bigint | null => (/^\d+$/.test(text) ? BigInt(text) : null);
  const [a, b] = [at(fault), at(end)];
  return { from: a === null ? "" : String(a - second), to: b === null ? "" : String(b + second) };
}
