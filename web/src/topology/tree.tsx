import { effect } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { t } from "../i18n/i18n.ts";
import { apply } from "../traffic/filter.ts";
import { BoxView, Take } from "./boxes.tsx";
import { ChipView, showBars } from "./chip.tsx";
import { GatewayView, isGateway } from "./gateways.tsx";
import { dragging } from "./move.ts";
import { kin, lit } from "./overlay.ts";
import { rateTick } from "./scene.ts";
import { detail, picture, shown } from "./sight.ts";
import { walk } from "./walk.ts";

/** The elements of what is in sight; everything else is paint or not there. */
export function Tree({ pan }: { pan: (e: PointerEvent) => void }) {
  const p = picture.value;
  const { boxes, chips, order } = shown.value;
  useLayoutEffect(mark);
  useEffect(() => effect(mark), []);
  useEffect(
    () =>
      effect(() => {
        rateTick.value;
        if (detail.value === "near") showBars(shown.value.chips);
      }),
    [],
  );
  if (!p || p.boxes.length === 0) return null;
  return (
    <div
      role="tree"
      aria-label={t("topology.label")}
      class="tree"
      // Chips stay children of one layer, so that a move keeps their DOM node;
      // the order of reading is told here instead.
      aria-owns={order.map((id) => `n-${id}`).join(" ")}
      onKeyDown={walk}
      onPointerDown={pan}
      onDblClick={pin}
    >
      <div class="layer" role="none">
        {boxes.map((b) => !isGateway(b) && <BoxView key={b.id} box={b} />)}
      </div>
      <div class="layer chips" role="none">
        {chips
          .toSorted((a, b) => (a.mac < b.mac ? -1 : 1))
          .map((chip) => (
            <ChipView key={chip.mac} chip={chip} />
          ))}
        {boxes.map((b) => isGateway(b) && <GatewayView key={b.id} box={b} />)}
        {dragging.value && boxes.map((b) => <Take key={`take-${b.id}`} box={b} />)}
      </div>
    </div>
  );
}

/** Double click: the filter of one interface, pinned. */
function pin(e: MouseEvent): void {
  const eni = (e.target as HTMLElement).closest<HTMLElement>("[data-eni]")?.dataset.eni;
  if (eni) apply(`eni:${eni}`);
}

/** Says on the elements what an overlay lights, and what is kin to what is under the pointer. */
function mark(): void {
  const on = lit.value;
  const near = kin.value;
  const say = (id: string): void => {
    const el = document.getElementById(`n-${id}`);
    if (!el) return;
    const word = on ? (on.has(id) ? "yes" : "no") : near?.has(id) ? "kin" : "";
    if (word) el.dataset.lit = word;
    else delete el.dataset.lit;
  };
  for (const c of shown.value.chips) say(c.eni);
  for (const b of shown.value.boxes) if (b.kind === "subnet" || isGateway(b)) say(b.id);
}
