import { computed, signal } from "@preact/signals";
import { del, get, post } from "../api/client.ts";
import type { Capture, Failover, Instance } from "../api/types.ts";
import { instant, millis, t, word } from "../i18n/i18n.ts";
import { say } from "../ui/announce.ts";
import { toast, toastError } from "../ui/toast.tsx";
import * as state from "./state.ts";

// What a person does to the lab: fail, recover, fail back, move, record.

/** Whether pressing F also records the served interface. */
export const recordDrills = signal(localStorage.getItem("recordDrills") !== "no");
export function setRecordDrills(on: boolean): void {
  recordDrills.value = on;
  localStorage.setItem("recordDrills", on ? "yes" : "no");
}

/** A fault that this page asked for and whose record has not begun: browser clock. */
export const faultPressedAt = signal(0);
/** When the owner of the served interface failed, milliseconds of the server's clock; 0: it has not. */
export const faultSince = computed(
  () => state.servedFault.value || (faultPressedAt.value && faultPressedAt.value + state.clockOffset.value),
);
/** Calls under way, by what they act on, so that a button can show it. */
export const busy = signal<ReadonlySet<string>>(new Set());
/** Instance awaiting a yes before it is failed. */
export const confirmFail = signal<Instance | null>(null);

// A drill's capture ends by itself even if this page is closed.
const drillCaptureSeconds = 120;
const afterRecordMs = 2000;
let drillCapture = "";

/** Runs one call; errors become toasts. The result is undefined when it failed. */
export async function act<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
  if (busy.value.has(what)) return undefined;
  busy.value = new Set(busy.value).add(what);
  try {
    return await run();
  } catch (err) {
    toastError(err);
    return undefined;
  } finally {
    const rest = new Set(busy.value);
    rest.delete(what);
    busy.value = rest;
  }
}

const isRecording = (eniId: string): boolean =>
  (state.topology.value?.captures ?? []).some((c) => c.state === "recording" && captureHas(c, eniId));

export const captureHas = (c: Capture, eniId: string): boolean =>
  Boolean(c.all) || c.networkInterfaceId === eniId || Boolean(c.networkInterfaceIds?.includes(eniId));

/** Fails an instance, after a question if the lab gave it no role in a drill. */
export function fail(i: Instance, mode: "freeze" | "link" | "stop" = "freeze", confirmed = false): void {
  if (!confirmed && !i.role) {
    confirmFail.value = i;
    return;
  }
  void act(`fail:${i.id}`, async () => {
    const served = state.servedEni.value;
    if (recordDrills.value && served && !isRecording(served.id)) {
      try {
        const c = await post<Capture>("/captures", {
          networkInterfaceId: served.id,
          maxSeconds: drillCaptureSeconds,
          comment: `drill: ${state.instanceName(i.id)} ${mode}`,
        });
        drillCapture = c.id;
      } catch (err) {
        // The drill matters more than its recording.
        toastError(err);
      }
    }
    // The outage is one of the served interface: another instance's failure starts none.
    if (served?.attachment?.instanceId === i.id) {
      faultPressedAt.value = Date.now();
      state.inspectorTab.value = "failover";
    }
    try {
      await post(`/instances/${i.id}/fail`, { mode });
    } catch (err) {
      faultPressedAt.value = 0;
      throw err;
    }
    say(t("say.fault", { name: state.instanceName(i.id) }), true);
  });
}

export function recover(i: Instance): void {
  faultPressedAt.value = 0;
  void act(`recover:${i.id}`, () => post(`/instances/${i.id}/recover`));
}

/** Moves the interface back to where the last failover took it from. */
export function failBack(f: Failover): void {
  const from = f.fromInstanceId;
  if (!from) return;
  void act("failback", async () => {
    if (state.instancesById.value.get(from)?.fault) await post(`/instances/${from}/recover`);
    await post(`/network-interfaces/${f.networkInterfaceId}/move`, { instanceId: from, failBack: true });
  });
}

/** The newest completed record of the selected interface, else of the served one, if it is still where it went. */
export function failBackCandidate(): Failover | null {
  const id = state.enisById.value.has(state.selection.value)
    ? state.selection.value
    : state.servedEni.value?.id;
  const f = state.failovers.value.find(
    (x) => x.networkInterfaceId === id && state.isOfInterface(x) && x.state === "completed",
  );
  if (!f?.fromInstanceId || !f.toInstanceId) return null;
  const n = state.enisById.value.get(f.networkInterfaceId);
  return n?.attachment?.instanceId === f.toInstanceId ? f : null;
}

export function move(eniId: string, instanceId: string, force: boolean, deviceIndex?: number): void {
  const n = state.enisById.value.get(eniId);
  const name = n ? state.eniName(n) : eniId;
  void act(`move:${eniId}`, async () => {
    say(t("move.requested", { name, to: state.instanceName(instanceId) }));
    await post(`/network-interfaces/${eniId}/move`, {
      instanceId,
      ...(deviceIndex !== undefined && { deviceIndex }),
      ...(force && { force }),
    });
    say(t("move.done", { name, to: state.instanceName(instanceId) }));
  });
}

const faultShowsMs = 1000;

/** Ends the count of a fault that somebody else has recovered before it was detected. */
export function faultSettled(anyFault: boolean): void {
  if (!anyFault && Date.now() - faultPressedAt.value > faultShowsMs) faultPressedAt.value = 0;
}

/** Called for each record that the stream brings. */
export function onFailoverChange(f: Failover, before: Failover | undefined): void {
  if (f.networkInterfaceId === state.servedEni.value?.id && state.isOfInterface(f)) faultPressedAt.value = 0;
  const known = new Set((before?.phases ?? []).filter((p) => p.end).map((p) => p.name));
  for (const p of f.phases ?? []) {
    if (f.state === "running" && p.end && !known.has(p.name)) {
      say(t("say.phase", { phase: word("phase", p.name), ms: millis(p.ms) }));
    }
  }
  if (f.state === "completed" && before?.state !== "completed") {
    const ms = f.outageMs;
    say(typeof ms === "number" ? t("say.done", { ms: millis(ms) }) : t("say.doneUnmeasured"), true);
    if (drillCapture) {
      const id = drillCapture;
      drillCapture = "";
      setTimeout(
        () => void post(`/captures/${id}/stop`).then(refreshCaptures, () => undefined),
        afterRecordMs,
      );
    }
  }
}

/** Captures change without an event per frame; screens that show counts ask again. */
export async function refreshCaptures(): Promise<void> {
  const page = await get<{ items: Capture[] }>("/captures?limit=1000");
  const now = state.topology.value;
  if (now) state.topology.value = { ...now, captures: page.items ?? [] };
}

export function startCapture(body: Record<string, unknown>, scope: string): Promise<Capture | undefined> {
  return act("capture", async () => {
    const c = await post<Capture>("/captures", body);
    toast(t("captures.started.toast", { scope }));
    await refreshCaptures();
    return c;
  });
}

export function stopCapture(id: string): void {
  void act(`capture:${id}`, async () => {
    await post(`/captures/${id}/stop`);
    toast(t("captures.stopped.toast"));
    await refreshCaptures();
  });
}

/** Starts a capture of the selection (or of everything), or stops the newest running one. */
export function toggleCapture(): void {
  const running = state.topology.value?.captures?.find((c) => c.state === "recording");
  if (running) {
    stopCapture(running.id);
    return;
  }
  const id = state.selection.value;
  const n = state.enisById.value.get(id);
  const i = state.instancesById.value.get(id);
  const scope = n ? state.eniName(n) : i ? state.instanceName(id) : t("captures.everything");
  void startCapture(n ? { networkInterfaceId: id } : i ? { instanceId: id } : {}, scope);
}

const undoMs = 8000;

/** Deletes after a while in which it can be taken back. */
export function deleteCapture(c: Capture): void {
  const hide = new Set(hiddenCaptures.value).add(c.id);
  hiddenCaptures.value = hide;
  const unhide = () => {
    const rest = new Set(hiddenCaptures.value);
    rest.delete(c.id);
    hiddenCaptures.value = rest;
  };
  const timer = setTimeout(() => {
    void act(`delete:${c.id}`, () => del(`/captures/${c.id}`))
      .then(refreshCaptures)
      .finally(unhide);
  }, undoMs);
  toast(t("captures.deleted"), {
    label: t("captures.undo"),
    forMs: undoMs,
    run: () => {
      clearTimeout(timer);
      unhide();
    },
  });
}

export const hiddenCaptures = signal<ReadonlySet<string>>(new Set());

/** The capture that holds a record's whole window, if one does. */
export function captureOf(f: Failover): Capture | null {
  const from = instant(f.control?.faultAt ?? f.startedAt);
  const to = f.endedAt ? instant(f.endedAt) : state.serverNow();
  return (
    (state.topology.value?.captures ?? []).find((c) => {
      if (!captureHas(c, f.networkInterfaceId)) return false;
      const end = c.stoppedAt ? instant(c.stoppedAt) : Number.POSITIVE_INFINITY;
      return instant(c.startedAt) <= from && end >= to;
    }) ?? null
  );
}
