import { askPath, inPage } from "../app/router.ts";
import { w } from "../rules/words.ts";
import { Icon } from "../ui/icons.tsx";
import { Said } from "../ui/said.tsx";
import * as data from "./data.ts";
import type { Assertion } from "./types.ts";

/** What must be so, red where it is not. */
export function Assertions() {
  const all = data.assertions.value;
  const red = all?.filter((a) => !a.state.holds).length ?? 0;
  return (
    <section class="must" aria-labelledby="must-title">
      <h2 id="must-title">{w("mustHold")}</h2>
      <p class="quiet small">{w("mustHint")}</p>
      {data.assertionProblem.value && (
        <p class="alert" role="alert">
          <Said text={data.assertionProblem.value} />{" "}
          <button type="button" class="link" onClick={() => void data.loadAssertions()}>
            {w("again")}
          </button>
        </p>
      )}
      {all && all.length > 0 && (
        <p role="status" class={`mark strong ${red > 0 ? "reject" : "accept"}`}>
          {red > 0
            ? w("someFail", { n: String(red), all: String(all.length) })
            : w("allHold", { n: String(all.length) })}
        </p>
      )}
      {all?.length === 0 && <p class="quiet">{w("none")}</p>}
      <ul>
        {all?.map((a) => (
          <One key={a.id} of={a} />
        ))}
      </ul>
    </section>
  );
}

function One({ of: a }: { of: Assertion }) {
  const question = askPath({
    from: a.sourceId,
    to: a.destination,
    protocol: a.protocol,
    port: a.port ? String(a.port) : "",
  });
  return (
    <li class={a.state.holds ? "holds" : "red"}>
      <div class="must-name">
        <span class={`mark ${a.state.holds ? "accept" : "reject"}`}>
          {w(a.state.holds ? "holds" : "fails")}
        </span>{" "}
        <b>{a.name}</b>
        {!a.state.holds && a.state.text && (
          <p class="small">
            <Said text={a.state.text} /> {a.state.code && <code>{a.state.code}</code>}
          </p>
        )}
      </div>
      <a href={question} aria-label={`${w("askThis")}: ${a.name}`} onClick={(e) => inPage(e, question)}>
        {w("askThis")}
      </a>
      <button
        type="button"
        class="icon"
        aria-label={w("deleteOne", { name: a.name })}
        onClick={() => void data.unassert(a)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}
