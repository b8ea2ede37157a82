import type { ComponentChildren } from "preact";
import { type SettingsKey, w } from "./words.ts";

/** A part of the settings with what it is about. */
export function Section({
  id,
  hint,
  stored,
  children,
}: {
  id: SettingsKey;
  hint: SettingsKey;
  /** It outlives the server. */
  stored?: boolean;
  children: ComponentChildren;
}) {
  return (
    <section class="setting" id={`setting-${id}`} aria-labelledby={`heading-${id}`}>
      <h3 id={`heading-${id}`} tabIndex={-1}>
        {w(id)}
      </h3>
      <p class="quiet small">
        {w(hint)} {!stored && w("notStored")}
      </p>
      {children}
    </section>
  );
}
