import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { url } from "../api/client.ts";
import type { Capture } from "../api/types.ts";
import {
  busy,
  deleteCapture,
  hiddenCaptures,
  refreshCaptures,
  startCapture,
  stopCapture,
} from "../app/drill.ts";
import { follow, pathOf } from "../app/router.ts";
import * as state from "../app/state.ts";
import { bytes, clock, count, instant, t, word } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Icon } from "../ui/icons.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { NewCapture } from "./dialog.tsx";
import { liveCommand, type System, systemNames, systemOf, systems } from "./live.ts";

const refreshMs = 1000;
const quickSeconds = 10;

export function Captures() {
  const creating = useSignal(false);
  const list = (state.topology.value?.captures ?? []).filter((c) => !hiddenCaptures.value.has(c.id));
  const recording = list.some((c) => c.state === "recording");
  useEffect(() => {
    if (!recording) return;
    const timer = setInterval(() => {
      if (!document.hidden) refreshCaptures().catch(() => undefined);
    }, refreshMs);
    return () => clearInterval(timer);
  }, [recording]);
  return (
    <main class="screen" id="main">
      <header class="screen-head">
        <h2>{t("captures.title")}</h2>
        <span class="spacer" />
        <button
          type="button"
          class="primary"
          onClick={() => {
            creating.value = true;
          }}
        >
          <Icon name="plus" /> {t("captures.new")}
        </button>
      </header>
      {list.length === 0 ? <Empty /> : <List list={list} />}
      <LiveCommand />
      {creating.value && (
        <NewCapture
          onClose={() => {
            creating.value = false;
          }}
        />
      )}
    </main>
  );
}

function Empty() {
  return (
    <div class="empty-card">
      <strong>{t("captures.empty")}</strong>
      <p>{t("captures.emptyHint")}</p>
      <button
        type="button"
        disabled={busy.value.has("capture")}
        onClick={() => void startCapture({ maxSeconds: quickSeconds }, t("captures.everything"))}
      >
        {t("captures.recordNow")}
      </button>
    </div>
  );
}

function scopeOf(c: Capture): string {
  const ids = c.networkInterfaceIds ?? (c.networkInterfaceId ? [c.networkInterfaceId] : []);
  if (c.instanceId) return state.instanceName(c.instanceId);
  if (c.all || ids.length === 0) return t("captures.everything");
  return ids
    .map((id) => {
      const n = state.enisById.value.get(id);
      return n ? state.primaryAddress(n) : id;
    })
    .join(", ");
}

function List({ list }: { list: Capture[] }) {
  const newest = list.toSorted((a, b) => instant(b.startedAt) - instant(a.startedAt));
  return (
    <Scroll label={t("captures.title")}>
      <table class="plain roomy">
        <thead>
          <tr>
            <th scope="col">{t("captures.name")}</th>
            <th scope="col">{t("captures.scope")}</th>
            <th scope="col" class="num">
              {t("captures.frames")}
            </th>
            <th scope="col" class="num">
              {t("captures.size")}
            </th>
            <th scope="col">{t("captures.started")}</th>
            <th scope="col">{t("captures.state")}</th>
            <th scope="col">{t("captures.actions")}</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((c) => (
            <Row key={c.id} capture={c} />
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Row({ capture: c }: { capture: Capture }) {
  const recording = c.state === "recording";
  return (
    <tr>
      <td>
        <b>{c.comment || c.id}</b>
        <div class="quiet small">
          <code>{c.comment ? c.id : ""}</code> {c.filter && <code>{c.filter}</code>}
        </div>
      </td>
      <td>{scopeOf(c)}</td>
      <td class="num">
        {count(c.frames)}
        {(c.evicted ?? 0) > 0 && (
          <div class="quiet small">{t("captures.evicted", { count: c.evicted ?? 0 })}</div>
        )}
        {(c.lost ?? 0) > 0 && (
          <div class="text-lost small">{t("captures.missed", { count: c.lost ?? 0 })}</div>
        )}
      </td>
      <td class="num">{bytes(c.bytes)}</td>
      <td>
        <code>{clock(instant(c.startedAt)).slice(0, 8)}</code>
      </td>
      <td>
        <span class={`badge ${recording ? "recording" : "quiet"}`}>
          {recording ? t("captures.recording") : t("captures.stopped")}
        </span>
        {c.stopReason && (
          <div class="quiet small">{t("captures.by", { reason: word("captures.reason", c.stopReason) })}</div>
        )}
      </td>
      <td>
        <div class="row-actions">
          {recording && (
            <button type="button" onClick={() => stopCapture(c.id)}>
              {t("captures.stop")}
            </button>
          )}
          <a class="button" href={pathOf("captures", c.id)} onClick={(e) => follow(e, "captures", c.id)}>
            {t("captures.open")}
          </a>
          <a class="button" href={url(`/captures/${c.id}/pcapng`)} download={`${c.id}.pcapng`}>
            <Icon name="download" /> .pcapng
          </a>
          <a class="button" href={url(`/captures/${c.id}/pcap`)} download={`${c.id}.pcap`}>
            <Icon name="download" /> .pcap
          </a>
          <button type="button" class="link danger-text" onClick={() => deleteCapture(c)}>
            {t("captures.delete")}
          </button>
        </div>
      </td>
    </tr>
  );
}

/** A browser cannot start Wireshark; a copied command can. */
function LiveCommand() {
  const system = useSignal<System>(systemOf(navigator.userAgent));
  const n = state.enisById.value.get(state.selection.value) ?? state.servedEni.value;
  const address = new URL(url("/live.pcapng"));
  if (n) address.searchParams.set("networkInterfaceId", n.id);
  const command = liveCommand(system.value, address.href);
  return (
    <section class="live-command">
      <h3>{t("captures.liveTitle")}</h3>
      <fieldset class="segments">
        <legend class="hidden">{t("captures.system")}</legend>
        {systems.map((s) => (
          <button
            key={s}
            type="button"
            aria-pressed={system.value === s}
            onClick={() => {
              system.value = s;
            }}
          >
            {systemNames[s]}
          </button>
        ))}
      </fieldset>
      <div class="command">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
        <code tabIndex={0}>{command}</code>
        <CopyButton text={command} label={t("captures.live")} />
      </div>
      <p class="quiet small">{t("captures.liveHint")}</p>
    </section>
  );
}
