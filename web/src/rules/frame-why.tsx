import { useState } from "preact/hooks";
import { get } from "../api/client.ts";
import type { PacketAnswer } from "../api/types.ts";
import { Answer } from "../inspector/answer.tsx";
import { w } from "./words.ts";

/** The newest frame on record of what is listed, and what decided about it. */
export function FrameWhy({ cursor }: { cursor: number }) {
  const [open, setOpen] = useState(false);
  const [why, setWhy] = useState<PacketAnswer | string | null>(null);
  const toggle = (): void => {
    setOpen(!open);
    if (open || why) return;
    get<PacketAnswer>(`/frames/${cursor}/why`).then(setWhy, (err: unknown) =>
      setWhy(err instanceof Error ? err.message : String(err)),
    );
  };
  return (
    <>
      <button type="button" class="link" aria-expanded={open} onClick={toggle}>
        {w("frame")}
      </button>
      {open && (
        <div class="frame-why">
          {typeof why === "string" ? <p lang="en">{why}</p> : why && <Answer answer={why} />}
        </div>
      )}
    </>
  );
}
