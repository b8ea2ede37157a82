import { post } from "../api/client.ts";
import { act, busy, fail, recover } from "../app/drill.ts";
import { edit } from "../app/edit.ts";
import { select } from "../app/select.ts";
import * as state from "../app/state.ts";
import { clock, instant, t, word } from "../i18n/i18n.ts";
import { Named } from "./named.tsx";

export function InstancePanel() {
  const selected = state.selection.value;
  const owner = state.enisById.value.get(selected)?.attachment?.instanceId;
  const i = state.instancesById.value.get(selected) ?? state.instancesById.value.get(owner ?? "");
  if (!i) return <p class="empty">{t("inspector.nothingInstance")}</p>;
  const enis = i.interfaces
    .map((x) => state.enisById.value.get(x.networkInterfaceId))
    .filter((n) => n !== undefined);
  const working = busy.value.has(`fail:${i.id}`) || busy.value.has(`recover:${i.id}`);
  return (
    <div class="panel-body">
      <h2 class="record-title">
        {state.instanceName(i.id)} <code>{i.id}</code>
      </h2>
      <div class="actions">
        {i.fault ? (
          <button type="button" class="primary" disabled={working} onClick={() => recover(i)}>
            {t("action.recover", { name: state.instanceName(i.id) })}
          </button>
        ) : i.state === "running" ? (
          <>
            <button
              type="button"
              class="danger"
              disabled={working}
              title={t("instance.freezeHint")}
              onClick={() => fail(i)}
            >
              {t("instance.freeze")}
            </button>
            <button type="button" disabled={working} onClick={() => fail(i, "link")}>
              {t("instance.linkDown")}
            </button>
            <button type="button" disabled={working} onClick={() => fail(i, "stop")}>
              {t("instance.stopFault")}
            </button>
          </>
        ) : i.state === "stopped" ? (
          <button
            type="button"
            onClick={() => void act(`start:${i.id}`, () => post(`/instances/${i.id}/start`))}
          >
            {t("instance.start")}
          </button>
        ) : null}
        <button type="button" onClick={() => void edit("instance", i.id)}>
          {t("action.edit")}
        </button>
      </div>
      <dl class="facts">
        <dt>{t("instance.state")}</dt>
        <dd>{word("state", i.state)}</dd>
        <dt>{t("instance.fault")}</dt>
        <dd>{i.fault ? <span class="text-lost">{word("fault", i.fault)}</span> : t("instance.noFault")}</dd>
        <dt>{t("instance.type")}</dt>
        <dd>{i.type}</dd>
        {i.role && (
          <>
            <dt>{t("instance.role")}</dt>
            <dd>{word("state", i.role)}</dd>
          </>
        )}
        <dt>{t("instance.zone")}</dt>
        <dd>
          {i.zone} <Named id={i.subnetId} />
        </dd>
        {i.launchedAt && (
          <>
            <dt>{t("instance.launched")}</dt>
            <dd>
              <code>{clock(instant(i.launchedAt))}</code>
            </dd>
          </>
        )}
        <dt>{t("instance.interfaces")}</dt>
        <dd>
          {enis.map((n) => (
            <div key={n.id}>
              <button type="button" class="link" onClick={() => select(n.id)}>
                {state.eniName(n)}
              </button>{" "}
              <code class="quiet">{n.id}</code>
            </div>
          ))}
          <span class="quiet small">{t("instance.slots", { used: enis.length, max: i.maxInterfaces })}</span>
          {i.staleInterfaces?.map((o) => (
            <div key={o.deviceIndex}>{t("instance.stale", o)}</div>
          ))}
        </dd>
        {(i.serve?.length ?? 0) > 0 && (
          <>
            <dt>{t("instance.serves")}</dt>
            <dd>
              {i.serve?.map((p) => (
                <code key={`${p.protocol}${p.port}`}>{`${p.protocol} ${p.port} `}</code>
              ))}
            </dd>
          </>
        )}
        {(i.workloads?.length ?? 0) > 0 && (
          <>
            <dt>{t("instance.workloads")}</dt>
            <dd>
              {i.workloads?.map((w) => (
                <div key={w.name}>
                  {w.name} <span class="quiet">{w.kind}</span>{" "}
                  {w.target && (
                    <code>
                      {w.target}
                      {w.port && w.kind !== "ping" ? `:${w.port}` : ""}
                    </code>
                  )}{" "}
                  {w.rate ? `${w.rate}/s` : ""}
                </div>
              ))}
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
