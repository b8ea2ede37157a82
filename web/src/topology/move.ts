import { signal } from "@preact/signals";
import { ApiError, post } from "../api/client.ts";
import type { MoveVerdict, NetworkInterface } from "../api/types.ts";
import { move } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { toastError } from "../ui/toast.tsx";
import { holding, shown } from "./sight.ts";

/** ENI being dragged, and how far. */
export const dragging = signal("");
export const dragOffset = signal({ x: 0, y: 0 });
/** ENI whose move menu is open. */
export const moveFor = signal("");

export const verdicts = signal<ReadonlyMap<string, MoveVerdict> | null>(null);
/** The move that waits for a yes. */
export const moveConfirm = signal<{ eni: string; to: string; deviceIndex: number | undefined } | null>(null);

export const verdictOf = (instanceId: string): MoveVerdict | undefined => verdicts.value?.get(instanceId);

/** The instances that an interface might go to, whatever the control plane says of each. */
export const candidates = (n: NetworkInterface): string[] =>
  (state.topology.value?.instances ?? [])
    .filter((i) => i.vpcId === n.vpcId && i.state !== "terminated" && i.id !== n.attachment?.instanceId)
    .map((i) => i.id);

/** Asks the control plane about candidates at once; the page has no rule of its own. */
export async function ask(n: NetworkInterface, targets: readonly string[]): Promise<void> {
  verdicts.value = null;
  try {
    const answer = await post<{ items: MoveVerdict[] }>(`/network-interfaces/${n.id}/move?dryRun=true`, {
      targets,
      dryRun: true,
    });
    verdicts.value = new Map(answer.items.map((v) => [v.instanceId, v]));
  } catch (err) {
    verdicts.value = new Map();
    toastError(err);
  }
}

const thresholdPx = 4;

export function beginDrag(e: PointerEvent, n: NetworkInterface): void {
  if (e.button !== 0) return;
  const chip = e.currentTarget as HTMLElement;
  const pointer = e.pointerId;
  const from = { x: e.clientX, y: e.clientY };
  let started = false;
  const onMove = (m: PointerEvent): void => {
    if (m.pointerId !== pointer) return;
    const dx = m.clientX - from.x;
    const dy = m.clientY - from.y;
    if (!started) {
      if (Math.hypot(dx, dy) < thresholdPx) return;
      started = true;
      chip.setPointerCapture(pointer);
      dragging.value = n.id;
      holding.value = n.id;
      moveFor.value = "";
      // It can be dropped on what is in sight and nowhere else.
      const { ids } = shown.peek();
      void ask(
        n,
        candidates(n).filter((id) => ids.has(id)),
      );
    }
    dragOffset.value = { x: dx, y: dy };
  };
  const end = (): void => {
    removeEventListener("pointermove", onMove);
    removeEventListener("pointerup", onUp);
    removeEventListener("pointercancel", onCancel);
    removeEventListener("keydown", onKey, true);
    dragging.value = "";
    holding.value = "";
    dragOffset.value = { x: 0, y: 0 };
  };
  const onKey = (k: KeyboardEvent): void => {
    if (k.key !== "Escape") return;
    k.stopPropagation();
    end();
  };
  const onCancel = (u: PointerEvent): void => {
    if (u.pointerId === pointer) end();
  };
  const onUp = (u: PointerEvent): void => {
    if (u.pointerId !== pointer) return;
    const was = started;
    end();
    if (was) drop(n, u);
  };
  // On the window: a quick pointer is off the chip before it has moved far enough.
  addEventListener("pointermove", onMove);
  addEventListener("pointerup", onUp);
  addEventListener("pointercancel", onCancel);
  addEventListener("keydown", onKey, true);
}

function drop(n: NetworkInterface, e: PointerEvent): void {
  const card = document
    .elementsFromPoint(e.clientX, e.clientY)
    .map((el) => el.closest<HTMLElement>("[data-instance]"))
    .find((el) => el !== null);
  const to = card?.dataset.instance;
  if (!to || !card || to === n.attachment?.instanceId) return;
  const v = verdictOf(to);
  if (v && !v.allowed) {
    refuse(card, v);
    return;
  }
  if (e.shiftKey || !n.attachment) move(n.id, to, false, v?.deviceIndex);
  else moveConfirm.value = { eni: n.id, to, deviceIndex: v?.deviceIndex };
}

function refuse(card: HTMLElement, v: MoveVerdict): void {
  toastError(new ApiError(400, v.code ?? "", v.message ?? ""));
  if (state.reducedMotion.value) return;
  card.animate([{ translate: "0" }, { translate: "-5px" }, { translate: "5px" }, { translate: "0" }], {
    duration: 160,
  });
}

export function openMoveMenu(): void {
  const id = state.enisById.value.has(state.selection.value)
    ? state.selection.value
    : (state.servedEni.value?.id ?? "");
  if (!id) return;
  state.selection.value = id;
  // Where the inspector is a drawer it would cover the menu and the targets.
  if (innerWidth < 1100) state.inspectorOpen.value = false;
  moveFor.value = moveFor.value === id ? "" : id;
}
