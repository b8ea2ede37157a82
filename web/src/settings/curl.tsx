import { url } from "../api/client.ts";
import { CopyButton } from "../ui/copy.tsx";
import { curl } from "./line.ts";
import { w } from "./words.ts";

/** The line that would do the same, to be read and taken along. */
export function Curl({ method, path, body }: { method: string; path: string; body?: unknown }) {
  const text = curl(method, url(path), body);
  return (
    <div class="command setting-command">
      <code>{text}</code>
      <CopyButton text={text} label={w("copy")} plain />
    </div>
  );
}
