import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { go } from "../app/router.ts";
import { t, word } from "../i18n/i18n.ts";
import { Scroll } from "../ui/scroll.tsx";
import { beside, trials } from "./data.ts";
import { changeOf, differences, metricsOf, pairs, quantile } from "./figures.ts";
import { Together } from "./trial.tsx";
import { strategyName, when } from "./trials.tsx";
import type { Picture, Trial } from "./types.ts";

/** A trial beside another one: which, what differs in how they were run, and in what came of them. */
export function Beside({ trial: x, other }: { trial: Trial; other: string }) {
  const got = useSignal<{ trial: Trial; pictures: Picture[] } | null>(null);
  useEffect(() => {
    got.value = null;
    if (!other) return;
    void beside(x.id, other).then((b) => {
      got.value = b;
    });
  }, [x.id, other]);
  const choices = trials.value.filter((o) => o.id !== x.id && o.state !== "running");
  // Of the same drill first: that is what one mostly compares with.
  choices.sort((a, b) => Number(b.drill === x.drill) - Number(a.drill === x.drill));
  if (choices.length === 0) return null;
  return (
    <section class="beside" data-beside={got.value?.trial.id ?? ""}>
      <h3>{t("beside.title")}</h3>
      <label class="beside-choice">
        {t("beside.with")}
        <select value={other} onChange={(e) => go("drills", [x.drill, x.id], e.currentTarget.value)}>
          <option value="">{t("beside.none")}</option>
          {choices.map((o) => (
            <option key={o.id} value={o.id}>
              {`${o.drill} · ${when(o.startedAt)} · ${o.timing} · ${t("trial.seed", { seed: String(o.seed) })} · ${t("trial.runsShort", { count: o.done })}`}
            </option>
          ))}
        </select>
      </label>
      {got.value && <Table a={x} b={got.value.trial} />}
      {got.value && <Together of={got.value.pictures} />}
    </section>
  );
}

function Table({ a, b }: { a: Trial; b: Trial }) {
  const different = differences(a, b);
  const rows = pairs(a.results ?? { variants: [] }, b.results ?? { variants: [] }).flatMap(
    ([strategy, va, vb]) => {
      const names = new Set(
        [...(va ? metricsOf(va) : []), ...(vb ? metricsOf(vb) : [])].map(([name]) => name),
      );
      return [...names].map((name) => ({ strategy, name, a: va?.metrics?.[name], b: vb?.metrics?.[name] }));
    },
  );
  return (
    <>
      <p class="quiet">
        {different.length === 0
          ? t("beside.same")
          : different.map((k) => `${t(`beside.${k}`)}: A ${a[k]}, B ${b[k]}`).join(" · ")}
      </p>
      <Scroll label={t("beside.title")}>
        <table class="plain roomy">
          <thead>
            <tr>
              <th scope="col">{t("trial.strategy")}</th>
              <th scope="col">{t("trial.metric")}</th>
              {(["p50", "p99"] as const).map((q) =>
                ["A", "B", "Δ"].map((side) => (
                  <th key={q + side} scope="col" class="num">
                    {`${q} ${side}`}
                  </th>
                )),
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((r) => (
              <tr key={r.strategy + r.name}>
                <th scope="row">{strategyName(r.strategy)}</th>
                <td>{word("metric", r.name)}</td>
                {(["p50", "p99"] as const).map((q) => {
                  const [x, y] = [r.a?.[q] ?? null, r.b?.[q] ?? null];
                  const show = (n: number | null): string =>
                    n === null ? "–" : (quantile(r.name, n) ?? t("metric.noEnd"));
                  const by = changeOf(x, y);
                  return (
                    <>
                      <td class="num">{show(x)}</td>
                      <td class="num">{show(y)}</td>
                      <td class="num">
                        {by === null ? "–" : `${by > 0 ? "+" : by < 0 ? "−" : "±"}${Math.abs(by)} %`}
                      </td>
                    </>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
