import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";

// What the server has set, read again while it is looked at.

export interface Span {
  operation: string;
  minMs: number;
  medianMs: number;
  maxMs: number;
  changed: boolean;
}

export interface Timings {
  preset: string;
  operations: Span[];
  endedAttachmentMs: number;
  staleAfterForce: boolean;
  announceMoves: boolean;
}

export interface ApiFault {
  id: string;
  api: string;
  operation: string;
  kind: string;
  code?: string;
  hangMs?: number;
  when: string;
  calls?: number;
  share?: number;
  seen: number;
  injected: number;
  spent?: boolean;
}

export interface Place {
  instance?: string;
  networkInterface?: string;
  subnet?: string;
  zone?: string;
}

export interface Impairment {
  id: string;
  kind: string;
  of?: Place;
  to?: Place;
  direction: string;
  protocol?: string;
  share?: number;
  delayMs?: number;
  jitterMs?: number;
  bitsPerSecond?: number;
  seen: number;
  acted: number;
}

export interface Quotas {
  preset: string;
  items: { resource: string; of: "region" | "vpc"; most?: number; aws: number; code: string }[];
}

export interface Snapshot {
  name: string;
  createdAt: string;
  bytes: number;
  description?: string;
}

export const timings = signal<Timings | null>(null);
export const faults = signal<readonly ApiFault[]>([]);
export const impairments = signal<readonly Impairment[]>([]);
export const quotas = signal<Quotas | null>(null);
export const snapshots = signal<readonly Snapshot[]>([]);
export const failed = signal("");

const everyMs = 2000;

interface List<T> {
  items: T[] | null;
}

/** Reads all of it. What cannot be read leaves what was there. */
export async function read(): Promise<void> {
  try {
    const [t, f, i, q, s] = await Promise.all([
      get<Timings>("/timings"),
      get<List<ApiFault>>("/api-faults"),
      get<List<Impairment>>("/impairments"),
      get<Quotas>("/quotas"),
      get<List<Snapshot>>("/snapshots"),
    ]);
    timings.value = t;
    faults.value = f.items ?? [];
    impairments.value = i.items ?? [];
    quotas.value = q;
    snapshots.value = s.items ?? [];
    failed.value = "";
  } catch (err) {
    failed.value = err instanceof Error ? err.message : String(err);
  }
}

/** Keeps it up to date while a component is there: others change it too, and its counts rise. */
export function useSettings(): void {
  useEffect(() => {
    void read();
    const timer = setInterval(() => {
      if (!document.hidden) void read();
    }, everyMs);
    return () => clearInterval(timer);
  }, []);
}
