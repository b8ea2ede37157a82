// Frames a second that each network interface sends and receives, from exact bins.
// Typed arrays by the stream's number of the interface: nothing is allocated while
// frames are counted.

const smoothing = 0.35;

export class Rates {
  /** Frames a second, by number. */
  tx = new Float32Array(256);
  rx = new Float32Array(256);
  private sent = new Float32Array(256);
  private received = new Float32Array(256);
  private highest = 0;

  /** Counts the frames of one edge of a bin; 0 stands for nobody. */
  add(src: number, dst: number, frames: number, arrived: number): void {
    const most = Math.max(src, dst);
    if (most >= this.tx.length) this.grow(most);
    if (most > this.highest) this.highest = most;
    if (src > 0) this.sent[src] = this.sent[src]! + frames;
    if (dst > 0) this.received[dst] = this.received[dst]! + arrived;
  }

  /** Ends an interval of so many seconds. */
  settle(seconds: number): void {
    for (let i = 1; i <= this.highest; i++) {
      this.tx[i] = towards(this.tx[i]!, this.sent[i]! / seconds);
      this.rx[i] = towards(this.rx[i]!, this.received[i]! / seconds);
    }
    this.sent.fill(0, 0, this.highest + 1);
    this.received.fill(0, 0, this.highest + 1);
  }

  /** Numbers mean something else from now on. */
  clear(): void {
    for (const a of [this.tx, this.rx, this.sent, this.received]) a.fill(0);
    this.highest = 0;
  }

  private grow(to: number): void {
    let n = this.tx.length;
    while (n <= to) n *= 2;
    const larger = (a: Float32Array): Float32Array<ArrayBuffer> => {
      const b = new Float32Array(n);
      b.set(a);
      return b;
    };
    this.tx = larger(this.tx);
    this.rx = larger(this.rx);
    this.sent = larger(this.sent);
    this.received = larger(this.received);
  }
}

/** What has ended is not told of for long: below one in ten seconds it is nothing. */
function towards(was: number, now: number): number {
  const next = was === 0 ? now : was + (now - was) * smoothing;
  return next < 0.1 && now === 0 ? 0 : next;
}
