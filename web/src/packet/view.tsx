import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { go, pathOf } from "../app/router.ts";
import * as state from "../app/state.ts";
import { t, word } from "../i18n/i18n.ts";
import { Station } from "../inspector/answer.tsx";
import { Named } from "../inspector/named.tsx";
import { tracePacket } from "../inspector/path.tsx";
import { CopyButton } from "../ui/copy.tsx";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { Compare } from "./compare.tsx";
import { Fields } from "./fields.tsx";
import { Flow } from "./flow.tsx";
import { HexView } from "./hex.tsx";
import { clockOf, nanos } from "./instants.ts";
import { detail, failure } from "./load.ts";
import { goBack, goInFlow, goRow, pinned } from "./nav.ts";
import { closePacket, keyOf, showFrame, shown } from "./shown.ts";
import type { Detail, FrameDetail } from "./types.ts";
import { noteWord, w } from "./words.ts";

const part = signal<"frame" | "flow">("frame");

/** The next frame opens with its flow. */
export function showFlow(): void {
  part.value = "flow";
}

/** The packet view: the frame that came last stays until the next has come. */
export function PacketView() {
  const s = shown.value;
  if (!s) return null;
  const key = keyOf(s);
  const d = detail.value;
  const problem = failure.value?.key === key ? failure.value : null;
  const number = s.kind === "frame" ? s.cursor : s.number;
  const title = w("title", { n: String(number) });
  return (
    <section class="packet pk" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {d && !problem && <span class={`mark ${d.verdict} strong`}>{word("verdict", d.verdict)}</span>}
        <span class="spacer" />
        <Step label={w("back")} name="back" onClick={() => goBack(-1)} />
        {s.kind === "frame" && (
          <>
            <Step label={w("earlier")} text="[" onClick={() => void goInFlow(-1)} />
            <Step label={w("later")} text="]" onClick={() => void goInFlow(1)} />
          </>
        )}
        <Step label={w("older")} text="↑" onClick={() => goRow(-1)} />
        <Step label={w("newer")} text="↓" onClick={() => goRow(1)} />
        {d && (
          <button
            type="button"
            class="quiet-button"
            aria-pressed={pinned.value?.key === d.key}
            title={w("pin")}
            onClick={() => (pinned.value = pinned.value?.key === d.key ? null : d)}
          >
            {pinned.value?.key === d.key ? w("unpin") : w("pin")}
          </button>
        )}
        <Step label={w("close")} name="close" onClick={closePacket} />
      </header>
      {problem ? (
        <Problem status={problem.status} text={problem.text} number={number} />
      ) : (
        d && <Body d={d} />
      )}
      {!d && !problem && <p class="quiet pk-wait">{w("loading")}</p>}
    </section>
  );
}

function Step(p: { label: string; name?: "back" | "close"; text?: string; onClick: () => void }) {
  return (
    <button type="button" class="icon" aria-label={p.label} title={p.label} onClick={p.onClick}>
      {p.name ? <Icon name={p.name} /> : <b aria-hidden="true">{p.text}</b>}
    </button>
  );
}

/** A frame that is not there: what has it, and where to go. */
function Problem({ status, text, number }: { status: number; text: string; number: number }) {
  const n = String(number);
  const capture = /cap-[0-9a-f]+/.exec(text)?.[0];
  return (
    <div class="packet-body pk-gone">
      <strong>{status === 410 ? w("gone", { n }) : status === 404 ? w("notYet", { n }) : w("failed")}</strong>
      <p class="quiet">
        <Said text={text} />
      </p>
      {status === 410 && <p class="quiet small">{w("goneHint")}</p>}
      <p class="actions">
        {capture && (
          <button type="button" onClick={() => go("captures", [capture])}>
            {w("openView")} <code>{capture}</code>
          </button>
        )}
        <a class="button" href={pathOf("captures")}>
          {w("captures")}
        </a>
      </p>
    </div>
  );
}

function Body({ d }: { d: Detail }) {
  const tabs = d.frame !== null;
  const current = tabs ? part.value : "frame";
  // A frame's layers are told by their names: what is lit belongs to the kind of frame.
  useEffect(() => {
    document.querySelector(".pk .packet-body")?.scrollTo(0, 0);
  }, [current]);
  return (
    <>
      {tabs && (
        <Tabs
          label={w("parts")}
          tabs={[
            { id: "frame", label: w("frame") },
            { id: "flow", label: w("flow") },
          ]}
          current={current}
          onChange={(id) => (part.value = id)}
        />
      )}
      {tabs ? (
        <div class="pk-panel" role="tabpanel" id={`panel-${current}`} aria-labelledby={`tab-${current}`}>
          <Contents d={d} part={current} />
        </div>
      ) : (
        <div class="pk-panel">
          <Contents d={d} part="frame" />
        </div>
      )}
    </>
  );
}

function Contents({ d, part: of }: { d: Detail; part: "frame" | "flow" }) {
  return (
    <>
      <Scroll label={w(of)} class="packet-body">
        {d.frame && of === "flow" ? <Flow frame={d.frame} /> : <Frame d={d} />}
      </Scroll>
      {of === "frame" && d.ended && (
        <HexView ended={d.ended} sent={d.sent} length={(d.frame ?? d.captured!).length} />
      )}
    </>
  );
}

const end = (address: string, port: number | undefined): string =>
  port === undefined ? address : `${address}:${port}`;

function Frame({ d }: { d: Detail }) {
  const x = d.frame ?? d.captured!;
  return (
    <>
      {d.frame && (
        <p class={`why ${d.verdict}`}>
          <b>
            <Said text={d.frame.reasonText} reason={d.frame.reason} />
          </b>
          {d.frame.code && <code>{d.frame.code}</code>}
        </p>
      )}
      <Notes d={d} />
      <dl class="facts">
        <dt>{w("from")}</dt>
        <dd>
          <code>{end(x.source, x.sourcePort)}</code>{" "}
          {d.frame?.sourceInterfaceId && <Named id={d.frame.sourceInterfaceId} />}
        </dd>
        <dt>{w("to")}</dt>
        <dd>
          <code>{end(x.destination, x.port)}</code>{" "}
          {d.frame?.destinationInterfaceId && <Named id={d.frame.destinationInterfaceId} />}
        </dd>
        <dt>{w("protocol")}</dt>
        <dd>
          {x.protocol.toUpperCase()} {x.tcpFlags && <code>{x.tcpFlags}</code>} ·{" "}
          {w("bytes", { n: String(x.length) })}
        </dd>
        <dt>{w("at")}</dt>
        <dd>
          <code>{clockOf(nanos(d.at))}</code>
        </dd>
        {d.frame?.translated && (
          <>
            <dt>{t("why.translation")}</dt>
            <dd>{t("packet.translated")}</dd>
          </>
        )}
        {d.captured && (
          <>
            <dt>{w("interface")}</dt>
            <dd>
              <Named id={d.captured.interface} /> <code>{d.captured.point}</code>
            </dd>
            <dt>{w("comment")}</dt>
            <dd>
              <code>{d.captured.comment || "–"}</code>
            </dd>
          </>
        )}
      </dl>
      {d.frame && d.frame.hops.length > 0 && (
        <section class="pk-part">
          <h3>{w("hops")}</h3>
          <ol class="hops">
            {d.frame.hops.map((h, i) => (
              <Station key={`${h.station}-${i}`} hop={h} next={d.frame!.hops[i + 1]} />
            ))}
          </ol>
        </section>
      )}
      <Compare detail={d} />
      {d.ended ? (
        <section class="pk-part">
          <h3>{w("tree")}</h3>
          <Fields ended={d.ended} sent={d.sent} />
          {d.frame && !d.sent && <p class="quiet small">{w("same")}</p>}
        </section>
      ) : (
        <p class="quiet">{w("noBytes")}</p>
      )}
      {d.frame && <Ends f={d.frame} />}
    </>
  );
}

function Notes({ d }: { d: Detail }) {
  if (d.notes.length === 0) return null;
  return (
    <ul class="pk-notes" aria-label={w("notes")}>
      {d.notes.map((n, i) => (
        <li key={`${n.kind}-${i}`}>
          <span>{noteWord(n.kind) ?? <Said text={n.text} />}</span>
          {n.cursor !== undefined && (
            <button type="button" class="link" onClick={() => showFrame(n.cursor!)}>
              {w("note.go", { n: String(n.cursor) })}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Where else the frame is, and what can be done with it. */
function Ends({ f }: { f: FrameDetail }) {
  const sender = f.sourceInterfaceId ?? "";
  const known = state.enisById.value.has(sender) || state.hostsById.value.has(sender);
  const proto = { tcp: 6, udp: 17, icmp: 1 }[f.protocol];
  return (
    <div class="actions">
      {known && proto !== undefined && (
        <button
          type="button"
          onClick={() =>
            tracePacket({
              srcEni: sender,
              dst: f.destination,
              proto,
              sport: f.sourcePort ?? 0,
              dport: f.port ?? 0,
              flags: f.tcpFlags ?? "",
            })
          }
        >
          {t("packet.trace")}
        </button>
      )}
      <CopyButton text={new URL(`/packets/${f.cursor}`, location.origin).href} label={w("link")} />
      {f.captures.map((id) => (
        <button key={id} type="button" class="link" onClick={() => go("captures", [id])}>
          {w("inCaptures")} <code>{id}</code>
        </button>
      ))}
    </div>
  );
}
