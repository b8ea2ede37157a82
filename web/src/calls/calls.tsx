import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import { plain } from "../api/names.ts";
import { clock, instant, millis } from "../i18n/i18n.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Said } from "../ui/said.tsx";
import { Scroll } from "../ui/scroll.tsx";
import { has, Search } from "./search.tsx";
import { w } from "./words.ts";

// The calls of every client, as lines that make them again.

export interface Call {
  seq: number;
  at: string;
  tookMs: number;
  api: "ec2" | "admin";
  action: string;
  region?: string;
  from?: string;
  read: boolean;
  status: number;
  code?: string;
  message?: string;
  line?: string;
}

const keep = 500;
const pollMs = 1000;

const calls = signal<readonly Call[]>([]);
const reads = signal(false);
const refusedOnly = signal(false);
const sought = signal("");

/** The newest calls with those that are new; the numbers of a server that was restarted begin anew. */
export function merge(known: readonly Call[], fresh: readonly Call[]): readonly Call[] {
  if (fresh.length === 0) return known;
  const seen = new Set(fresh.map((c) => c.seq));
  return [...fresh, ...known.filter((c) => !seen.has(c.seq))].sort((a, b) => b.seq - a.seq).slice(0, keep);
}

async function poll(): Promise<void> {
  const after = calls.value[0]?.seq ?? 0;
  const query = `/calls?limit=${keep}${reads.value ? "&reads=true" : ""}`;
  try {
    const fresh = (await get<{ items: Call[] }>(`${query}&after=${after}`)).items;
    if (fresh.length > 0) calls.value = merge(calls.value, fresh);
  } catch {
    // A server that does not answer has its own banner; what was read stays.
  }
}

/** Who called, in a word or two: the whole name is in the title. */
export const client = (from: string): string =>
  /^Mozilla\//.test(from) ? w("thePage") : (/^[^\s/]+\/[^\s/]+/.exec(from)?.[0] ?? from);

export function Calls() {
  useEffect(() => {
    calls.value = [];
    void poll();
    const timer = setInterval(() => {
      if (!document.hidden) void poll();
    }, pollMs);
    return () => clearInterval(timer);
  }, [reads.value]);
  const shown = calls.value.filter(
    (c) =>
      (reads.value || !c.read || c.status >= 400) &&
      (!refusedOnly.value || c.status >= 400) &&
      has(
        `${c.action} ${c.line ?? ""} ${c.from ?? ""} ${c.code ?? ""} ${c.message ?? ""} ${c.region ?? ""}`,
        sought.value,
      ),
  );
  return (
    <>
      <div class="calls-tools">
        <Search text={sought} label={w("seekCalls")} shown={shown.length} of={calls.value.length} />
        <label class="check-row">
          <input
            type="checkbox"
            checked={reads.value}
            onChange={(e) => (reads.value = e.currentTarget.checked)}
          />
          {w("withReads")}
        </label>
        <label class="check-row">
          <input
            type="checkbox"
            checked={refusedOnly.value}
            onChange={(e) => (refusedOnly.value = e.currentTarget.checked)}
          />
          {w("refusedOnly")}
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="empty">{w(sought.value ? "noneSought" : "noCalls")}</p>
      ) : (
        <Scroll label={w("callsLabel")}>
          <table class="plain calls">
            <colgroup>
              <col class="col-time" />
              <col class="col-client" />
              <col class="col-answer" />
              <col />
              <col class="col-copy" />
            </colgroup>
            <thead>
              <tr>
                <th scope="col">{w("time")}</th>
                <th scope="col">{w("client")}</th>
                <th scope="col">{w("answer")}</th>
                <th scope="col">{w("call")}</th>
                <th scope="col">
                  <span class="hidden">{w("copyCurl")}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((c) => (
                <Row key={c.seq} call={c} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </>
  );
}

function Row({ call: c }: { call: Call }) {
  const refused = c.status >= 400;
  return (
    <tr class={refused ? "refused" : ""}>
      <td>
        <code>{clock(instant(c.at))}</code>
      </td>
      <td title={c.from}>{client(c.from ?? "")}</td>
      <td>
        {refused ? (
          <b class="text-reject" title={c.code}>
            {c.code || c.status}
          </b>
        ) : (
          c.status
        )}{" "}
        <span class="quiet small">{millis(c.tookMs)} ms</span>
      </td>
      <td>
        {/* The whole line where one asks for it: rows that grow under the pointer would run away. */}
        <details>
          <summary>
            <code class="line">{c.line || c.action}</code>
          </summary>
          <code class="whole">{c.line || c.action}</code>
        </details>
        {refused && c.message && (
          <span class="small why">
            <Said text={plain(c.message, 400)} />
          </span>
        )}
      </td>
      <td>
        {c.line && <CopyButton text={c.line} label={w(c.api === "ec2" ? "copyAws" : "copyCurl")} plain />}
      </td>
    </tr>
  );
}
