import { signal } from "@preact/signals";
import * as state from "../app/state.ts";
import { toastError } from "../ui/toast.tsx";
import { ec2 } from "./api.ts";
import { offerUndo, openForm } from "./form.ts";
import { give } from "./hosts.ts";
import { type KindId, kinds } from "./kinds.ts";
import { eniLabel, placeOf } from "./model.ts";
import { w } from "./words.ts";

// Dragging from the panel onto the map. Whatever a drop does, a button does too.

/** What is dragged: a new thing of a kind, a group or an Elastic IP that there is. */
export interface Piece {
  kind: KindId;
  /** Of what there is already; "": it is to be made. */
  id: string;
  label: string;
}

export const carried = signal<(Piece & { x: number; y: number }) | null>(null);

/** What each kind can be put on. */
const takes: Record<KindId, readonly string[]> = {
  vpc: ["stage"],
  subnet: ["vpc"],
  igw: ["vpc"],
  group: ["vpc"],
  table: ["vpc", "subnet"],
  acl: ["vpc", "subnet"],
  route: ["vpc", "subnet"],
  entry: ["subnet"],
  instance: ["subnet"],
  nat: ["subnet"],
  eni: ["subnet", "instance"],
  address: ["eni"],
  eip: ["eni"],
  policy: ["eni"],
  rule: ["eni", "instance"],
  workload: ["instance"],
  peering: ["vpc"],
  host: ["stage"],
};

export const targetsOf = (p: Piece): readonly string[] => (p.id ? ["eni"] : takes[p.kind]);

/** The innermost thing under the pointer that takes the piece, and what it is. */
function under(p: Piece, x: number, y: number): string | null {
  const wanted = targetsOf(p);
  let onStage = false;
  for (const el of document.elementsFromPoint(x, y)) {
    if (el.classList.contains("stage")) onStage = true;
    const item = el.closest<HTMLElement>("[id^='n-']");
    if (!item) continue;
    const id = item.id.slice(2);
    const kind = state.enisById.value.has(id)
      ? "eni"
      : state.instancesById.value.has(id)
        ? "instance"
        : id.startsWith("subnet-")
          ? "subnet"
          : id.startsWith("vpc-") && !id.includes("/")
            ? "vpc"
            : "";
    if (wanted.includes(kind)) return id;
  }
  return onStage && wanted.includes("stage") ? "" : null;
}

const thresholdPx = 4;

export function carry(e: PointerEvent, piece: Piece): void {
  if (e.button !== 0) return;
  const from = { x: e.clientX, y: e.clientY };
  const onMove = (m: PointerEvent): void => {
    if (m.pointerId !== e.pointerId) return;
    if (!carried.value && Math.hypot(m.clientX - from.x, m.clientY - from.y) < thresholdPx) return;
    if (!carried.value) document.documentElement.dataset.placing = targetsOf(piece).join(" ");
    carried.value = { ...piece, x: m.clientX, y: m.clientY };
  };
  const end = (): void => {
    removeEventListener("pointermove", onMove);
    removeEventListener("pointerup", onUp);
    removeEventListener("pointercancel", end);
    removeEventListener("keydown", onKey, true);
    delete document.documentElement.dataset.placing;
    // A click that ends a drag is none; it comes after this.
    setTimeout(() => {
      carried.value = null;
    });
  };
  const onUp = (u: PointerEvent): void => {
    const was = carried.value;
    end();
    if (!was) return;
    const at = under(piece, u.clientX, u.clientY);
    if (at !== null) drop(piece, at);
    else if (document.elementsFromPoint(u.clientX, u.clientY).some((x) => x.classList.contains("stage")))
      toastError(new Error(w("cannotDrop", { what: piece.label })));
  };
  const onKey = (k: KeyboardEvent): void => {
    if (k.key !== "Escape") return;
    k.stopPropagation();
    end();
  };
  addEventListener("pointermove", onMove);
  addEventListener("pointerup", onUp);
  addEventListener("pointercancel", end);
  addEventListener("keydown", onKey, true);
}

function drop(p: Piece, at: string): void {
  if (p.id) {
    void putOn(p, at).catch(toastError);
    return;
  }
  if (at) state.selection.value = at;
  openForm(kinds[p.kind], placeOf(at));
}

/** Puts a group or an Elastic IP that there is on an interface. */
export async function putOn(p: Piece, eni: string): Promise<void> {
  const n = state.enisById.value.get(eni);
  if (!n) return;
  const said = w("attached", { what: p.label, to: eniLabel(n) });
  if (p.kind === "eip") {
    const before = state.topology.value?.addresses?.find((a) => a.allocationId === p.id);
    await give(p.id, eni, "");
    offerUndo(said, () => give(p.id, before?.networkInterfaceId ?? "", before?.privateIp ?? ""));
    return;
  }
  const before = n.groups.map((g) => g.id);
  const groups = (ids: string[]) =>
    ec2("ModifyNetworkInterfaceAttribute", { NetworkInterfaceId: eni, SecurityGroupId: ids });
  await groups([...new Set([...before, p.id])]);
  offerUndo(said, () => groups(before));
}
