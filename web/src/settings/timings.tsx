import { useSignal } from "@preact/signals";
import { del, put } from "../api/client.ts";
import { act } from "../app/drill.ts";
import { Icon } from "../ui/icons.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { Curl } from "./curl.tsx";
import { read, type Span, timings } from "./data.ts";
import { Num } from "./num.tsx";
import { Check } from "./page.tsx";
import { Section } from "./section.tsx";
import { w } from "./words.ts";

const send = (body: Record<string, unknown>): void => {
  void act("timings", async () => {
    timings.value = await put("/timings", body);
  });
};

/** Those that a failover meets; the others are below. */
const first = ["attach", "detach", "launch", "stop", "metadata"];

export function TimingSettings() {
  const now = timings.value;
  const all = useSignal(false);
  return (
    <Section id="timings" hint="timingsHint">
      {now && (
        <>
          <div class="actions">
            {(["fast", "aws"] as const).map((name) => (
              <button key={name} type="button" onClick={() => send({ preset: name })}>
                {w("presetNow", { name: w(name) })}
              </button>
            ))}
            <button
              type="button"
              onClick={() =>
                void act("timings", async () => {
                  await del("/timings");
                  await read();
                })
              }
            >
              {w("toPreset")} ({w(now.preset === "aws" ? "aws" : "fast")})
            </button>
          </div>
          <Scroll label={`${w("timings")}: ${w("operation")}`}>
            <table class="plain setting-table">
              <thead>
                <tr>
                  <th scope="col">{w("operation")}</th>
                  <th scope="col">{w("min")}</th>
                  <th scope="col">{w("median")}</th>
                  <th scope="col">{w("max")}</th>
                  <th scope="col">
                    <span class="hidden">{w("back1")}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {now.operations
                  .filter((o) => all.value || first.includes(o.operation) || o.changed)
                  .map((o) => (
                    <Row key={o.operation} of={o} />
                  ))}
              </tbody>
            </table>
          </Scroll>
          {!all.value && (
            <button type="button" class="link" onClick={() => (all.value = true)}>
              {w("showAll", { count: String(now.operations.length) })}
            </button>
          )}
          <Check label={w("stale")} on={now.staleAfterForce} set={(on) => send({ staleAfterForce: on })} />
          <Check label={w("announce")} on={now.announceMoves} set={(on) => send({ announceMoves: on })} />
          <div class="setting-inline">
            <span id="setting-ended">{w("ended")}</span>
            <Num
              labelled="setting-ended"
              value={now.endedAttachmentMs}
              set={(ms) => send({ endedAttachmentMs: ms })}
            />
          </div>
          <Curl method="PUT" path="/timings" body={{ preset: "aws" }} />
        </>
      )}
    </Section>
  );
}

function Row({ of: o }: { of: Span }) {
  const change = (part: Partial<Span>): void => {
    const next = { minMs: o.minMs, medianMs: o.medianMs, maxMs: o.maxMs, ...part };
    // A median beyond an end takes the end along: what is typed is what is meant.
    if (part.medianMs !== undefined) {
      next.minMs = Math.min(next.minMs, next.medianMs);
      next.maxMs = Math.max(next.maxMs, next.medianMs);
    }
    void act("timings", async () => {
      timings.value = await put(`/timings/${o.operation}`, next);
    });
  };
  const id = `timing-${o.operation}`;
  return (
    <tr>
      <th scope="row" id={id}>
        <code>{o.operation}</code> {o.changed && <span class="badge busy">{w("changed")}</span>}
      </th>
      {(["minMs", "medianMs", "maxMs"] as const).map((k) => (
        <td key={k}>
          <Num
            label={`${o.operation}: ${w(k === "minMs" ? "min" : k === "medianMs" ? "median" : "max")}`}
            value={o[k]}
            set={(ms) => change({ [k]: ms })}
          />
        </td>
      ))}
      <td>
        {o.changed && (
          <button
            type="button"
            class="icon"
            aria-label={`${w("back1")}: ${o.operation}`}
            title={w("back1")}
            onClick={() => void act("timings", () => del(`/timings/${o.operation}`).then(read))}
          >
            <Icon name="back" />
          </button>
        )}
      </td>
    </tr>
  );
}
