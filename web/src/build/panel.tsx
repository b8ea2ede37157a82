import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as state from "../app/state.ts";
import { regionShown, show } from "../app/view.ts";
import { t } from "../i18n/i18n.ts";
import { Files } from "./files.tsx";
import { open, openForm, undoable } from "./form.ts";
import { FormView } from "./form-view.tsx";
import { listed } from "./items.ts";
import { kindIds, kinds } from "./kinds.ts";
import { KindList } from "./lists.tsx";
import { allRegions, needRegions, placeOf } from "./model.ts";
import { carried, carry } from "./place.ts";
import { w } from "./words.ts";

const needle = signal("");

/** The Build tab: what can be added, the open form, and what there is. */
export function BuildPanel() {
  if (!state.topology.value) return null;
  return (
    <div class="panel-body build">
      <h2 class="hidden">{w("title")}</h2>
      {undoable.value && (
        <p class="build-undo">
          <span>{undoable.value.what}</span>
          <button type="button" class="link" onClick={undoable.value.run}>
            {w("undo")}
          </button>
        </p>
      )}
      {open.value ? <FormView /> : <Palette />}
      <section>
        <h3>{w("there")}</h3>
        <input
          type="search"
          aria-label={w("filter")}
          placeholder={w("filter")}
          value={needle.value}
          onInput={(e) => {
            needle.value = e.currentTarget.value.toLowerCase();
          }}
        />
        {listed.map((kind) => (
          <KindList key={kind} kind={kind} needle={needle.value} />
        ))}
      </section>
      <Files />
      <Ghost />
    </div>
  );
}

function Palette() {
  return (
    <section>
      <h3>{w("add")}</h3>
      <RegionChoice />
      <p class="quiet small">{w("addHint")}</p>
      <div class="palette">
        {kindIds.map((id) => (
          <button
            key={id}
            type="button"
            data-kind={id}
            onPointerDown={(e) => carry(e, { kind: id, id: "", label: w(kinds[id].label) })}
            onClick={() => {
              if (!carried.value) openForm(kinds[id], placeOf(state.selection.value));
            }}
          >
            {w(kinds[id].label)}
          </button>
        ))}
      </div>
    </section>
  );
}

/** Where what is made is put: any region, also one in which there is nothing yet. */
function RegionChoice() {
  useEffect(needRegions, []);
  const now = regionShown.value;
  const all = allRegions.value.includes(now) ? allRegions.value : [now, ...allRegions.value];
  return (
    <label class="build-field region">
      {t("view.region")}
      <select value={now} onChange={(e) => show(e.currentTarget.value, "")}>
        {all.map((r) => (
          <option key={r} value={r} selected={r === now}>
            {r}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What is being dragged, under the pointer. */
function Ghost() {
  const c = carried.value;
  if (!c) return null;
  return (
    <div class="ghost" aria-hidden="true" style={{ transform: `translate(${c.x + 8}px, ${c.y + 8}px)` }}>
      {c.label}
    </div>
  );
}
