import type { FrameFate } from "../api/types.ts";
import * as state from "../app/state.ts";
import { ofServer, t } from "../i18n/i18n.ts";

/** Where a frame ended, in words. */
export function fate(seen: FrameFate): string {
  const text = state.reasons.value.find((r) => r.name === seen.reason)?.text ?? seen.reason;
  const n = state.enisById.value.get(seen.networkInterfaceId);
  return t("probe.ended", {
    reason: ofServer(text, seen.reason) ?? text,
    at: n ? state.eniName(n) : seen.networkInterfaceId,
  });
}
