import { effect } from "@preact/signals";
import { count, language, t } from "../i18n/i18n.ts";
import { faultSince } from "./drill.ts";
import * as state from "./state.ts";

const everyMs = 1000;

/** Frames lost since the fault that lasts or whose move is under way; -1: all is well. */
function lostSoFar(): number {
  const begun = faultSince.value || Number(state.runningFailover.value?.control?.faultAt ?? 0) / 1e6;
  return begun > 0 ? state.bins.lostSince(begun * 1000) : -1;
}

/** The tab's title says how many are lost in a failover, for who looks at another one. */
export function startTitle(): void {
  const write = (): void => {
    const n = lostSoFar();
    const title = n >= 0 ? t("title.lost", { lost: count(n), app: "enilab" }) : t("app.title");
    if (document.title !== title) document.title = title;
  };
  effect(() => {
    // Words change with the language, and the end of a failover is said at once.
    language.value;
    const busy = faultSince.value > 0 || state.runningFailover.value !== null;
    write();
    if (!busy) return;
    const timer = setInterval(write, everyMs);
    return () => clearInterval(timer);
  });
}
