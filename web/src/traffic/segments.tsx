import { t } from "../i18n/i18n.ts";
import * as filter from "./filter.ts";
import { withVerdict } from "./terms.ts";

const verdicts = ["accept", "reject", "lost", "control"] as const;

/** Verdicts at a click, which are a condition of the filter. */
export function Segments() {
  const now = filter.asked.value ?? filter.filter.value;
  const verdict = withVerdict.of(now);
  return (
    <fieldset class="segments">
      <legend class="hidden">{t("packets.only")}</legend>
      {(["all", ...verdicts] as const).map((v) => (
        <button
          key={v}
          type="button"
          aria-pressed={verdict === v}
          class={v === "all" ? "" : `mark ${v}`}
          onClick={() => filter.apply(withVerdict.set(now, v === "all" ? "" : v))}
        >
          {v === "all" ? t("packets.all") : t(`verdict.${v}`)}
        </button>
      ))}
    </fieldset>
  );
}
