import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import { followInto, pathTo } from "../app/router.ts";
import { Teach } from "../drills/teach.tsx";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import { w } from "./words.ts";

/** The document of what the laboratory does otherwise than AWS, as the server has it. */
export function Differences() {
  const text = useSignal("");
  const failed = useSignal("");
  useEffect(() => {
    get<{ markdown: string }>("/documents/differences").then(
      (d) => {
        text.value = d.markdown;
      },
      (err: unknown) => {
        failed.value = err instanceof Error ? err.message : String(err);
      },
    );
  }, []);
  return (
    <>
      <a class="back" href={pathTo("settings", [])} onClick={(e) => followInto(e, "settings", [])}>
        <Icon name="back" /> {w("back")}
      </a>
      <h2>{w("differencesTitle")}</h2>
      {failed.value && (
        <p class="alert" role="alert">
          {w("failed")} <Said text={failed.value} />
        </p>
      )}
      {text.value && <Teach markdown={text.value} lang="en" />}
    </>
  );
}
