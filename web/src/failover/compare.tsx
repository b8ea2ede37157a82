import type { Failover } from "../api/types.ts";
import { count, millis, t } from "../i18n/i18n.ts";
import { lazy } from "../ui/lazy.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { longest, type Pair, pairUp } from "./records.ts";
import { begunText, recordTitle, whenOf } from "./words.ts";

const CoursesOfTwo = lazy(async () => (await import("./charts.ts")).CoursesOfTwo);

const shown = (p: Pair, v: number | null): string =>
  v === null ? "–" : p.unit === "ms" ? `${millis(v)} ms` : count(v);

/** A difference with its sign; what rounds to nothing is none. */
const delta = (p: Pair, d: number): string =>
  Math.abs(d) < 0.005 ? "±0" : `${d > 0 ? "+" : "−"}${shown(p, Math.abs(d))}`;

function nameOf(name: string): string {
  if (name.startsWith("phase.")) return t(name as "phase.detect");
  const names = {
    outage: "drills.outage",
    lost: "drills.lost",
    reset: "records.reset",
    survived: "records.survived",
    reconnected: "records.reconnected",
  } as const;
  return t(names[name as "outage"]);
}

function Bars({ of: p, top }: { of: Pair; top: number }) {
  if (p.unit !== "ms") return null;
  const width = (v: number | null): string => `${(100 * (v ?? 0)) / top}%`;
  return (
    <span class="pair-bars" aria-hidden="true">
      <span class="a" style={{ width: width(p.a) }} />
      <span class="b" style={{ width: width(p.b) }} />
    </span>
  );
}

/** Two records side by side, the durations as bars on one scale. */
export function Comparison({ a, b }: { a: Failover; b: Failover }) {
  const rows = pairUp(a, b);
  const top = longest(rows);
  return (
    <section class="comparison" data-with={b.id}>
      <dl class="pair-heads">
        {[a, b].map((f, i) => (
          <div key={f.id} class={i === 0 ? "a" : "b"}>
            <dt>{i === 0 ? "A" : "B"}</dt>
            <dd>
              {recordTitle(f)}
              <small class="quiet">
                {whenOf(f)} · {begunText(f)}
              </small>
            </dd>
          </div>
        ))}
      </dl>
      <Scroll label={t("beside.title")}>
        <table class="plain roomy">
          <thead>
            <tr>
              <th scope="col">{t("trial.metric")}</th>
              <th scope="col" class="num">
                A
              </th>
              <th scope="col" class="num">
                B
              </th>
              <th scope="col" class="num">
                <abbr title={t("records.delta")}>Δ</abbr>
              </th>
              <th scope="col" class="wide-only">
                <span class="hidden">{t("records.bars")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((p) => (
              <tr key={p.name}>
                <th scope="row">{nameOf(p.name)}</th>
                <td class="num">{shown(p, p.a)}</td>
                <td class="num">{shown(p, p.b)}</td>
                <td class="num">{p.a === null || p.b === null ? "–" : delta(p, p.b - p.a)}</td>
                <td class="wide-only">
                  <Bars of={p} top={top} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p class="quiet small">{t("records.deltaHint")}</p>
      <CoursesOfTwo key={`${a.id} ${b.id}`} a={a} b={b} />
    </section>
  );
}
