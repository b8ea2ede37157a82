import { signal } from "@preact/signals";
import type { HexFrame, Hop, PacketAnswer, Translation, TreeField } from "../api/types.ts";
import * as state from "../app/state.ts";
import { t, word } from "../i18n/i18n.ts";
import { shortId } from "../traffic/text.ts";
import { Said } from "../ui/said.tsx";
import { Named } from "./named.tsx";

// What became of a traced frame: who decided at every station, each thing that
// decided in a field of its own, and the frame as it left and as it arrived.

const established = /^established \((.*)\)$/;

/** A rule's name; of a known flow, the rule that had admitted it. */
const ruleOf = (rule: string): string => established.exec(rule)?.[1] ?? rule;

export function Answer({ answer: a }: { answer: PacketAnswer }) {
  return (
    <section class="answer" aria-label={t("path.hops")}>
      <Fate answer={a} />
      {a.followed?.map((f, i) => (
        <div key={String(i)} class="passed">
          <h3>{t(`path.${f.passed ?? "forwarded"}`)}</h3>
          <Fate answer={f} />
        </div>
      ))}
      {a.followEnded === "silent" && <p class="quiet small">{t("path.silent")}</p>}
      {a.frame && <Frames sent={a.frame} arrived={(a.followed?.at(-1) ?? a).arrived} />}
    </section>
  );
}

function Fate({ answer: a }: { answer: PacketAnswer }) {
  return (
    <>
      <p class={`why ${a.verdict}`}>
        <span class={`mark ${a.verdict} strong`}>{word("verdict", a.verdict)}</span>{" "}
        <b>
          <Said text={a.reasonText ?? a.reason ?? ""} reason={a.reason ?? ""} />
        </b>
        {a.code && <code>{a.code}</code>}
      </p>
      {a.leftBy && a.verdict !== "accept" && (
        <p class="quiet small">
          {t("path.leftBy")} <Named id={a.leftBy} />
        </p>
      )}
      <ol class="hops">
        {a.hops.map((h, i) => (
          <Station key={`${h.station}-${i}`} hop={h} next={a.hops[i + 1]} />
        ))}
      </ol>
    </>
  );
}

export function Station({ hop: h, next }: { hop: Hop; next: Hop | undefined }) {
  // A station that let the frame on says "pass"; only the last one accepts.
  const verdict = h.verdict === "pass" ? "accept" : h.verdict || "none";
  // Of a station that let it on, the fields say more than a sentence would.
  const passed = h.verdict === "pass";
  return (
    <li class={verdict}>
      <span class={`mark ${verdict}`}>
        <b>{word("station", h.station)}</b>
      </span>
      {h.networkInterfaceId && (
        <span class="hop-place">
          <Named id={h.networkInterfaceId} />
        </span>
      )}
      <p class={passed ? "hidden" : ""}>
        {word("hop", verdict)}
        {!passed && h.detail && (
          <>
            {" · "}
            <Said text={h.detail} reason={h.reason ?? ""} />
          </>
        )}
      </p>
      <Why hop={h} next={next} />
    </li>
  );
}

/** The things that decided, one a line; nothing for those that were not asked. */
function Why({ hop: h, next }: { hop: Hop; next: Hop | undefined }) {
  // What the sender's router decides is told once, where it is carried out.
  const later = next?.networkInterfaceId === h.networkInterfaceId && next?.route === h.route;
  // The internet's own table has one route, which says nothing.
  const route = h.route && !later && !h.route.startsWith("internet ") ? h.route : "";
  const rows: [string, preact.ComponentChildren][] = [];
  // An ACL's entry and a route have rows of their own.
  const told =
    h.ruleKind === "acl_entry" || (h.ruleKind === "route" && (h.rule === h.route || h.rule === h.onward));
  if (h.step && h.verdict !== "accept") rows.push([t("why.step"), word("step", h.step)]);
  if (h.rule && !told) {
    const rule = <code title={ruleOf(h.rule)}>{shortId(ruleOf(h.rule))}</code>;
    if (h.established)
      rows.push([
        t("why.connection"),
        <>
          {t("why.known")} {rule}
        </>,
      ]);
    else rows.push([t(h.ruleKind === "impairment" ? "why.impairment" : "why.rule"), rule]);
  }
  if (route)
    rows.push([
      t("why.route"),
      <>
        <Entry text={route} />
        {h.via && (
          <>
            {" → "}
            <Named id={h.via} />
          </>
        )}
      </>,
    ]);
  if (h.onward && !later) rows.push([t("why.onward"), <Entry key="onward" text={h.onward} />]);
  if (h.networkAclEntry) rows.push([t("why.acl"), <Entry key="acl" text={h.networkAclEntry} />]);
  if (h.gateways?.length)
    rows.push([
      t("why.gateway"),
      h.gateways.map((g, i) => (
        <span key={g}>
          {i > 0 && " → "}
          <Named id={g} />
        </span>
      )),
    ]);
  if (h.translation) rows.push([t("why.translation"), <Translated key="nat" of={h.translation} />]);
  if (h.code) rows.push([t("why.code"), <code key="code">{h.code}</code>]);
  if (rows.length === 0) return null;
  return (
    <dl class="whys">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A route or an ACL entry: its table by name, if it has one, and what of it. */
export function Entry({ text }: { text: string }) {
  const [id = "", ...rest] = text.split(" ");
  const list = id.startsWith("rtb-") ? state.topology.value?.routeTables : state.topology.value?.networkAcls;
  const name = list?.find((x) => x.id === id)?.tags?.Name;
  return (
    <>
      {name && <b>{name} </b>}
      <code class="quiet" title={id}>
        {shortId(id)}
      </code>{" "}
      <code>{rest.join(" ")}</code>
    </>
  );
}

function Translated({ of: x }: { of: Translation }) {
  const ends = [
    [t("why.source"), x.source, x.newSource],
    [t("why.destination"), x.destination, x.newDestination],
  ] as const;
  return (
    <>
      {ends.map(
        ([name, before, after]) =>
          before !== after && (
            <span key={name} class="translated">
              <span class="quiet">{name}</span> <code>{end(before)}</code> → <code>{end(after)}</code>
            </span>
          ),
      )}
    </>
  );
}

/** An address without the port where there is none. */
const end = (address: string): string => address.replace(/:0$/, "");

const lit = signal<{ off: number; len: number } | null>(null);
const shownFrame = signal<"sent" | "arrived">("sent");

function Frames({ sent, arrived }: { sent: HexFrame; arrived: HexFrame | undefined }) {
  const shown = arrived && shownFrame.value === "arrived" ? arrived : sent;
  const bytes = shown.hex.match(/../g) ?? [];
  return (
    <div class="frame">
      <h3>{arrived ? t("path.frames") : t("path.frame")}</h3>
      {(sent.tree?.layers ?? []).map((l, i) => {
        const other = arrived?.tree?.layers[i];
        const theirs = other?.name === l.name ? other.fields : undefined;
        const changed = l.fields.some((f, k) => theirs && theirs[k]?.value !== f.value);
        return (
          <details key={`${l.name}@${l.off}`} open={changed}>
            <summary>
              {l.name} {changed && <span class="badge control">{t("path.changed")}</span>}
            </summary>
            <ul class={`fields ${theirs ? "pairs" : ""}`}>
              {theirs && (
                <li class="field-head" aria-hidden="true">
                  <span />
                  <span>{t("path.sent")}</span>
                  <span>{t("path.arrived")}</span>
                </li>
              )}
              {l.fields.map((f, k) => (
                <Field key={`${f.name}@${f.off}`} field={f} after={theirs?.[k]} />
              ))}
            </ul>
          </details>
        );
      })}
      {arrived && (
        <fieldset class="segments">
          <legend class="hidden">{t("path.bytes")}</legend>
          {(["sent", "arrived"] as const).map((which) => (
            <button
              key={which}
              type="button"
              aria-pressed={shownFrame.value === which}
              onClick={() => (shownFrame.value = which)}
            >
              {t(`path.${which}`)}
            </button>
          ))}
        </fieldset>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
      <pre class="hex" tabIndex={0}>
        {bytes.slice(0, 512).map((b, i) => {
          const range = lit.value;
          const on = range && i >= range.off && i < range.off + range.len;
          return (
            <span
              key={i}
              class={on ? "lit" : ""}
            >{`${b}${i % 16 === 15 ? "\n" : i % 8 === 7 ? "  " : " "}`}</span>
          );
        })}
      </pre>
    </div>
  );
}

function Field({ field: f, after }: { field: TreeField; after: TreeField | undefined }) {
  const light = (): void => {
    lit.value = { off: f.off, len: f.len };
  };
  const differs = after && after.value !== f.value;
  return (
    <li>
      <button
        type="button"
        class={`field ${differs ? "differs" : ""}`}
        onFocus={light}
        onMouseEnter={light}
        onMouseLeave={() => (lit.value = null)}
      >
        <span>{f.name}</span> <code>{f.value}</code>
        {differs && " "}
        {differs && (
          <code class="after">
            <span class="hidden">{t("path.arrived")} </span>
            {after.value}
          </code>
        )}
      </button>
    </li>
  );
}

/** The places of the stage that a traced frame has passed, in turn. */
export function placesOf(a: PacketAnswer, sender: string): string[] {
  const nats = new Map(state.topology.value?.natGateways?.map((g) => [g.networkInterfaceId ?? "", g.id]));
  const places: string[] = [];
  const pass = (id: string | undefined): void => {
    const at = id && (nats.get(id) ?? id);
    if (at && places.at(-1) !== at) places.push(at);
  };
  pass(sender);
  for (const h of [a, ...(a.followed ?? [])].flatMap((x) => x.hops)) {
    pass(h.networkInterfaceId);
    if (h.station !== "fabric") continue;
    // Where the fabric ended it, it came as far as the gateways it passed.
    if (h.verdict === "pass" && h.via && !h.via.startsWith("eni-")) pass(h.via);
    h.gateways?.forEach(pass);
  }
  return places;
}
