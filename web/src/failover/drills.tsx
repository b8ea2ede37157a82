import { drillId, follow, pathOf } from "../app/router.ts";
import { shownFailover } from "../app/select.ts";
import * as state from "../app/state.ts";
import { clock, count, instant, millis, t } from "../i18n/i18n.ts";
import { Icon } from "../ui/icons.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { meant } from "./checks.ts";
import { FailoverView } from "./panel.tsx";

export function Drills() {
  const id = drillId.value;
  return (
    <main class="screen" id="main">
      {id ? <One id={id} /> : <List />}
    </main>
  );
}

function One({ id }: { id: string }) {
  const f = shownFailover(id);
  return (
    <div class="narrow">
      <a class="back" href={pathOf("drills")} onClick={(e) => follow(e, "drills")}>
        <Icon name="back" /> {t("drills.back")}
      </a>
      {f ? <FailoverView failover={f} /> : state.topology.value && <p>{t("drills.notFound", { id })}</p>}
    </div>
  );
}

function List() {
  const list = state.failovers.value;
  return (
    <>
      <h2>{t("drills.title")}</h2>
      {list.length === 0 ? (
        <div class="empty-card">
          <strong>{t("drills.empty")}</strong>
          <p>{t("drills.emptyHint")}</p>
        </div>
      ) : (
        <Scroll label={t("drills.title")}>
          <table class="plain roomy">
            <thead>
              <tr>
                <th scope="col">{t("drills.when")}</th>
                <th scope="col">{t("drills.what")}</th>
                <th scope="col" class="num">
                  {t("drills.outage")}
                </th>
                <th scope="col" class="num">
                  {t("drills.lost")}
                </th>
                <th scope="col">{t("drills.result")}</th>
              </tr>
            </thead>
            <tbody>
              {list.map((f) => {
                const checks = (f.checks ?? []).filter((c) => c.result !== "not-exercised" && !meant(f, c));
                const same = checks.filter((c) => c.result === "same").length;
                return (
                  <tr key={f.id}>
                    <td>
                      <code>{clock(instant(f.startedAt))}</code>
                    </td>
                    <td>
                      <a href={pathOf("drills", f.id)} onClick={(e) => follow(e, "drills", f.id)}>
                        {t("failover.title", {
                          kind: t(`failover.kind.${f.kind}`),
                          from: state.instanceName(f.fromInstanceId) || "–",
                          to: state.instanceName(f.toInstanceId) || "–",
                        })}
                      </a>
                    </td>
                    <td class="num">{typeof f.outageMs === "number" ? `${millis(f.outageMs)} ms` : "–"}</td>
                    <td class="num">{f.requestsSent ? count(f.requestsLost ?? 0) : "–"}</td>
                    <td>
                      <span
                        class={`badge ${f.state === "completed" ? "good" : f.state === "failed" ? "lost" : "busy"}`}
                      >
                        {t(`failover.state.${f.state}`)}
                      </span>{" "}
                      {checks.length > 0 && (
                        <span class="quiet">{t("drills.kept", { same, total: checks.length })}</span>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}
