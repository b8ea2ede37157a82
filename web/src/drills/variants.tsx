import { count, t, word } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { metricsOf, quantile } from "./figures.ts";
import { Pictures } from "./trial.tsx";
import { strategyName, Verdicted } from "./trials.tsx";
import type { Metric, Outcome, Picture, Variant } from "./types.ts";

const at = (metric: string, n: number | null): string =>
  n === null ? "–" : (quantile(metric, n) ?? t("metric.noEnd"));

function Quantiles({ metric, of }: { metric: string; of: Metric | undefined }) {
  return (
    <>
      {(["p50", "p90", "p99", "max"] as const).map((q) => (
        <td key={q} class="num">
          {of ? at(metric, of[q]) : "–"}
        </td>
      ))}
    </>
  );
}

const quantileHeads = () =>
  (["p50", "p90", "p99"] as const).map((q) => (
    <th key={q} scope="col" class="num">
      {q}
    </th>
  ));

/** The strategies of one trial, in one table. */
export function SideBySide({ variants }: { variants: readonly Variant[] }) {
  const ran = variants.filter((v) => v.runs > 0);
  return (
    <section class="side-by-side">
      <h3>{t("trial.sideBySide")}</h3>
      <Scroll label={t("trial.sideBySide")}>
        <table class="plain roomy">
          <thead>
            <tr>
              <th scope="col">{t("trial.strategy")}</th>
              <th scope="col">{t("drills.result")}</th>
              <th scope="col" class="num">
                {t("trial.runs")}
              </th>
              <th scope="col">{t("trial.metric")}</th>
              {quantileHeads()}
              <th scope="col" class="num">
                {t("metric.max")}
              </th>
              <th scope="col">{t("trial.scope")}</th>
              <th scope="col">{t("trial.calls")}</th>
            </tr>
          </thead>
          <tbody>
            {ran.map((v) => {
              const rows = metricsOf(v).filter(([name]) => name === "outage" || name === "lost");
              return rows.map(([name, m], i) => (
                <tr key={`${v.strategy}${name}`} class={i > 0 ? "again" : ""}>
                  <th scope="row">
                    {i === 0 ? (
                      strategyName(v.strategy ?? "")
                    ) : (
                      <span class="hidden">{strategyName(v.strategy ?? "")}</span>
                    )}
                  </th>
                  <td>{i === 0 && <Verdicted verdict={v.verdict} />}</td>
                  <td class="num">{i === 0 && count(v.runs)}</td>
                  <td>{word("metric", name)}</td>
                  <Quantiles metric={name} of={m} />
                  <td>{i === 0 && v.scope && word("scope", v.scope)}</td>
                  <td class="quiet">{i === 0 && [...new Set(v.calls ?? [])].join(", ")}</td>
                </tr>
              ));
            })}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

/** One strategy: its assertions with what was measured, its metrics and pictures. */
export function OneVariant({
  variant: v,
  alone,
  pictures,
}: {
  variant: Variant;
  alone: boolean;
  pictures: readonly Picture[];
}) {
  if (v.runs === 0 && !v.partial) return null;
  const timelines = pictures.filter((p) => p.kind === "timeline");
  return (
    <section class="variant" data-strategy={v.strategy ?? ""}>
      {!alone && (
        <h3 class="variant-title">
          {strategyName(v.strategy ?? "")} <Verdicted verdict={v.verdict} />{" "}
          <span class="quiet small">{t("trial.runsOf", { done: v.runs, of: v.asked })}</span>
        </h3>
      )}
      <Outcomes of={v.outcomes ?? []} runs={v.runs} name={strategyName(v.strategy ?? "")} />
      <Metrics variant={v} />
      <Pictures of={pictures.filter((p) => p.kind === "histogram")} />
      {timelines.map((p) => (
        <details key={p.run} open={p === timelines[0]}>
          <summary>
            {t("picture.timeline", { run: p.run ?? 0 })}{" "}
            <span class="quiet small">
              {(p.what ?? "")
                .split(" and ")
                .map((w) => word("picture.what", w))
                .join(", ")}
            </span>
          </summary>
          <Pictures of={[p]} wide />
        </details>
      ))}
      {timelines.length > 0 && <PhaseLegend />}
      <div class="commands">
        {v.failing && <CopyButton plain text={v.failing} label={t("trial.commandFailing")} />}
        <CopyButton plain text={v.command} label={t("trial.command")} />
      </div>
    </section>
  );
}

function PhaseLegend() {
  return (
    <p class="picture-legend" aria-hidden="true">
      <span class="gap">{t("picture.noAnswer")}</span>
      {(["detect", "fence", "decide", "detach", "attach", "recover"] as const).map((p, i) => (
        <span key={p} class={`p${i + 1}`}>
          {t(`phase.${p}`)}
        </span>
      ))}
    </p>
  );
}

function Outcomes({ of, runs, name }: { of: readonly Outcome[]; runs: number; name: string }) {
  return (
    <Scroll label={`${t("drills.assertions")}, ${name}`}>
      <table class="plain roomy outcomes">
        <thead>
          <tr>
            <th scope="col">{t("drills.result")}</th>
            <th scope="col">{t("trial.assertion")}</th>
            <th scope="col">{t("trial.measured")}</th>
            {runs > 1 && (
              <th scope="col" class="num">
                {t("trial.heldIn")}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {of.map((o) => (
            <tr key={`${o.line ?? 0}${o.name}`}>
              <td>
                <Verdicted verdict={o.verdict} />
              </td>
              <td class="wrap">
                <span lang="en">{word("outcome", o.name)}</span>
                {o.line ? <span class="quiet small"> {t("drills.line", { line: o.line })}</span> : null}
              </td>
              <td class="wrap" lang="en">
                {o.value}
                {o.reason && <div class="quiet small">{o.reason}</div>}
              </td>
              {runs > 1 && (
                <td class="num">
                  {o.held + o.failed + o.inconclusive > 0 ? `${count(o.held)} / ${count(runs)}` : ""}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Metrics({ variant: v }: { variant: Variant }) {
  const rows = metricsOf(v);
  if (rows.length === 0) return null;
  return (
    <Scroll label={`${t("trial.overRuns")}, ${strategyName(v.strategy ?? "")}`}>
      <table class="plain roomy metrics">
        <thead>
          <tr>
            <th scope="col">{t("trial.metric")}</th>
            {quantileHeads()}
            <th scope="col" class="num">
              {t("metric.max")}
            </th>
            <th scope="col" class="num">
              {t("trial.runs")}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, m]) => (
            <tr key={name}>
              <th scope="row" title={word("metricHint", name)}>
                {word("metric", name)}
              </th>
              <Quantiles metric={name} of={m} />
              <td class="num">{count(m.known + m.unended)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
