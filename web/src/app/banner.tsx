import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { clock, t } from "../i18n/i18n.ts";
import * as state from "./state.ts";

/**
 * What is wrong with the connection, over the top of the content, so that nothing below
 * moves. It stays the same element through all tries, and its words change once a second.
 */
export function Banner() {
  const link = state.link.value;
  const off = state.offline.value;
  const now = useSignal(Date.now());
  useEffect(() => {
    if (!off) return;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 250);
    return () => clearInterval(timer);
  }, [off]);
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
  if (!off) return null;
  const time = clock(state.lastData.value).slice(0, 8);
  const wait = Math.ceil(Math.max(0, link.retryAt - now.value) / 1000);
  return (
    // A status whose words change each second would be read each second.
    <div class="banner" role="status" aria-live="off">
      {link.state === "stale"
        ? t("link.stalled", { time })
        : link.state === "down" && wait > 0
          ? t("link.reconnecting", { seconds: String(wait), time })
          : t("link.connectingNow", { time })}
    </div>
  );
}
