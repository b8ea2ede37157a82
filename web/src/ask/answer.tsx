import { inPage, rulesPath } from "../app/router.ts";
import type { RulesKey } from "../rules/words.ts";
import { w } from "../rules/words.ts";
import { Said } from "../ui/said.tsx";
import { assert } from "./data.ts";
import { called, withNames } from "./ends.ts";
import { ruleEditor } from "./rule-link.ts";
import type { Explanation, PredictedHop, PredictedPath, Reachability } from "./types.ts";

/** What was asked, answered whole: there and back, all that is in the way, what was looked at. */
export function AnswerView({
  answer: a,
  onDraw,
}: {
  answer: Reachability;
  onDraw: (a: Reachability) => void;
}) {
  const tone = a.reachable === "yes" ? "accept" : a.reachable === "no" ? "reject" : "lost";
  return (
    <div class="ask-answer">
      <div class="ask-verdict">
        <p class={`mark strong ${tone}`}>{w(a.reachable)}</p>
        <span class="spacer" />
        <button type="button" onClick={() => onDraw(a)}>
          {w("drawOnMap")}
        </button>
        <button type="button" onClick={() => void assert(false)}>
          {w("assertReach")}
        </button>
        <button type="button" onClick={() => void assert(true)}>
          {w("assertNot")}
        </button>
      </div>
      {a.live && (
        <p class={a.live.agrees ? "" : "alert"}>
          <b>{w("live")}</b>{" "}
          {w("probed", {
            sent: String(a.live.sent),
            arrived: String(a.live.arrived),
            answered: String(a.live.answered),
          })}
          {": "}
          {w(a.live.agrees ? "agrees" : "disagrees")}
        </p>
      )}
      {a.explanations.length > 0 && (
        <section>
          <h3>{w("inTheWay")}</h3>
          <ol class="explanations">
            {a.explanations.map((e, i) => (
              <Why key={String(i)} of={e} />
            ))}
          </ol>
        </section>
      )}
      <div class="ways">
        <Way title="forward" path={a.forward} />
        {a.return ? <Way title="return" path={a.return} /> : <p class="quiet small">{w("noReturn")}</p>}
      </div>
      <section>
        <h3>{w("lookedAt")}</h3>
        <dl class="looked">
          {a.lookedAt.map((l) => (
            <div key={l.what}>
              <dt>
                <span class={`mark ${l.ok ? "accept" : "reject"}`}>{w(`what.${l.what}` as RulesKey)}</span>
              </dt>
              <dd>
                <Said text={withNames(l.finding)} />
              </dd>
            </div>
          ))}
        </dl>
      </section>
    </div>
  );
}

function Why({ of: e }: { of: Explanation }) {
  return (
    <li>
      <p>
        <span class="mark reject strong">{w(e.path)}</span>{" "}
        <b>
          <Said text={e.text} reason={e.reason} />
        </b>
      </p>
      <p class="small quiet">
        {called(e.component)} {e.code && <code>{e.code}</code>} {e.rule && <RuleLink rule={e.rule} at={e} />}
      </p>
    </li>
  );
}

/** A rule, a route or an entry, and the way to its editor. */
function RuleLink({ rule, at }: { rule: string; at: { networkInterfaceId?: string; component?: string } }) {
  const found = ruleEditor(rule, at.networkInterfaceId ?? at.component ?? "");
  if (!found) return <code>{rule}</code>;
  const to = rulesPath(found.id, found.rule ? { rule: found.rule } : {});
  return (
    <>
      <code>{rule}</code>{" "}
      <a href={to} aria-label={`${w("editRule")} ${rule}`} onClick={(x) => inPage(x, to)}>
        {w("editRule")}
      </a>
    </>
  );
}

function Way({ title, path }: { title: "forward" | "return"; path: PredictedPath }) {
  return (
    <section>
      <h3>
        {w(title)} <span class="badge">{w("predicted")}</span>
      </h3>
      <p class="small quiet">
        <code>{path.source}</code> → <code>{path.destination}</code>
      </p>
      <ol class="predicted">
        {path.hops.map((h, i) => (
          <Hop key={String(i)} of={h} />
        ))}
      </ol>
    </section>
  );
}

function Hop({ of: h }: { of: PredictedHop }) {
  const names =
    h.component === "security-groups" ? (h.groups ?? []).map(called).join(", ") : called(h.id ?? "");
  return (
    <li class={`${h.outcome} ${h.assumed ? "assumed" : ""}`}>
      <span class={`mark ${h.outcome === "pass" ? (h.assumed ? "" : "accept") : "reject"}`}>
        {w(`component.${h.component}` as RulesKey)}
      </span>{" "}
      <b>{names}</b>
      {h.direction && <span class="quiet small"> {h.direction}</span>}
      <span class="small hop-more">
        {h.assumed && <span class="quiet">{w("assumed")}</span>}
        {h.established ? (
          <span class="quiet">{w("established")}</span>
        ) : (
          h.rule && <RuleLink rule={h.rule} at={{ networkInterfaceId: h.id ?? "" }} />
        )}
        {h.source && (
          <code>
            {h.source} → {h.destination}
          </code>
        )}
        {h.detail && (
          <span class="quiet">
            <Said text={withNames(h.detail)} />
          </span>
        )}
      </span>
    </li>
  );
}
