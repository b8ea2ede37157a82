import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import * as state from "../app/state.ts";
import { bytes, count } from "../i18n/i18n.ts";
import { ip, protocol, time } from "../traffic/text.ts";
import { type Conversation, conversations } from "./conversations.ts";
import { showFrame, shown } from "./shown.ts";
import { showFlow } from "./view.tsx";
import { w } from "./words.ts";

const refreshMs = 1000;
const records = 20_000;
const most = 200;

/** The flows among the newest packets; one of them opens with both ends' tables. */
export function RecordedFlows() {
  const list = useSignal<Conversation[]>([]);
  useEffect(() => {
    const read = (): void => {
      if (!document.hidden) list.value = conversations(state.ring, records, most);
    };
    read();
    const timer = setInterval(read, refreshMs);
    return () => clearInterval(timer);
  }, []);
  if (list.value.length === 0) return <p class="empty">{w("flowsEmpty")}</p>;
  const open = (c: Conversation): void => {
    showFlow();
    showFrame(c.cursor);
  };
  const end = (address: number, port: number, proto: number): string =>
    proto === 1 ? ip(address) : `${ip(address)}:${port}`;
  return (
    <>
      <h2 class="pk-heading">
        {w("flowsTitle")}{" "}
        <span class="quiet small">
          {w("flowsNote", { n: count(Math.min(records, state.ring.end - state.ring.oldest)) })}
        </span>
      </h2>
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">{w("protocol")}</th>
            <th scope="col">{w("ends")}</th>
            <th scope="col" class="num">
              {w("frames")}
            </th>
            <th scope="col" class="num">
              {w("bytesHead")}
            </th>
            <th scope="col" class="num">
              {w("notDelivered")}
            </th>
            <th scope="col">{w("last")}</th>
          </tr>
        </thead>
        <tbody>
          {list.value.map((c) => (
            <tr
              key={c.key}
              class={shown.value?.kind === "frame" && shown.value.cursor === c.cursor ? "selected" : ""}
            >
              <td>{protocol(0x0800, c.proto)}</td>
              <td>
                <button type="button" class="link" onClick={() => open(c)}>
                  <code>{`${end(c.a, c.aPort, c.proto)} ↔ ${end(c.b, c.bPort, c.proto)}`}</code>
                </button>
              </td>
              <td class="num">{count(c.frames)}</td>
              <td class="num">{bytes(c.bytes)}</td>
              <td class={`num ${c.refused > 0 ? "text-lost" : ""}`}>{count(c.refused)}</td>
              <td>
                <code>{time(c.micros)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
