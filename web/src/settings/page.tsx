import { recordDrills, setRecordDrills } from "../app/drill.ts";
import { lettersOff, motionOff, nextDismissed } from "../app/prefs.ts";
import { chooseTheme, chosenTheme } from "../app/theme.ts";
import { language, setLanguage } from "../i18n/i18n.ts";
import { Section } from "./section.tsx";
import { w } from "./words.ts";

/** Each language by its own name, whatever the page's is. */
const ownNames = { en: "English", ko: "한국어" } as const;

/** What a person has chosen for this page. */
export function PageSettings() {
  return (
    <Section id="page" hint="pageHint" stored>
      <div class="setting-fields">
        <div class="build-field">
          <label for="setting-language">{w("language")}</label>
          <select
            id="setting-language"
            value={language.value}
            onChange={(e) => void setLanguage(e.currentTarget.value === "ko" ? "ko" : "en")}
          >
            {(["en", "ko"] as const).map((x) => (
              <option key={x} value={x} lang={x} selected={language.value === x}>
                {ownNames[x]}
              </option>
            ))}
          </select>
        </div>
        <div class="build-field">
          <label for="setting-theme">{w("theme")}</label>
          <select
            id="setting-theme"
            value={chosenTheme.value}
            onChange={(e) => chooseTheme(e.currentTarget.value as "" | "light" | "dark")}
          >
            {(["", "light", "dark"] as const).map((x) => (
              <option key={x} value={x} selected={x === chosenTheme.value}>
                {w(x || "system")}
              </option>
            ))}
          </select>
        </div>
      </div>
      <Check label={w("motion")} on={motionOff.value} set={(on) => (motionOff.value = on)} />
      <Check label={w("letters")} on={lettersOff.value} set={(on) => (lettersOff.value = on)} />
      <Check label={w("record")} on={recordDrills.value} set={setRecordDrills} />
      <Check label={w("steps")} on={!nextDismissed.value} set={(on) => (nextDismissed.value = !on)} />
    </Section>
  );
}

export function Check({ label, on, set }: { label: string; on: boolean; set: (on: boolean) => unknown }) {
  return (
    <label class="check-row">
      <input type="checkbox" checked={on} onChange={(e) => set(e.currentTarget.checked)} />
      {label}
    </label>
  );
}
