import { Accept, Control, Lost, Reject } from "../stream/ring.ts";
import { pointAt, type Route } from "./edges.ts";

// The dots of stepped frames: one for each, along its path. Framework-free.

const kinds: Readonly<Record<string, number>> = {
  accept: Accept,
  reject: Reject,
  lost: Lost,
  control: Control,
};

/** How long a dot is on its way, and how many are at once. */
const flightMs = 600;
const most = 120;

interface Flight {
  route: Route;
  kind: number;
  since: number;
}

export class StepDots {
  /** The dots of the recording take the place of those of live traffic. */
  on = false;
  private flights: Flight[] = [];
  private readonly point = new Float32Array(2);

  /** A frame was stepped to: it begins its way. Alone, it stays where it ended. */
  begin(route: Route | null, verdict: string, now: number, alone: boolean): void {
    if (alone) this.flights = [];
    if (!route) return;
    this.flights.push({ route, kind: kinds[verdict] ?? Accept, since: now });
    if (this.flights.length > most) this.flights.shift();
  }

  clear(): void {
    this.flights = [];
  }

  /** Calls draw for each dot; still: each where its path ends. The newest stays there. */
  each(now: number, still: boolean, draw: (kind: number, x: number, y: number, alpha: number) => void): void {
    const last = this.flights.at(-1);
    this.flights = this.flights.filter((f) => f === last || now - f.since < flightMs);
    for (const f of this.flights) {
      const part = still ? 1 : Math.min(1, (now - f.since) / flightMs);
      pointAt(f.route, part * f.route.total, this.point);
      draw(f.kind, this.point[0]!, this.point[1]!, 1);
    }
  }

  /** The path of the newest, to be drawn below the dots. */
  get path(): Route | null {
    return this.flights.at(-1)?.route ?? null;
  }
}

export const stepDots = new StepDots();
