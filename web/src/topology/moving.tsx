import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import type { MoveVerdict, NetworkInterface } from "../api/types.ts";
import { move } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Said } from "../ui/said.tsx";
import { toastError } from "../ui/toast.tsx";
import { ask, candidates, moveConfirm, moveFor, verdicts } from "./move.ts";
import { type Target, targetsOf } from "./targets.ts";
import { w } from "./words.ts";

/** So many targets are listed at once; whoever looks for another types a part of its name. */
const page = 50;

/** Where an interface can go: those that would take it first, the others with EC2's reason. */
export function MoveMenu({ at }: { at: { x: number; y: number } }) {
  const ref = useRef<HTMLDivElement>(null);
  const query = useSignal("");
  const most = useSignal(page);
  const n = state.enisById.value.get(moveFor.value);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    if (n && n.attachment?.deviceIndex !== 0) void ask(n, candidates(n));
    query.value = "";
    most.value = page;
    (ref.current?.querySelector("input") ?? ref.current)?.focus();
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
  const all = primary ? [] : candidates(n);
  const found = targetsOf(all.map(named), verdicts.value, query.value);
  const listed = found.slice(0, most.value);
  const onKey = (e: KeyboardEvent): void => {
    const items = [...(ref.current?.querySelectorAll<HTMLElement>("input, .menu-item") ?? [])];
    const i = items.indexOf(document.activeElement as HTMLElement);
    if (e.key === "Escape") moveFor.value = "";
    else if (e.key === "ArrowDown") items[(i + 1) % items.length]?.focus();
    else if (e.key === "ArrowUp") items[(i - 1 + items.length) % items.length]?.focus();
    else if (e.key === "Enter" && i === 0 && listed[0]) choose(n, listed[0]);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const title = t("move.title", { name: state.eniName(n) });
  return (
    <div ref={ref} class="menu over-map" role="dialog" tabIndex={-1} aria-label={title} onKeyDown={onKey}>
      <div class="menu-title" role="presentation">
        {title}
      </div>
      {primary && <p class="menu-note">{t("move.primary")}</p>}
      {!primary && all.length === 0 && <p class="menu-note">{t("move.none")}</p>}
      {all.length > 0 && (
        <input
          type="search"
          class="menu-search"
          aria-label={w("searchTargets")}
          placeholder={w("searchTargets")}
          value={query.value}
          onInput={(e) => {
            query.value = e.currentTarget.value;
            most.value = page;
          }}
        />
      )}
      {all.length > 0 && found.length === 0 && (
        <p class="menu-note">{w("noTarget", { text: query.value })}</p>
      )}
      {listed.map((x) => (
        <TargetItem key={x.id} target={x} onChoose={() => choose(n, x)} />
      ))}
      {found.length > listed.length && (
        <button
          type="button"
          class="menu-more"
          onClick={() => {
            most.value += 4 * page;
          }}
        >
          {w("moreTargets", { count: String(found.length - listed.length) })}
        </button>
      )}
    </div>
  );
}

const named = (id: string): Target => ({ id, name: state.instanceName(id) });

function TargetItem({ target: x, onChoose }: { target: Target; onChoose: () => void }) {
  const v = x.verdict;
  return (
    <button
      type="button"
      class={`menu-item ${v && !v.allowed ? "refused" : ""}`}
      aria-disabled={v ? !v.allowed : true}
      onClick={onChoose}
    >
      <strong>{x.name}</strong>{" "}
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
}

function choose(n: NetworkInterface, x: Target): void {
  const v: MoveVerdict | undefined = x.verdict;
  if (!v) return;
  moveFor.value = "";
  if (!v.allowed) toastError(new ApiError(400, v.code ?? "", v.message ?? ""));
  else if (n.attachment) moveConfirm.value = { eni: n.id, to: x.id, deviceIndex: v.deviceIndex };
  else move(n.id, x.id, false, v.deviceIndex);
}

export function MoveConfirm() {
  const c = moveConfirm.value;
  const force = useSignal(false);
  const n = c ? state.enisById.value.get(c.eni) : undefined;
  if (!c || !n) return null;
  const close = (): void => {
    moveConfirm.value = null;
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
