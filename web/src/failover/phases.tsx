import { type Failover, type Phase, phaseNames } from "../api/types.ts";
import { instant, millis, t } from "../i18n/i18n.ts";
import type { Shade } from "./plot.tsx";

/** The phases relative to the fault, in seconds, for the chart. */
export function shadesOf(f: Failover, zeroMs: number): Shade[] {
  return (f.phases ?? [])
    .filter((p) => p.start && p.end)
    .map((p) => ({
      name: p.name,
      from: (instant(p.start) - zeroMs) / 1000,
      to: (instant(p.end) - zeroMs) / 1000,
    }));
}

/** Proportional strip and the numbers as a list: labels inside a strip get cut. */
export function Phases({ failover: f }: { failover: Failover }) {
  const known = new Map<string, Phase>((f.phases ?? []).map((p) => [p.name, p]));
  const names = phaseNames.filter(
    (n) => known.has(n) || (f.kind === "failover" && f.state === "running" && n !== "fence"),
  );
  if (names.length === 0) return null;
  return (
    <div class="phases">
      <div class="strip" aria-hidden="true">
        {names.map((n) => {
          const p = known.get(n);
          return p && p.ms > 0 ? (
            <span key={n} class={`phase ${n}`} style={{ flexGrow: String(p.ms) }} />
          ) : null;
        })}
        {f.state === "running" && <span class="phase pending" />}
      </div>
      <ol class="phase-list" aria-label={t("phase.label")} title={t("measured.phasesHow")}>
        {names.map((n) => {
          const p = known.get(n);
          return (
            <li key={n}>
              <i class={`phase-number ${n}`} aria-hidden="true">
                {names.indexOf(n) + 1}
              </i>
              <span>{t(`phase.${n}`)}</span>
              <b>{p?.end ? `${millis(p.ms)} ms` : t("phase.pending")}</b>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
