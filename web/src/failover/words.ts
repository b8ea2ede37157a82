import type { Failover } from "../api/types.ts";
import * as state from "../app/state.ts";
import { clock, instant, t, word } from "../i18n/i18n.ts";
import { begunBy } from "./records.ts";

// How records are called, wherever they are named.

export const recordTitle = (f: Failover): string =>
  t("failover.title", {
    kind: t(`failover.kind.${f.kind}`),
    from: state.instanceName(f.fromInstanceId) || "–",
    to: state.instanceName(f.toInstanceId) || "–",
  });

/** Day and time to the millisecond, in the reader's own clock. */
export function whenOf(f: Failover): string {
  const ms = instant(f.startedAt);
  const d = new Date(ms);
  const pad = (n: number): string => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())} ${clock(ms)}`;
}

/** What began a record, in words: a fault, or why none was needed. */
export function begunText(f: Failover): string {
  const b = begunBy(f, state.events.value);
  switch (b.by) {
    case "fault":
      return b.fault
        ? t("begun.fault", {
            fault: word("fault", b.fault),
            name: state.instanceName(f.fromInstanceId) || "–",
          })
        : t("begun.someFault", { name: state.instanceName(f.fromInstanceId) || "–" });
    case "probe":
      return t("begun.probe", { misses: b.misses });
    case "gone":
      return t("begun.gone");
    default:
      return t("begun.call");
  }
}
