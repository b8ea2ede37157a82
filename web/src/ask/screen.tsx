import { useEffect } from "preact/hooks";
import { goTo, query } from "../app/router.ts";
import * as state from "../app/state.ts";
import { w } from "../rules/words.ts";
import { Said } from "../ui/said.tsx";
import { AnswerView } from "./answer.tsx";
import { Assertions } from "./assertions.tsx";
import * as data from "./data.ts";
import { ends } from "./ends.ts";
import "./ask.css";

/** Could A reach B on a port? And what must be so. */
export function Ask() {
  const known = state.topology.value !== null;
  useEffect(() => {
    if (known) data.fromAddress();
  }, [known, query.value]);
  return (
    <main class="screen ask-screen" id="main">
      <section class="ask" aria-labelledby="ask-title">
        <h2 id="ask-title">{w("ask")}</h2>
        <p class="quiet small">{w("askHint")}</p>
        <Form />
        {data.problem.value && (
          <p class="alert" role="alert">
            <Said text={data.problem.value} />
          </p>
        )}
        {data.answer.value && (
          <AnswerView
            answer={data.answer.value}
            onDraw={(a) => {
              data.draw(a);
              goTo("/live");
            }}
          />
        )}
      </section>
      <Assertions />
    </main>
  );
}

function Form() {
  const all = ends();
  const ported = data.protocol.value !== "icmp";
  return (
    <form
      class="ask-form"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        void data.ask();
      }}
    >
      <datalist id="ends">
        {all.map((e) => (
          <option
            key={e.value}
            value={all.filter((o) => o.label === e.label).length === 1 ? e.label : e.value}
          >
            {e.note}
          </option>
        ))}
      </datalist>
      <label>
        {w("from")}
        <input
          type="text"
          list="ends"
          spellcheck={false}
          autocomplete="off"
          value={data.from.value}
          onInput={(e) => (data.from.value = e.currentTarget.value)}
        />
      </label>
      <label>
        {w("to")}
        <input
          type="text"
          list="ends"
          spellcheck={false}
          autocomplete="off"
          title={w("toHint")}
          value={data.to.value}
          onInput={(e) => (data.to.value = e.currentTarget.value)}
        />
      </label>
      <label>
        {w("protocol")}
        <select value={data.protocol.value} onChange={(e) => (data.protocol.value = e.currentTarget.value)}>
          {["tcp", "udp", "icmp"].map((p) => (
            <option key={p} value={p} selected={p === data.protocol.value}>
              {p}
            </option>
          ))}
        </select>
      </label>
      <label>
        {w("port")}
        <input
          type="text"
          inputMode="numeric"
          disabled={!ported}
          value={ported ? data.port.value : ""}
          onInput={(e) => (data.port.value = e.currentTarget.value)}
        />
      </label>
      <label>
        {w("probes")}
        <select value={data.probes.value} onChange={(e) => (data.probes.value = e.currentTarget.value)}>
          {["0", "1", "3", "10"].map((n) => (
            <option key={n} value={n} selected={n === data.probes.value}>
              {n === "0" ? w("probesNone") : n}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="primary" disabled={data.asking.value}>
        {w("askNow")}
      </button>
    </form>
  );
}
