import { useSignal } from "@preact/signals";
import { del, post } from "../api/client.ts";
import { act } from "../app/drill.ts";
import { changed } from "../app/session.ts";
import { bytes, clock, instant } from "../i18n/i18n.ts";
import { ask } from "../ui/ask.tsx";
import { Said } from "../ui/said.tsx";
import { toast } from "../ui/toast.tsx";
import { Curl } from "./curl.tsx";
import { read, snapshots } from "./data.ts";
import { Section } from "./section.tsx";
import { w } from "./words.ts";

/** What the server takes as a name of a snapshot. */
export const fitName = (name: string): boolean =>
  /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(name);

export function Snapshots() {
  return (
    <>
      <Section id="snapshots" hint="snapshotsHint" stored>
        <List />
        <Take />
      </Section>
      <Section id="reset" hint="resetHint" stored>
        <div class="actions">
          <button
            type="button"
            onClick={() =>
              ask({
                title: w("resetButton"),
                text: w("resetText"),
                yes: w("reset"),
                run: () =>
                  act("reset", async () => {
                    await post("/reset");
                    toast(w("resetDone"));
                    changed();
                    await read();
                  }),
              })
            }
          >
            {w("resetButton")}
          </button>
        </div>
        <Curl method="POST" path="/reset" />
      </Section>
    </>
  );
}

function List() {
  if (snapshots.value.length === 0) return <p class="quiet">{w("noSnapshots")}</p>;
  return (
    <ul class="in-force">
      {snapshots.value.map((s) => (
        <li key={s.name}>
          <code>{s.name}</code>
          <span class="quiet small">
            {clock(instant(s.createdAt)).slice(0, 8)} · {bytes(s.bytes)}
          </span>
          <button
            type="button"
            onClick={() =>
              ask({
                title: `${w("restore")}: ${s.name}`,
                text: w("restoreText"),
                yes: w("restore"),
                run: () =>
                  act("restore", async () => {
                    await post(`/snapshots/${encodeURIComponent(s.name)}/restore`);
                    changed();
                  }),
              })
            }
          >
            {w("restore")}
            <span class="hidden"> {s.name}</span>
          </button>
          <button
            type="button"
            onClick={() =>
              ask({
                title: `${w("delete")}: ${s.name}`,
                yes: w("delete"),
                run: () => act("unsnap", () => del(`/snapshots/${encodeURIComponent(s.name)}`).then(read)),
              })
            }
          >
            {w("delete")}
            <span class="hidden"> {s.name}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Take() {
  const name = useSignal("");
  const wrong = useSignal("");
  const take = async (): Promise<void> => {
    if (!fitName(name.value)) {
      wrong.value = w("nameWrong");
      return;
    }
    try {
      await post("/snapshots", { name: name.value });
      name.value = "";
      await read();
    } catch (err) {
      wrong.value = err instanceof Error ? err.message : String(err);
    }
  };
  return (
    <form
      class="setting-form"
      noValidate
      aria-label={w("take")}
      onSubmit={(e) => {
        e.preventDefault();
        void take();
      }}
    >
      <div class="setting-fields">
        <div class="build-field">
          <label for="setting-snapshot">{w("name")}</label>
          <input
            id="setting-snapshot"
            type="text"
            autocomplete="off"
            spellcheck={false}
            aria-invalid={wrong.value !== ""}
            aria-describedby={wrong.value ? "setting-snapshot-wrong" : "setting-snapshot-hint"}
            value={name.value}
            onInput={(e) => {
              name.value = e.currentTarget.value;
              wrong.value = "";
            }}
          />
        </div>
        <button type="submit" class="primary">
          {w("take")}
        </button>
      </div>
      {wrong.value ? (
        <span class="field-wrong" id="setting-snapshot-wrong" role="alert">
          <Said text={wrong.value} />
        </span>
      ) : (
        <span class="quiet small" id="setting-snapshot-hint">
          {w("nameHint")}
        </span>
      )}
      <Curl method="POST" path="/snapshots" body={{ name: name.value || "before" }} />
    </form>
  );
}
