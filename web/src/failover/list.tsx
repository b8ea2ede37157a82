import { useSignal } from "@preact/signals";
import type { Failover } from "../api/types.ts";
import { follow, go, pathOf } from "../app/router.ts";
import * as state from "../app/state.ts";
import { count, millis, t } from "../i18n/i18n.ts";
import { Scroll } from "../ui/scroll.tsx";
import { meant } from "./checks.ts";
import { begunText, recordTitle, whenOf } from "./words.ts";

/** All records, newest first; two can be chosen to be compared. */
export function List() {
  const list = state.failovers.value;
  const chosen = useSignal<readonly string[]>([]);
  const choose = (id: string, on: boolean): void => {
    // Of three the oldest choice goes.
    chosen.value = on ? [...chosen.value, id].slice(-2) : chosen.value.filter((x) => x !== id);
  };
  const [a = "", b = ""] = chosen.value;
  return (
    <>
      <header class="screen-head">
        <h2>{t("records.title")}</h2>
        <span class="spacer" />
        {list.length > 1 && (
          <button type="button" disabled={chosen.value.length !== 2} onClick={() => go("failovers", [a], b)}>
            {t("records.compare")}
          </button>
        )}
      </header>
      {list.length === 0 ? (
        <div class="empty-card">
          <strong>{t("drills.empty")}</strong>
          <p>{t("drills.emptyHint")}</p>
        </div>
      ) : (
        <Scroll label={t("records.title")}>
          <table class="plain roomy record-table">
            <thead>
              <tr>
                <th scope="col">
                  <span class="hidden">{t("records.compare")}</span>
                </th>
                <th scope="col">{t("drills.when")}</th>
                <th scope="col">{t("records.what")}</th>
                <th scope="col" class="num">
                  {t("drills.outage")}
                </th>
                <th scope="col" class="num">
                  {t("drills.lost")}
                </th>
                <th scope="col">{t("drills.result")}</th>
                <th scope="col">{t("begun.title")}</th>
              </tr>
            </thead>
            <tbody>
              {list.map((f) => (
                <Row key={f.id} of={f} chosen={chosen.value.includes(f.id)} onChoose={choose} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Row({
  of: f,
  chosen,
  onChoose,
}: {
  of: Failover;
  chosen: boolean;
  onChoose: (id: string, on: boolean) => void;
}) {
  const checks = (f.checks ?? []).filter((c) => c.result !== "not-exercised" && !meant(f, c));
  const same = checks.filter((c) => c.result === "same").length;
  return (
    <tr data-record={f.id}>
      <td>
        <input
          type="checkbox"
          aria-label={t("records.choose", { what: whenOf(f) })}
          checked={chosen}
          disabled={f.state === "running"}
          onChange={(e) => onChoose(f.id, e.currentTarget.checked)}
        />
      </td>
      <td>
        <code>{whenOf(f)}</code>
      </td>
      <td>
        <a href={pathOf("failovers", f.id)} onClick={(e) => follow(e, "failovers", f.id)}>
          {recordTitle(f)}
        </a>
      </td>
      <td class="num">{typeof f.outageMs === "number" ? `${millis(f.outageMs)} ms` : "–"}</td>
      <td class="num">{f.requestsSent ? count(f.requestsLost ?? 0) : "–"}</td>
      <td>
        <span class={`badge ${f.state === "completed" ? "good" : f.state === "failed" ? "lost" : "busy"}`}>
          {t(`failover.state.${f.state}`)}
        </span>{" "}
        {checks.length > 0 && <span class="quiet">{t("drills.kept", { same, total: checks.length })}</span>}
      </td>
      <td class="quiet">{begunText(f)}</td>
    </tr>
  );
}
