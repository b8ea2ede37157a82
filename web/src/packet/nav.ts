import { effect, signal } from "@preact/signals";
import { ring } from "../app/state.ts";
import { stepPacket } from "../traffic/follow.ts";
import { askAgain, detail, prefetch } from "./load.ts";
import { ordinalOf, type Shown, showFrame, shown } from "./shown.ts";
import type { Detail } from "./types.ts";

// From frame to frame: by rows, along a conversation, and back through what was looked at.

const keepHistory = 100;
const ahead = 3;

const visited: Shown[] = [];
let at = -1;
let going = false;

effect(() => {
  const s = shown.value;
  if (!s || going) return;
  if (JSON.stringify(visited[at]) === JSON.stringify(s)) return;
  visited.splice(at + 1);
  visited.push(s);
  if (visited.length > keepHistory) visited.shift();
  at = visited.length - 1;
});

const open = (s: Shown): void => {
  if (s.kind === "frame") showFrame(s.cursor);
  else shown.value = s;
};

/** Back (-1) or on (1) in what was looked at. */
export function goBack(by: -1 | 1): void {
  const to = visited[at + by];
  if (!to) return;
  at += by;
  going = true;
  open(to);
  going = false;
}

/** What the rows of the list beside the view are, if it is not the live table. */
export const beside = signal<((by: number) => Shown | null) | null>(null);

/** The next (1) or previous (-1) row. */
export function goRow(by: -1 | 1): void {
  const list = beside.value;
  if (!list) {
    stepPacket(by);
    return;
  }
  const to = list(by);
  if (to) open(to);
}

/** The later (1) or earlier (-1) frame of the same flow. */
export async function goInFlow(by: -1 | 1): Promise<void> {
  const s = shown.peek();
  const d = detail.peek();
  if (s?.kind !== "frame" || !d?.frame) return;
  if (by > 0 && d.frame.later === undefined) await askAgain(s);
  const f = detail.peek()?.frame;
  const to = by > 0 ? f?.later : f?.earlier;
  if (to !== undefined && shown.peek() === s) showFrame(to);
}

// The rows beside, and the neighbours in the flow.
effect(() => {
  const s = shown.value;
  const d = detail.value;
  if (!s) return;
  const list = beside.peek();
  const next: Shown[] = [];
  for (let i = 1; i <= ahead; i++) {
    if (list) next.push(...[list(i), list(-i)].filter((x) => x !== null));
    else if (s.kind === "frame") {
      const ordinal = ordinalOf(s.cursor);
      for (const o of [ordinal + i, ordinal - i])
        if (ordinal >= 0 && ring.holds(o)) next.push({ kind: "frame", cursor: ring.seq[ring.slot(o)]! });
    }
  }
  for (const cursor of [d?.frame?.earlier, d?.frame?.later])
    if (cursor !== undefined) next.push({ kind: "frame", cursor });
  prefetch(next);
});

/** The frame that others are compared with. */
export const pinned = signal<Detail | null>(null);

/** Keys of the packet view, after Wireshark's; true: the key was one of them. */
export function packetKey(e: KeyboardEvent): boolean {
  if (!shown.value || e.isComposing) return false;
  if (e.altKey && !e.ctrlKey && !e.metaKey && (e.key === "ArrowLeft" || e.key === "ArrowRight")) {
    goBack(e.key === "ArrowLeft" ? -1 : 1);
    return true;
  }
  if (e.altKey || e.metaKey) return false;
  if (e.code === "F8" || (e.ctrlKey && e.key === "ArrowDown")) goRow(1);
  else if (e.code === "F7" || (e.ctrlKey && e.key === "ArrowUp")) goRow(-1);
  else if (e.code === (e.ctrlKey ? "Period" : "BracketRight")) void goInFlow(1);
  else if (e.code === (e.ctrlKey ? "Comma" : "BracketLeft")) void goInFlow(-1);
  else return false;
  return true;
}
