import { computed, effect, signal } from "@preact/signals";
import { onEdges } from "../app/session.ts";
import * as state from "../app/state.ts";
import { theme } from "../app/theme.ts";
import { viewRegion, viewVpc } from "../app/view.ts";
import { filter } from "../traffic/filter.ts";
import { Dots, type Drawn } from "./dots.ts";
import { route, wayOf } from "./edges.ts";
import { hovered, lit } from "./overlay.ts";
import { Painter } from "./painter.ts";
import { watchAnnouncements } from "./pulses.ts";
import { Rates } from "./rates.ts";
import type { Box } from "./shapes.ts";
import { camera, detail, picture, stageSize } from "./sight.ts";
import { stepHook } from "./stephook.ts";
import { Ways } from "./ways.ts";

// The one owner of what the painter is given: lines and dots by counted frames, the way
// of a traced frame, the dots of stepped ones. Others know neither painter nor dots.

export const dotScale = signal(1);

const ways = computed(() => (state.topology.value ? new Ways(state.topology.value) : null));

export const chipOf = computed(() => new Map(picture.value?.chips.map((c) => [c.eni, c] as const) ?? []));

/** Far away a subnet stands for all that is in it. */
const asOne = (id: string): string => chipOf.value.get(id)?.subnet ?? subnetOfGateway.value.get(id) ?? id;
const subnetOfGateway = computed(
  () =>
    new Map(picture.value?.boxes.filter((b) => b.kind === "nat").map((b) => [b.id, b.parent] as const) ?? []),
);

function drawn(src: number, dst: number): Drawn | null {
  const p = picture.value;
  const w = ways.value;
  const from = state.dictionary.eni(src);
  if (!p || !w || !from) return null;
  const to = state.dictionary.eni(dst);
  if (detail.peek() !== "far") {
    if (!p.anchors.has(w.place(from))) return null;
    const ends: [string, string] = [from, to];
    return { key: `${from}>${to}`, ends, route: () => route(p, w.between(from, to)) };
  }
  const a = asOne(w.place(from));
  const b = to ? asOne(w.place(to)) : "";
  // What stays within a subnet is told by its rate.
  if (a === b || !p.anchors.has(a)) return null;
  const between = (): string[] => [a, ...w.between(from, to).slice(1, -1).map(asOne), ...(b ? [b] : [])];
  return {
    key: `${a}>${b}`,
    ends: [a, b],
    route: () =>
      route(
        p,
        between().filter((x, i, all) => x !== all[i - 1]),
      ),
  };
}

const dots = new Dots(drawn);
const rates = new Rates();

/** Grows twice a second, when rates have been taken. */
export const rateTick = signal(0);

interface Counted {
  box: Box;
  enis: string[];
}

/** What is a dot far away: each card with the interfaces on it. */
const counted = computed((): Counted[] => {
  const p = picture.value;
  if (!p) return [];
  const of = new Map<string, Counted>();
  for (const box of p.boxes)
    if (box.kind === "instance" || box.kind === "tray" || box.kind === "nat")
      of.set(box.id, { box, enis: [] });
  for (const c of p.chips) of.get(c.owner || `${c.subnet}/unattached`)?.enis.push(c.eni);
  return [...of.values()];
});

let ofBoxes = new Map<string, number>();

/** Frames a second that leave a card, a subnet or an interface. */
export function rateOf(id: string): number {
  rateTick.value;
  return ofBoxes.get(id) ?? 0;
}

/** Frames a second that an interface sends and receives. */
export function ratesOf(eni: string): [tx: number, rx: number] {
  const i = state.dictionary.vnic(eni);
  return i > 0 && i < rates.tx.length ? [rates.tx[i]!, rates.rx[i]!] : [0, 0];
}

function sumUp(): void {
  const sums = new Map<string, number>();
  for (const { box, enis } of counted.peek()) {
    let sum = 0;
    for (const id of enis) sum += ratesOf(id)[0];
    if (sum === 0) continue;
    sums.set(box.id, sum);
    sums.set(box.parent, (sums.get(box.parent) ?? 0) + sum);
  }
  ofBoxes = sums;
  rateTick.value++;
}

const ratesMs = 500;

/** Starts to paint; returns the way to stop. */
export function startPainting(ground: HTMLCanvasElement, canvas: HTMLCanvasElement): () => void {
  const painter = new Painter(ground, canvas);
  let last = performance.now();
  let frame = 0;
  let dirty = true;
  let summedAt = 0;
  let interfaces = -1;
  let reassigned = -1;
  let generation = -1;
  const stale = (): void => {
    dirty = true;
  };
  const stopEdges = onEdges((_start, width, e) => {
    rates.add(e.src, e.dst, e.accept + e.reject + e.lost + e.control, e.accept + e.control);
    if (!document.hidden) dots.feed(e, width);
  });
  const stopTheme = effect(() => {
    theme.value;
    painter.recolour();
    stale();
  });
  const stopView = effect(() => {
    viewRegion.value;
    viewVpc.value;
    filter.value;
    // Those under way are on ways that are not drawn any more.
    dots.reset();
  });
  const stopPicture = effect(() => {
    picture.value;
    ways.value;
    detail.value;
    dots.invalidate();
    stale();
  });
  const stopInputs = effect(() => {
    const p = picture.value;
    const trace = state.shownTrace.value;
    painter.wires = p?.wires ?? [];
    painter.trace =
      p && trace
        ? {
            route: wayOf(p, trace.places),
            verdict: trace.verdict,
            predicted: trace === state.predicted.value,
          }
        : null;
    painter.lit = lit.value;
    painter.stressed = hovered.value;
    painter.cards = counted.value;
    state.selection.value;
    state.instancesById.value;
    stale();
  });
  const stopCamera = effect(() => {
    camera.value;
    stageSize.value;
    stale();
  });
  const announced = watchAnnouncements();
  const loop = (now: number): void => {
    frame = requestAnimationFrame(loop);
    // A tab that comes back must not fling every dot to its end.
    const dt = Math.min(0.05, (now - last) / 1000);
    last = now;
    const d = state.dictionary;
    if (d.generation !== generation) {
      dots.reset();
      rates.clear();
    } else if (d.reassigned !== reassigned) dots.invalidate();
    else if (d.interfaces !== interfaces) dots.learned();
    [generation, reassigned, interfaces] = [d.generation, d.reassigned, d.interfaces];
    const still = state.reducedMotion.value || state.dotsPaused.value;
    if (now - summedAt >= ratesMs) {
      rates.settle(Math.min(now - summedAt, 5 * ratesMs) / 1000);
      summedAt = now;
      sumUp();
    }
    // Without motion bars tell the rates, twice a second and no more.
    if (dots.settle(now, still || detail.peek() === "far" ? ratesMs : 200)) stale();
    if (!still) dots.step(dt);
    for (const eni of announced()) painter.pulse(chipOf.value.get(eni), now);
    const size = stageSize.value;
    if (painter.fit(size.width, size.height) || dirty) {
      dirty = false;
      painter.paintGround(dots, camera.value, detail.value, still, { rateOf, rttOf });
    }
    painter.paintDots(dots, camera.value, still, now);
    if (dotScale.peek() !== dots.scale) dotScale.value = dots.scale;
    state.framePainted();
  };
  frame = requestAnimationFrame(loop);
  return () => {
    cancelAnimationFrame(frame);
    for (const stop of [stopEdges, stopTheme, stopView, stopPicture, stopInputs, stopCamera]) stop();
  };
}

/** Draws a frame of the recording on its way; alone: in place of those before it. */
export function drawStep(from: string, to: string, verdict: string, alone: boolean): void {
  const p = picture.value;
  const way = p && from && ways.value ? route(p, ways.value.between(from, to)) : null;
  stepHook.dots?.begin(way, verdict, performance.now(), alone);
}

const clients = computed(() => {
  const by = new Map<string, number>();
  for (const f of state.flows.value) {
    const rtt = f.rttP50Ms;
    if (rtt === undefined) continue;
    by.set(f.instanceId, Math.min(rtt, by.get(f.instanceId) ?? Infinity));
  }
  return by;
});

/** The middle round trip of what the holder of an interface asks, in milliseconds, where the server measures it. */
function rttOf(id: string): number | undefined {
  const holder = state.hostsById.peek().has(id) ? id : chipOf.value.get(id)?.owner;
  return holder ? clients.value.get(holder) : undefined;
}
