import { signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError, post } from "../api/client.ts";
import type { MoveVerdict, NetworkInterface } from "../api/types.ts";
import { move } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Said } from "../ui/said.tsx";
import { toastError } from "../ui/toast.tsx";

/** ENI being dragged, and how far. */
export const dragging = signal("");
export const dragOffset = signal({ x: 0, y: 0 });
/** ENI whose move menu is open. */
export const moveFor = signal("");

const verdicts = signal<ReadonlyMap<string, MoveVerdict> | null>(null);
const confirm = signal<{ eni: string; to: string; deviceIndex: number | undefined } | null>(null);

export const verdictOf = (instanceId: string): MoveVerdict | undefined => verdicts.value?.get(instanceId);

const candidates = (n: NetworkInterface): string[] =>
  (state.topology.value?.instances ?? [])
    .filter((i) => i.vpcId === n.vpcId && i.state !== "terminated" && i.id !== n.attachment?.instanceId)
    .map((i) => i.id);

/** Asks the control plane about every candidate at once; the page has no rule of its own. */
async function ask(n: NetworkInterface): Promise<void> {
  verdicts.value = null;
  try {
    const answer = await post<{ items: MoveVerdict[] }>(`/network-interfaces/${n.id}/move?dryRun=true`, {
      targets: candidates(n),
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
      moveFor.value = "";
      void ask(n);
    }
    dragOffset.value = { x: dx, y: dy };
  };
  const end = (): void => {
    removeEventListener("pointermove", onMove);
    removeEventListener("pointerup", onUp);
    removeEventListener("pointercancel", onCancel);
    removeEventListener("keydown", onKey, true);
    dragging.value = "";
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
  else confirm.value = { eni: n.id, to, deviceIndex: v?.deviceIndex };
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

export function MoveMenu({ at }: { at: { x: number; y: number } }) {
  const ref = useRef<HTMLDivElement>(null);
  const n = state.enisById.value.get(moveFor.value);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    if (n && n.attachment?.deviceIndex !== 0) void ask(n);
    ref.current?.focus();
    const away = (e: PointerEvent): void => {
      if (!ref.current?.contains(e.target as Node) && !(e.target as HTMLElement).closest(".chip-menu"))
        moveFor.value = "";
    };
    addEventListener("pointerdown", away, true);
    return () => {
      removeEventListener("pointerdown", away, true);
      if (before?.isConnected) before.focus();
    };
  }, [moveFor.value]);
  // Keep the menu inside the stage, wherever its chip is.
  useEffect(() => {
    const el = ref.current;
    const stage = el?.parentElement;
    if (!el || !stage) return;
    const x = Math.max(8, Math.min(at.x, stage.clientWidth - el.offsetWidth - 8));
    const y = Math.max(8, Math.min(at.y, stage.clientHeight - el.offsetHeight - 8));
    el.style.transform = `translate(${x}px, ${y}px)`;
  });
  if (!n) return null;
  const primary = n.attachment?.deviceIndex === 0;
  const known = verdicts.value;
  const onKey = (e: KeyboardEvent): void => {
    const items = [...(ref.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const i = items.indexOf(document.activeElement as HTMLElement);
    if (e.key === "Escape") moveFor.value = "";
    else if (e.key === "ArrowDown") items[(i + 1) % items.length]?.focus();
    else if (e.key === "ArrowUp") items[(i - 1 + items.length) % items.length]?.focus();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div
      ref={ref}
      class="menu"
      role="menu"
      tabIndex={-1}
      aria-label={t("move.title", { name: state.eniName(n) })}
      onKeyDown={onKey}
    >
      <div class="menu-title" role="presentation">
        {t("move.title", { name: state.eniName(n) })}
      </div>
      {primary && <p class="menu-note">{t("move.primary")}</p>}
      {!primary && candidates(n).length === 0 && <p class="menu-note">{t("move.none")}</p>}
      {!primary &&
        candidates(n).map((id) => {
          const v = known?.get(id);
          return (
            <button
              key={id}
              type="button"
              role="menuitem"
              class={`menu-item ${v && !v.allowed ? "refused" : ""}`}
              aria-disabled={v ? !v.allowed : true}
              onClick={() => {
                if (!v) return;
                moveFor.value = "";
                if (!v.allowed) toastError(new ApiError(400, v.code ?? "", v.message ?? ""));
                else if (n.attachment) confirm.value = { eni: n.id, to: id, deviceIndex: v.deviceIndex };
                else move(n.id, id, false, v.deviceIndex);
              }}
            >
              <strong>{state.instanceName(id)}</strong>
              <span>
                {!v ? (
                  t("move.checking")
                ) : v.allowed ? (
                  t("move.allowed", { index: v.deviceIndex ?? 1 })
                ) : (
                  <Said text={v.message || v.code || ""} />
                )}
              </span>
            </button>
          );
        })}
    </div>
  );
}

export function MoveConfirm() {
  const c = confirm.value;
  const force = useSignal(false);
  const n = c ? state.enisById.value.get(c.eni) : undefined;
  if (!c || !n) return null;
  const close = (): void => {
    confirm.value = null;
    force.value = false;
  };
  const from = state.instanceName(n.attachment?.instanceId) || t("eni.notAttached");
  const to = state.instanceName(c.to);
  const region = state.topology.value?.region;
  const aws = `aws --endpoint-url ${location.origin}${region ? ` --region ${region}` : ""} ec2`;
  const cli = [
    n.attachment
      ? `${aws} detach-network-interface --attachment-id ${n.attachment.id}${force.value ? " --force" : ""}`
      : "",
    `${aws} attach-network-interface --network-interface-id ${n.id} --instance-id ${c.to} --device-index ${c.deviceIndex ?? 1}`,
  ].filter(Boolean);
  return (
    <Dialog title={t("move.confirm", { name: state.eniName(n), from, to })} onClose={close}>
      <label class="check-row">
        <input
          type="checkbox"
          checked={force.value}
          onChange={(e) => {
            force.value = e.currentTarget.checked;
          }}
        />{" "}
        {t("move.force")}
      </label>
      <div class="dialog-actions">
        <CopyButton text={cli.join(" &&\n  ")} label={t("move.cli")} />
        <span class="spacer" />
        <button type="button" onClick={close}>
          {t("action.cancel")}
        </button>
        <button
          type="button"
          class="primary"
          data-autofocus
          onClick={() => {
            move(c.eni, c.to, force.value, c.deviceIndex);
            close();
          }}
        >
          {t("move.go")}
        </button>
      </div>
    </Dialog>
  );
}
