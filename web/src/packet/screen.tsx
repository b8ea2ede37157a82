import { useEffect } from "preact/hooks";
import { ids } from "../app/router.ts";
import { shown } from "./shown.ts";
import { PacketView } from "./view.tsx";
import { w } from "./words.ts";

/** One packet at an address of its own: /packets/:cursor. */
export function PacketScreen() {
  const asked = ids.value[0] ?? "";
  const cursor = /^\d{1,15}$/.test(asked) ? Number(asked) : -1;
  useEffect(() => {
    if (cursor >= 0) shown.value = { kind: "frame", cursor };
    return () => {
      shown.value = null;
    };
  }, [cursor]);
  const s = shown.value;
  const now = s?.kind === "frame" ? s.cursor : -1;
  useEffect(() => {
    if (now >= 0) history.replaceState(null, "", `/packets/${now}`);
  }, [now]);
  return (
    <main class="pk-screen" id="main">
      {cursor < 0 ? <p class="empty">{w("notYet", { n: asked })}</p> : <PacketView />}
    </main>
  );
}
