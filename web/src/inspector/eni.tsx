import type { NetworkInterface, SecurityGroup } from "../api/types.ts";
import { startCapture } from "../app/drill.ts";
import { edit } from "../app/edit.ts";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { bytes, count, t } from "../i18n/i18n.ts";
import { openMoveMenu } from "../topology/move.ts";
import { shortId } from "../traffic/text.ts";
import { Named } from "./named.tsx";
import { traceFrom } from "./path.tsx";

export function EniPanel() {
  const n = state.enisById.value.get(state.selection.value);
  if (!n) return <p class="empty">{t("inspector.nothingEni")}</p>;
  const owner = n.attachment?.instanceId;
  const dropped = Object.entries(n.counters?.dropped ?? {}).filter(([, v]) => v > 0);
  return (
    <div class="panel-body">
      <h2 class="record-title">
        {state.eniName(n)} <code>{n.id}</code>
      </h2>
      {n.description && (
        <p class="quiet" translate={false}>
          {n.description}
        </p>
      )}
      <div class="actions">
        <button type="button" disabled={n.attachment?.deviceIndex === 0} onClick={openMoveMenu}>
          {t("action.move")} <kbd>M</kbd>
        </button>
        <button
          type="button"
          onClick={() => void startCapture({ networkInterfaceId: n.id }, state.eniName(n))}
        >
          {t("eni.capture")} <kbd>C</kbd>
        </button>
        <button type="button" onClick={() => void edit("eni", n.id)}>
          {t("action.edit")}
        </button>
        <button type="button" onClick={() => traceFrom(n.id)}>
          {t("eni.trace")}
        </button>
      </div>
      {n.attachment?.deviceIndex === 0 && <p class="quiet small">{t("topology.primary")}</p>}
      <dl class="facts">
        <dt>{t("eni.address")}</dt>
        <dd>
          {n.privateIps.map((p) => (
            <div key={p.address}>
              <code>{p.address}</code>
              {p.publicIp && (
                <span class="quiet">
                  {" "}
                  {t("eni.public")} <code>{p.publicIp}</code>
                </span>
              )}
            </div>
          ))}
        </dd>
        <dt>{t("eni.mac")}</dt>
        <dd>
          <code>{n.macAddress}</code>
        </dd>
        <dt>{t("eni.attachment")}</dt>
        <dd>
          {owner ? (
            <>
              <button type="button" class="link" onClick={() => select(owner)}>
                {state.instanceName(owner)}
              </button>{" "}
              <span class="quiet">
                eth{n.attachment?.deviceIndex} · {n.attachment?.state}
              </span>
            </>
          ) : (
            t("eni.notAttached")
          )}
        </dd>
        <dt>{t("eni.status")}</dt>
        <dd>{n.status}</dd>
        <dt>{t("eni.zone")}</dt>
        <dd>
          {n.zone} <Named id={n.subnetId} />
        </dd>
        <dt>{t("eni.sourceDest")}</dt>
        <dd>{n.sourceDestCheck ? t("eni.on") : t("eni.off")}</dd>
        {n.counters && (
          <>
            <dt>{t("eni.tx")}</dt>
            <dd>{t("eni.frames", { frames: n.counters.txFrames, bytes: bytes(n.counters.txBytes) })}</dd>
            <dt>{t("eni.rx")}</dt>
            <dd>{t("eni.frames", { frames: n.counters.rxFrames, bytes: bytes(n.counters.rxBytes) })}</dd>
          </>
        )}
        {dropped.length > 0 && (
          <>
            <dt>{t("eni.dropped")}</dt>
            <dd>
              {dropped.map(([reason, v]) => (
                <div key={reason}>
                  <b>{count(v)}</b> <code>{reason}</code>
                </div>
              ))}
            </dd>
          </>
        )}
      </dl>
      <Groups eni={n} />
    </div>
  );
}

function Groups({ eni }: { eni: NetworkInterface }) {
  const all = new Map(state.topology.value?.securityGroups.map((g) => [g.id, g] as const) ?? []);
  return (
    <section>
      <h3>{t("eni.groups")}</h3>
      {eni.groups.map((ref) => {
        const g = all.get(ref.id);
        return (
          <details key={ref.id} class="group" open={eni.groups.length === 1}>
            <summary>
              {ref.name} <code class="quiet">{ref.id}</code>
            </summary>
            {g && <Rules group={g} />}
          </details>
        );
      })}
    </section>
  );
}

function ports(r: SecurityGroup["rules"][number]): string {
  if (r.protocol === "-1" || r.protocol === "all") return "all";
  if (r.fromPort === undefined || r.fromPort < 0) return r.protocol;
  return `${r.protocol} ${r.fromPort === r.toPort || r.toPort === undefined ? r.fromPort : `${r.fromPort}–${r.toPort}`}`;
}

function Rules({ group }: { group: SecurityGroup }) {
  return (
    <ul class="rules">
      {group.rules.map((r) => (
        <li key={r.id}>
          <span class={`direction ${r.direction}`}>{r.direction}</span>
          <b>{ports(r)}</b>
          <code>{r.cidr ?? r.groupId}</code>
          <code class="quiet" title={r.id}>
            {shortId(r.id)}
          </code>
        </li>
      ))}
    </ul>
  );
}
