import { useEffect, useState } from "preact/hooks";
import { post } from "../api/client.ts";
import { lossesOf } from "../app/router.ts";
import { w } from "../rules/words.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Said } from "../ui/said.tsx";
import { called } from "./ends.ts";
import type { Losses as Found } from "./types.ts";
import "./ask.css";

/** Who loses what if something fails. */
export function Losses() {
  const target = lossesOf.value;
  const [found, setFound] = useState<Found | string | null>(null);
  useEffect(() => {
    if (!target) return;
    setFound(null);
    post<Found>("/blast-radius", { target, limit: 1 }).then(setFound, (err: unknown) =>
      setFound(err instanceof Error ? err.message : String(err)),
    );
  }, [target]);
  if (!target) return null;
  return (
    <Dialog title={w("losesTitle", { name: called(target) })} onClose={() => (lossesOf.value = "")}>
      <p class="quiet small">{w("losesHint")}</p>
      {typeof found === "string" ? (
        <p class="alert" role="alert">
          <Said text={found} />
        </p>
      ) : (
        found && <Whole of={found} />
      )}
      <div class="dialog-actions">
        <span class="spacer" />
        <button type="button" data-autofocus onClick={() => (lossesOf.value = "")}>
          {w("close")}
        </button>
      </div>
    </Dialog>
  );
}

function Whole({ of: f }: { of: Found }) {
  return (
    <div class="losses">
      <p class={`mark strong ${f.connections > 0 ? "lost" : "accept"}`}>
        {f.connections > 0
          ? w("losesSome", { n: String(f.connections), all: String(f.looked) })
          : w("losesNobody")}
      </p>
      {f.clients.length > 0 && (
        <section>
          <h3>{w("clients")}</h3>
          <ul>
            {f.clients.map((c) => (
              <li key={c.networkInterfaceId}>
                <b>{called(c.networkInterfaceId)}</b>{" "}
                <span class="quiet small">
                  {w("connections", { n: String(c.connections) })}
                  {c.failsItself && ` · ${w("failsToo")}`}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {f.interfaces.length + f.addresses.length > 0 && (
        <section>
          <h3>{w("goWith")}</h3>
          <ul>
            {f.interfaces.map((id) => (
              <li key={id}>{called(id)}</li>
            ))}
          </ul>
          <p class="small">
            <code>{f.addresses.join(" ")}</code>
          </p>
        </section>
      )}
      {f.policies.length > 0 && (
        <section>
          <h3>{w("policies")}</h3>
          <ul>
            {f.policies.map((p) => (
              <li key={p.policyId}>
                <code>{p.policyId}</code>{" "}
                {w(`would.${p.would}`, {
                  eni: called(p.networkInterfaceId ?? ""),
                  to: called(p.toInstanceId ?? ""),
                })}
                {p.why && (
                  <p class="small quiet">
                    <Said text={p.why} />
                  </p>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
