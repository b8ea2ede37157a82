import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock, t } from "../i18n/i18n.ts";
import * as state from "./state.ts";

/** What is wrong with the connection, in one line under the top bar. */
export function Banner() {
  const { state: s, retryAt } = state.link.value;
  const now = useSignal(Date.now());
  useEffect(() => {
    if (s !== "down") return;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 250);
    return () => clearInterval(timer);
  }, [s]);
  const last = state.lastData.value;
  const time = last ? clock(last).slice(0, 8) : "–";
  if (state.outdated.value) {
    return (
      <div class="banner" role="alert">
        {t("link.outdated")}{" "}
        <button type="button" onClick={() => location.reload()}>
          {t("link.reload")}
        </button>
      </div>
    );
  }
  if (s === "down") {
    const seconds = Math.max(0, (retryAt - now.value) / 1000).toFixed(1);
    return (
      <div class="banner" role="status">
        {t("link.reconnecting", { seconds, time })}
      </div>
    );
  }
  if (s === "stale")
    return (
      <div class="banner" role="status">
        {t("link.stalled", { time })}
      </div>
    );
  if (s === "connecting" && last)
    return (
      <div class="banner" role="status">
        {t("link.connectingNow")}
      </div>
    );
  if (state.reducedFactor.value > 1) {
    return (
      <div class="banner mild" role="status">
        {t("link.reduced", { factor: state.reducedFactor.value })}
      </div>
    );
  }
  return null;
}
