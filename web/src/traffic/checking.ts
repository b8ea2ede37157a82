import type { Fault } from "./filter.ts";

/** What the server says of a filter. */
export interface Check {
  filter: string;
  valid: boolean;
  error?: Fault;
  records: number;
  matched: number;
  terms: { at: number; length: number; field: string; matched: number }[];
}

export interface Completion {
  text: string;
  kind: "field" | "value" | "name";
  about?: string;
  count: number;
}

export interface Completions {
  from: number;
  to: number;
  field: string;
  records: number;
  items: Completion[];
}
