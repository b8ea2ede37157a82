import { url } from "../api/client.ts";
import type { Check, ClientTraffic, Failover } from "../api/types.ts";
import { busy, captureOf, failBack, failBackCandidate } from "../app/drill.ts";
import { pathOf } from "../app/router.ts";
import * as state from "../app/state.ts";
import { around, windowOf } from "../captures/cut.ts";
import { count, millis, t } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import { meant } from "./checks.ts";
import { fate } from "./fate.ts";

export function Result({ failover: f }: { failover: Failover }) {
  if (f.state === "running") return null;
  return (
    <section class="result" aria-label={t("result.label")} data-failover={f.id}>
      {f.state === "failed" && (
        <p class="alert">
          {t("failover.error")} <Said text={f.error ?? ""} />
        </p>
      )}
      <Summary failover={f} />
      <Cause failover={f} />
      {f.checks && f.checks.length > 0 && <Checks failover={f} checks={f.checks} />}
      <Clients failover={f} />
      {f.control?.acceptedAt && f.control.attachedAt && (
        <p class="quiet small" title={t("measured.controlHow")}>
          {t("result.controlPlane", {
            ms: millis(Number(BigInt(f.control.attachedAt) - BigInt(f.control.acceptedAt)) / 1e6),
          })}
        </p>
      )}
      {(f.notes ?? []).map((n) => (
        <p key={n} class="quiet small">
          <Said text={n} />
        </p>
      ))}
      <Actions failover={f} />
      <Measured failover={f} />
    </section>
  );
}

/** What the prober saw: without an injected fault nothing else says why the interface moved. */
function Cause({ failover: f }: { failover: Failover }) {
  const c = f.cause;
  if (!c) return null;
  const prober = state.enisById.value.get(c.fromInterfaceId ?? "")?.attachment?.instanceId;
  return (
    <p class="small cause">
      {!f.control?.faultAt && <b>{t("cause.noFault")} </b>}
      {c.fromInterfaceId
        ? t("cause.probe", { misses: c.misses, from: state.instanceName(prober) || c.fromInterfaceId })
        : t("cause.gone")}{" "}
      {c.seen ? fate(c.seen) : c.fromInterfaceId && t("cause.silent")}
    </p>
  );
}

function Summary({ failover: f }: { failover: Failover }) {
  const tcp = f.tcp;
  const tcpText = tcp
    ? [
        t("result.tcp", { open: tcp.open, reset: tcp.reset, closed: tcp.closed, survived: tcp.survived }),
        tcp.reconnected > 0
          ? t("result.reconnected", { count: tcp.reconnected, ms: millis(tcp.reconnectedAfterMs ?? 0) })
          : tcp.reset + tcp.closed > 0
            ? t("result.notReconnected")
            : "",
      ]
        .filter(Boolean)
        .join("; ")
    : "";
  return (
    <div class="summary">
      {f.requestsSent !== undefined && f.requestsSent > 0 && (
        <p title={t("measured.lostHow")}>
          <b>{t("result.lost", { lost: f.requestsLost ?? 0, sent: f.requestsSent })}</b>
        </p>
      )}
      {tcp && tcp.open > 0 && <p title={t("measured.tcpHow")}>{tcpText}</p>}
    </div>
  );
}

/** Whether there was nothing to be compared, before and after. */
const nothing = (c: Check): boolean =>
  c.result === "not-exercised" && show(c.before ?? c.after) === t("check.none");

const show = (v: unknown): string => {
  if (v === undefined || v === null || v === "") return t("check.none");
  if (Array.isArray(v)) return v.length === 0 ? t("check.none") : v.map(show).join(", ");
  return typeof v === "object" ? JSON.stringify(v) : String(v);
};

function Checks({ failover: f, checks }: { failover: Failover; checks: Check[] }) {
  return (
    <div>
      <h3>{t("check.title")}</h3>
      <ul class="checks">
        {checks.map((c) => (
          <li
            key={c.name}
            class={meant(f, c) ? "meant" : c.result}
            data-check={c.name}
            data-result={c.result}
          >
            <Icon
              name={c.result === "same" ? "check" : c.result === "changed" && !meant(f, c) ? "cross" : "dash"}
            />
            <span>
              {t(`check.${c.name}`)}{" "}
              <em>{t(meant(f, c) ? "check.meant" : nothing(c) ? "check.absent" : `check.${c.result}`)}</em>
            </span>
            {c.result === "changed" ? (
              <code>{t("check.was", { before: show(c.before), after: show(c.after) })}</code>
            ) : (
              <code title={t("check.was", { before: show(c.before), after: show(c.after) })}>
                {show(c.after ?? c.before)}
              </code>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Clients({ failover: f }: { failover: Failover }) {
  const list = f.traffic ?? [];
  if (list.length === 0) return null;
  return (
    <details class="clients" open={list.length <= 4}>
      <summary>
        {t("result.clients")} ({list.length})
      </summary>
      <ul>
        {list.map((c) => (
          <ClientRow key={`${c.client}/${c.workload}/${c.networkInterfaceId}`} client={c} />
        ))}
      </ul>
    </details>
  );
}

function ClientRow({ client: c }: { client: ClientTraffic }) {
  const outage = typeof c.outageMs === "number" ? `${millis(c.outageMs)} ms` : "–";
  return (
    <li>
      <span>
        <b>{state.instanceName(c.client)}</b> {c.workload} <span class="quiet">{c.kind}</span>
      </span>
      <span class="num">
        {outage}
        {c.lost !== undefined && c.lost > 0 && (
          <span class="text-lost">
            {" "}
            · {count(c.lost)} {t("result.client.lost")}
          </span>
        )}
        {c.incomplete && <em> {t("result.incomplete")}</em>}
      </span>
      {c.incomplete && (
        <small class="quiet">
          {c.incomplete.split("; ").map((why, k) => (
            <span key={why}>
              {k > 0 && "; "}
              <Said text={why} />
            </span>
          ))}
        </small>
      )}
      {c.lastReplyFrom && c.firstReplyFrom && (
        <small class="quiet">
          {t("result.client.replies", {
            before: state.instanceName(c.lastReplyFrom),
            beforeSeq: c.lastReplySeq ?? 0,
            after: state.instanceName(c.firstReplyFrom),
            afterSeq: c.firstReplySeq ?? 0,
          })}
        </small>
      )}
    </li>
  );
}

/** How each number of the card comes about; the words of docs/failover.md. */
function Measured({ failover: f }: { failover: Failover }) {
  const of = [
    ...(typeof f.outageMs === "number" ? (["outage"] as const) : []),
    ...(f.requestsSent ? (["lost"] as const) : []),
    ...((f.phases ?? []).length > 0 ? (["phases"] as const) : []),
    ...(f.tcp && f.tcp.open > 0 ? (["tcp"] as const) : []),
    ...((f.checks ?? []).length > 0 ? (["checks"] as const) : []),
    ...(f.control?.attachedAt ? (["control"] as const) : []),
  ];
  if (of.length === 0) return null;
  return (
    <details class="measured">
      <summary>{t("measured.title")}</summary>
      <dl>
        {of.map((x) => (
          <div key={x}>
            <dt>{t(`measured.${x}`)}</dt>
            <dd>{t(`measured.${x}How`)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Actions({ failover: f }: { failover: Failover }) {
  const candidate = failBackCandidate();
  const capture = captureOf(f);
  const cut = around(f.control?.faultAt ?? f.startedAt, f.endedAt ?? "");
  return (
    <div class="actions">
      {candidate?.id === f.id && (
        <button type="button" disabled={busy.value.has("failback")} onClick={() => failBack(f)}>
          {t("action.failBack")} <kbd>B</kbd>
        </button>
      )}
      {capture && (
        <a class="button" href={url(windowOf(capture.id, cut.from, cut.to))} download={`${f.id}.pcapng`}>
          <Icon name="download" /> {t("download.window")}
        </a>
      )}
      <CopyButton text={new URL(pathOf("failovers", f.id), location.origin).href} label={t("link.copy")} />
      {!capture && <p class="quiet small">{t("download.windowNone")}</p>}
    </div>
  );
}
