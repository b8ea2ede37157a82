import { followInto } from "../app/router.ts";
import { count, instant, t, word } from "../i18n/i18n.ts";
import { Scroll } from "../ui/scroll.tsx";
import { duration } from "./figures.ts";
import type { Trial, TrialOutage, Verdict } from "./types.ts";

const tones: Record<Verdict, string> = { held: "good", failed: "alarm", inconclusive: "lost" };

export function Verdicted({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`badge ${tones[verdict]}`} data-verdict={verdict}>
      {t(`verdict.${verdict}`)}
    </span>
  );
}

/** How a trial stands: under way, or its verdict; one that was broken off says so. */
export function VerdictBadge({ trial: x }: { trial: Trial }) {
  if (x.state === "running") {
    return <span class="badge busy">{t("trial.runningShort", { done: x.done, of: x.of })}</span>;
  }
  return (
    <>
      {x.verdict ? (
        <Verdicted verdict={x.verdict} />
      ) : (
        <span class="badge lost">{t(`trial.state.${x.state}`)}</span>
      )}
      {x.state !== "done" && x.verdict && <span class="quiet small"> {t(`trial.state.${x.state}`)}</span>}
    </>
  );
}

export const strategyName = (s: string): string => (s ? word("failover.strategy", s) : t("strategy.file"));

export const outageOf = (o: TrialOutage): string =>
  o.p50Ms === undefined ? "–" : duration(Math.round(o.p50Ms * 1e6));

/** Day and time of a trial, in the reader's own clock. */
export function when(at: string): string {
  const d = new Date(instant(at));
  const pad = (n: number): string => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
}

/** Trials, newest first. */
export function Trials({ list, named }: { list: readonly Trial[]; named?: boolean }) {
  return (
    <Scroll label={t("drills.recent")}>
      <table class="plain roomy trial-table">
        <thead>
          <tr>
            <th scope="col">{t("drills.when")}</th>
            {named && <th scope="col">{t("drills.drill")}</th>}
            <th scope="col">{t("drills.result")}</th>
            <th scope="col" class="num">
              {t("trial.runs")}
            </th>
            <th scope="col">{t("trial.how")}</th>
            <th scope="col">{t("trial.outageP50")}</th>
          </tr>
        </thead>
        <tbody>
          {list.map((x) => (
            <tr key={x.id}>
              <td>
                <a
                  href={`/drills/${x.drill}/${x.id}`}
                  onClick={(e) => followInto(e, "drills", [x.drill, x.id])}
                >
                  {when(x.startedAt)}
                </a>
              </td>
              {named && (
                <td>
                  <code>{x.drill}</code>
                </td>
              )}
              <td>
                <VerdictBadge trial={x} />
              </td>
              <td class="num">{count(x.done)}</td>
              <td class="quiet">
                {t(`place.${x.in}`)} · {x.timing}
              </td>
              <td>
                {x.outage.map((o) => (
                  <span key={o.strategy} class="headline">
                    {x.outage.length > 1 && <span class="quiet">{strategyName(o.strategy)} </span>}
                    {outageOf(o)}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
