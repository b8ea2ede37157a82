import { useSignal } from "@preact/signals";
import { put } from "../api/client.ts";
import type { Instance } from "../api/types.ts";
import { act } from "../app/drill.ts";
import { changed } from "../app/session.ts";
import * as state from "../app/state.ts";
import { Curl } from "./curl.tsx";
import { Num } from "./num.tsx";
import { Section } from "./section.tsx";
import { w } from "./words.ts";

type Lagging = Instance & { metadataLagMs?: number };

export function Lag() {
  const all = (state.topology.value?.instances ?? []).filter(
    (i) => i.state !== "terminated" && state.inView(i.vpcId),
  ) as Lagging[];
  const chosen = useSignal("");
  const i = all.find((x) => x.id === chosen.value) ?? all[0];
  return (
    <Section id="lag" hint="lagHint">
      {i && (
        <>
          <div class="setting-fields">
            <div class="build-field">
              <label for="setting-lag-of">{w("instance")}</label>
              <select
                id="setting-lag-of"
                value={i.id}
                onChange={(e) => (chosen.value = e.currentTarget.value)}
              >
                {all.map((x) => (
                  <option key={x.id} value={x.id} selected={x.id === i.id}>
                    {state.instanceName(x.id)}
                    {x.metadataLagMs ? ` · ${x.metadataLagMs} ms` : ""}
                  </option>
                ))}
              </select>
            </div>
            <div class="build-field">
              <span class="quiet small" id="setting-lag-ms">
                {w("lagMs")}
              </span>
              <Num
                key={i.id}
                labelled="setting-lag-ms"
                value={i.metadataLagMs ?? 0}
                set={(ms) =>
                  void act("lag", () =>
                    put(`/instances/${i.id}/metadata-lag`, { lagMs: ms ?? 0 }).then(changed),
                  )
                }
              />
            </div>
          </div>
          <Curl
            method="PUT"
            path={`/instances/${i.id}/metadata-lag`}
            body={{ lagMs: i.metadataLagMs || 5000 }}
          />
        </>
      )}
    </Section>
  );
}
