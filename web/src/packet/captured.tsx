import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, get } from "../api/client.ts";
import type { Capture } from "../api/types.ts";
import { follow, go, ids, pathOf } from "../app/router.ts";
import * as state from "../app/state.ts";
import { count, word } from "../i18n/i18n.ts";
import { Said } from "../ui/said.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { clockOf, nanos } from "./instants.ts";
import { beside } from "./nav.ts";
import { shown } from "./shown.ts";
import type { CapturedFrame } from "./types.ts";
import { PacketView } from "./view.tsx";
import { w } from "./words.ts";

const pageSize = 500;

/** The packets of a capture, in the same view as those of the recording. */
export function CapturePackets() {
  const [id = "", number = ""] = ids.value;
  const items = useSignal<CapturedFrame[]>([]);
  const total = useSignal(-1);
  const problem = useSignal("");
  const more = async (after: number): Promise<void> => {
    try {
      const page = await get<{ items: CapturedFrame[]; total: number }>(
        `/captures/${encodeURIComponent(id)}/frames?after=${after}&limit=${pageSize}`,
      );
      items.value = after === 0 ? page.items : [...items.value, ...page.items];
      total.value = page.total;
      problem.value = "";
    } catch (err) {
      problem.value = err instanceof ApiError ? err.message : String(err);
    }
  };
  useEffect(() => {
    items.value = [];
    total.value = -1;
    void more(0);
    beside.value = (by) => {
      const s = shown.peek();
      if (s?.kind !== "captured" || s.capture !== id) return null;
      const n = s.number + by;
      return n >= 1 && n <= total.peek() ? { kind: "captured", capture: id, number: n } : null;
    };
    return () => {
      beside.value = null;
      shown.value = null;
    };
  }, [id]);
  useEffect(() => {
    shown.value = /^\d+$/.test(number) ? { kind: "captured", capture: id, number: Number(number) } : null;
  }, [id, number]);
  // The address names the packet that is looked at.
  const s = shown.value;
  const current = s?.kind === "captured" ? s.number : 0;
  useEffect(() => {
    if (s?.kind !== "captured") return;
    const path = pathOf("captures", id);
    history.replaceState(null, "", `${path}/${current}`);
  }, [current]);
  const about = state.topology.value?.captures?.find((c: Capture) => c.id === id);
  return (
    <main class={`pk-capture ${s ? "with-packet" : ""}`} id="main">
      <div class="pk-capture-list">
        <header class="screen-head">
          <h2>{w("capturedFrames", { name: about?.comment || id })}</h2>
          <span class="spacer" />
          {total.value > items.value.length && (
            <span class="quiet small">
              {w("capturedPart", { shown: count(items.value.length), total: count(total.value) })}
            </span>
          )}
          <a class="button" href={pathOf("captures")} onClick={(e) => follow(e, "captures")}>
            {w("backToCaptures")}
          </a>
        </header>
        {problem.value && (
          <p class="alert" role="alert">
            <Said text={problem.value} />
          </p>
        )}
        {total.value === 0 && <p class="empty">{w("capturedNone")}</p>}
        {items.value.length > 0 && (
          <Scroll label={w("capturedFrames", { name: id })}>
            <table class="plain">
              <thead>
                <tr>
                  <th scope="col" class="num">
                    {w("no")}
                  </th>
                  <th scope="col">{w("time")}</th>
                  <th scope="col">{w("interface")}</th>
                  <th scope="col">{w("point")}</th>
                  <th scope="col">{w("summary")}</th>
                  <th scope="col">{w("verdict")}</th>
                </tr>
              </thead>
              <tbody>
                {items.value.map((x) => (
                  <Row key={x.number} x={x} capture={id} current={current} />
                ))}
              </tbody>
            </table>
            {total.value > items.value.length && (
              <p class="pk-more">
                <button type="button" onClick={() => void more(items.value.at(-1)?.number ?? 0)}>
                  {w("capturedMore")}
                </button>
              </p>
            )}
          </Scroll>
        )}
      </div>
      <PacketView />
    </main>
  );
}

function Row({ x, capture, current }: { x: CapturedFrame; capture: string; current: number }) {
  const n = state.enisById.value.get(x.interface);
  return (
    <tr
      class={`${x.number === current ? "selected" : ""} ${x.verdict === "reject" || x.verdict === "lost" ? `tint ${x.verdict}` : ""}`}
    >
      <td class="num">
        <button
          type="button"
          class="link"
          aria-current={x.number === current ? "true" : undefined}
          onClick={() => {
            const opens = shown.peek() === null;
            if (opens) go("captures", [capture, String(x.number)]);
            else shown.value = { kind: "captured", capture, number: x.number };
          }}
        >
          {x.number}
        </button>
      </td>
      <td>
        <code>{clockOf(nanos(x.at))}</code>
      </td>
      <td>
        {state.holderName(x.interface) || x.interface}{" "}
        <code class="quiet">{n ? state.primaryAddress(n) : ""}</code>
      </td>
      <td>
        <code>{x.point}</code>
      </td>
      <td>
        <code>{x.summary}</code>
      </td>
      <td>
        <span class={`mark ${x.verdict}`}>{word("verdict", x.verdict)}</span>
      </td>
    </tr>
  );
}
