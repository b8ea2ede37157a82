import { nanos } from "./instants.ts";
import type { RecordedFrame, RecordedFrames } from "./types.ts";

// Plays the recording: a list of frames around an instant, which grows at both ends as it
// is walked. No framework, and no clock of its own.

/** A frame and its instant. */
export interface Stepped {
  at: bigint;
  frame: RecordedFrame;
}

export type Query = { at: string } | { after: number } | { before: number };
export type Fetch = (q: Query) => Promise<RecordedFrames>;

/** How fast the recording is played: of its own time in a second. */
export const speeds = [1, 1 / 10, 1 / 100] as const;

const keepFrames = 4000;
const margin = 100;

export class Player {
  frames: Stepped[] = [];
  index = -1;
  playing = false;
  speed: number = speeds[0];
  /** What is on record, Unix nanoseconds; null: nothing. */
  span: { from: bigint; to: bigint } | null = null;
  /** Where playing is, between frames. */
  private now = 0n;
  private readonly fetch: Fetch;
  private readonly changed: () => void;
  private loading = false;
  private ended = false;

  constructor(fetch: Fetch, changed: () => void) {
    this.fetch = fetch;
    this.changed = changed;
  }

  get current(): Stepped | null {
    return this.frames[this.index] ?? null;
  }

  /** Goes to the first frame from an instant on; "": to the newest. */
  async seek(at: string): Promise<boolean> {
    this.playing = false;
    let page = await this.fetch(at ? { at } : { before: Number.MAX_SAFE_INTEGER });
    this.know(page);
    if (page.items.length === 0 && at) page = await this.fetch({ before: page.next });
    const list = page.items.map(stepped);
    const newestFirst = list.length > 1 && list[0]!.frame.cursor > list[1]!.frame.cursor;
    if (newestFirst) list.reverse();
    this.frames = list;
    this.index = newestFirst || !at ? list.length - 1 : 0;
    this.ended = false;
    this.stand();
    this.changed();
    if (this.current) await this.extend();
    // On record is what is not before its beginning.
    return this.current !== null && (!at || !this.span || BigInt(at) >= this.span.from);
  }

  private know(page: RecordedFrames): void {
    this.span = page.from && page.to ? { from: nanos(page.from), to: nanos(page.to) } : null;
  }

  private stand(): void {
    this.now = this.current?.at ?? 0n;
  }

  /** Fetches what lies ahead or behind, if the end of the list is near. */
  private async extend(): Promise<void> {
    if (this.loading) return;
    this.loading = true;
    try {
      if (this.index < margin && this.frames.length > 0) {
        const page = await this.fetch({ before: this.frames[0]!.frame.cursor });
        const more = page.items.map(stepped).reverse();
        this.frames = [...more, ...this.frames];
        this.index += more.length;
        this.know(page);
      }
      if (this.frames.length - this.index < margin && this.frames.length > 0) {
        const page = await this.fetch({ after: this.frames.at(-1)!.frame.cursor });
        this.frames = [...this.frames, ...page.items.map(stepped)];
        this.ended = page.items.length === 0;
        this.know(page);
      }
      this.trim();
      this.changed();
    } finally {
      this.loading = false;
    }
  }

  private trim(): void {
    if (this.frames.length <= keepFrames) return;
    const from = Math.max(0, Math.min(this.index - keepFrames / 2, this.frames.length - keepFrames));
    this.frames = this.frames.slice(from, from + keepFrames);
    this.index -= from;
  }

  /** One frame on (1) or back (-1). */
  async step(by: 1 | -1): Promise<Stepped | null> {
    this.playing = false;
    if (!this.frames[this.index + by]) await this.extend();
    const to = this.frames[this.index + by];
    if (to) {
      this.index += by;
      this.stand();
    }
    this.changed();
    void this.extend().catch(() => undefined);
    return to ?? null;
  }

  play(): void {
    if (!this.current) return;
    this.playing = true;
    this.stand();
    this.changed();
  }

  pause(): void {
    this.playing = false;
    this.changed();
  }

  /** Lets real time pass: returns the frames that were due, in order. */
  tick(elapsedMs: number): Stepped[] {
    if (!this.playing) return [];
    this.now += BigInt(Math.round(elapsedMs * this.speed * 1e6));
    const due: Stepped[] = [];
    while (this.frames[this.index + 1] && this.frames[this.index + 1]!.at <= this.now) {
      this.index++;
      due.push(this.frames[this.index]!);
    }
    if (this.frames.length - this.index < margin) {
      if (!this.frames[this.index + 1]) {
        // Time stands still until more has come, and ends where the recording does.
        this.stand();
        if (this.ended) this.playing = false;
      }
      void this.extend().catch(() => undefined);
    }
    if (due.length > 0 || !this.playing) this.changed();
    return due;
  }
}

const stepped = (frame: RecordedFrame): Stepped => ({ at: nanos(frame.at), frame });
