import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import * as state from "../app/state.ts";
import { bytes, count, word } from "../i18n/i18n.ts";
import { Named } from "../inspector/named.tsx";
import { shortId } from "../traffic/text.ts";
import { Said } from "../ui/said.tsx";
import { clockOf, nanos } from "./instants.ts";
import { showFrame } from "./shown.ts";
import type { FlowEntry, FrameDetail, FrameFlow, NatEntry, RecordedFrames } from "./types.ts";
import { type PacketKey, w } from "./words.ts";

const refreshMs = 1000;
const listed = 50;

/** The connection of a frame: what both ends' tables, and NAT gateways, know of it now. */
export function Flow({ frame }: { frame: FrameDetail }) {
  const flow = useSignal<FrameFlow | null>(null);
  const frames = useSignal<RecordedFrames | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    let over = false;
    const ask = async (): Promise<void> => {
      try {
        const [f, list] = await Promise.all([
          get<FrameFlow>(`/frames/${frame.cursor}/flow`),
          get<RecordedFrames>(`/frames?flow=${frame.cursor}&limit=${listed}`),
        ]);
        if (over) return;
        flow.value = f;
        frames.value = list;
        problem.value = "";
      } catch (err) {
        if (!over) problem.value = (err as Error).message;
      }
    };
    void ask();
    const timer = setInterval(() => {
      if (!document.hidden) void ask();
    }, refreshMs);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [frame.cursor]);
  const f = flow.value;
  if (!f)
    return problem.value ? (
      <p class="alert" role="alert">
        <Said text={problem.value} />
      </p>
    ) : (
      <p class="quiet">{w("flowLoading")}</p>
    );
  return (
    <>
      {f.sides.map((s, i) => (
        <section key={`${s.networkInterfaceId}-${i}`} class="pk-part">
          <h3>
            <span class="quiet">{i === 0 ? w("from") : w("to")}</span> <Named id={s.networkInterfaceId} />
          </h3>
          {s.flow ? (
            <Entry of={s.flow} />
          ) : (
            <p class="quiet">{s.networkInterfaceId.startsWith("inet-") ? w("flowNoTable") : w("flowNone")}</p>
          )}
        </section>
      ))}
      {f.nat.map((n) => (
        <section key={n.natGatewayId} class="pk-part">
          <h3>
            <Named id={n.natGatewayId} />
          </h3>
          <Translation of={n.flow} />
        </section>
      ))}
      <section class="pk-part">
        <h3>{w("flowFrames")}</h3>
        <p class="quiet small">
          {w("recordedHint", { frames: count(f.frames), bytes: bytes(f.bytes), ended: count(f.ended) })}
          {f.frames > listed && ` · ${w("more", { n: String(listed) })}`}
        </p>
        <Frames list={frames.value} current={frame.cursor} />
      </section>
    </>
  );
}

/** How long, in the largest unit that says enough. */
function span(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 600_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

const end = (address: string, port: number | undefined): string =>
  port === undefined ? address : `${address}:${port}`;

function Entry({ of: f }: { of: FlowEntry }) {
  return (
    <dl class="facts">
      <dt>{w("ends")}</dt>
      <dd>
        <code>
          {end(f.localAddress, f.localPort)} ↔ {end(f.remoteAddress, f.remotePort)}
        </code>
      </dd>
      <dt>{w("state")}</dt>
      <dd>
        <code>{f.state}</code>
      </dd>
      <dt>{w("tracked")}</dt>
      <dd>{f.tracked ? w("trackedYes") : w("trackedNo")}</dd>
      <dt>{w("admitted")}</dt>
      <dd>
        {w(`admitted.${f.admittedBy}` as PacketKey)} <code title={f.rule}>{shortId(f.rule)}</code>
      </dd>
      <dt>{w("sentBy")}</dt>
      <dd>{w("framesBytes", { frames: count(f.egressFrames), bytes: bytes(f.egressBytes) })}</dd>
      <dt>{w("receivedBy")}</dt>
      <dd>{w("framesBytes", { frames: count(f.ingressFrames), bytes: bytes(f.ingressBytes) })}</dd>
      <dt>{w("expires")}</dt>
      <dd>{w("expiresHint", { time: span(f.expiresMs) })}</dd>
    </dl>
  );
}

function Translation({ of: n }: { of: NatEntry }) {
  return (
    <dl class="facts">
      <dt>{w("inside")}</dt>
      <dd>
        <code>{end(n.address, n.port)}</code>
      </dd>
      <dt>{w("outside")}</dt>
      <dd>
        <code class="pk-after">{end(n.natAddress, n.natPort)}</code>
      </dd>
      <dt>{w("remote")}</dt>
      <dd>
        <code>{end(n.remoteAddress, n.remotePort)}</code>
      </dd>
      <dt>{w("state")}</dt>
      <dd>
        <code>{n.state}</code>
      </dd>
      <dt>{w("expires")}</dt>
      <dd>{w("expiresHint", { time: span(n.expiresMs) })}</dd>
    </dl>
  );
}

function Frames({ list, current }: { list: RecordedFrames | null; current: number }) {
  if (!list) return null;
  const name = (id: string | undefined): string => state.holderName(id ?? "") || id || "–";
  return (
    <ol class="pk-list">
      {list.items.map((x) => (
        <li key={x.cursor}>
          <button
            type="button"
            aria-current={x.cursor === current ? "true" : undefined}
            onClick={() => showFrame(x.cursor)}
          >
            <code>{clockOf(nanos(x.at)).slice(6)}</code>
            <span class="clip">
              {name(x.sourceInterfaceId)} → {name(x.destinationInterfaceId)}
            </span>
            <code>{x.tcpFlags ?? ""}</code>
            <code class="num">{x.length}</code>
            <span class={`mark ${x.verdict}`}>{word("verdict", x.verdict)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}
