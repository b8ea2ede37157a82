/** What /api/v1/drills and /api/v1/trials answer. */

export interface Line {
  line: number;
  text: string;
}

export interface Drill {
  name: string;
  description: string;
  title?: string;
  titleKo?: string;
  hypothesis: Line[];
  steps: Line[];
  assertions: Line[];
  /** That the file compares; none: what its policies say. */
  strategies: string[];
  choosable: string[];
  runs: number;
  seed: number;
  takesMs?: number;
}

export interface WholeDrill extends Drill {
  text: string;
  page?: string;
  pageKo?: string;
}

export type Place = "virtual" | "real" | "laboratory";
export type Verdict = "held" | "failed" | "inconclusive";

export interface TrialOutage {
  strategy: string;
  verdict: Verdict;
  runs: number;
  p50Ms?: number;
  p99Ms?: number;
}

export interface Trial {
  id: string;
  drill: string;
  in: Place;
  timing: "fast" | "aws";
  seed: number;
  runs: number;
  strategies: string[];
  state: "running" | "done" | "stopped" | "failed";
  error?: string;
  startedAt: string;
  endedAt?: string;
  done: number;
  of: number;
  step?: number;
  verdict?: Verdict;
  outage: TrialOutage[];
  results?: Results;
}

export interface Results {
  partial?: string;
  variants: Variant[] | null;
}

export interface Outcome {
  name: string;
  line?: number;
  verdict: Verdict;
  held: number;
  failed: number;
  inconclusive: number;
  value?: string;
  reason?: string;
}

/** Nanoseconds, or counts; -1: no end; null: of too few runs. */
export interface Metric {
  known: number;
  unended: number;
  p50: number;
  p90: number | null;
  p99: number | null;
  max: number;
}

export interface Variant {
  strategy?: string;
  seed: number;
  asked: number;
  runs: number;
  verdict: Verdict;
  partial?: string;
  outcomes: Outcome[] | null;
  metrics: Record<string, Metric> | null;
  calls?: string[];
  scope?: string;
  connections?: { open: number; reset: number; closed: number; survived: number };
  command: string;
  failing?: string;
}

export interface Picture {
  kind: "histogram" | "comparison" | "client" | "timeline";
  /** Index of the variant; -1: all. */
  variant: number;
  metric?: string;
  client?: string;
  run?: number;
  what?: string;
  svg: string;
}
