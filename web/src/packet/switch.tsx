import { screen } from "../app/router.ts";
import { t } from "../i18n/i18n.ts";
import { enterStep, leaveStep, stepping } from "./mode.ts";

/** Live traffic or the recording: the one place where it is switched. */
export function ModeSwitch() {
  if (screen.value !== "live") return null;
  const on = stepping.value;
  return (
    <fieldset class="segments mode-switch">
      <legend class="hidden">{t("mode.label")}</legend>
      <button type="button" aria-pressed={!on} onClick={leaveStep}>
        {t("mode.live")}
      </button>
      <button type="button" aria-pressed={on} title={t("mode.stepHint")} onClick={() => enterStep()}>
        {t("mode.step")}
      </button>
    </fieldset>
  );
}
