import { del, put } from "../api/client.ts";
import { act } from "../app/drill.ts";
import { Scroll } from "../ui/scroll.tsx";
import { Curl } from "./curl.tsx";
import { quotas, read } from "./data.ts";
import { Num } from "./num.tsx";
import { Section } from "./section.tsx";
import { w } from "./words.ts";

const send = (body: Record<string, unknown>): void => {
  void act("quotas", async () => {
    quotas.value = await put("/quotas", body);
  });
};

export function QuotaSettings() {
  const now = quotas.value;
  return (
    <Section id="quotas" hint="quotasHint">
      {now && (
        <>
          <div class="actions">
            <button type="button" onClick={() => send({ preset: "none" })}>
              {w("presetNow", { name: w("noQuotas") })}
            </button>
            <button type="button" onClick={() => send({ preset: "aws" })}>
              {w("presetNow", { name: w("aws") })}
            </button>
            <button type="button" onClick={() => void act("quotas", () => del("/quotas").then(read))}>
              {w("toPreset")} ({w(now.preset === "aws" ? "aws" : "noQuotas")})
            </button>
          </div>
          <Scroll label={`${w("quotas")}: ${w("resource")}`}>
            <table class="plain setting-table">
              <thead>
                <tr>
                  <th scope="col">{w("resource")}</th>
                  <th scope="col">{w("most")}</th>
                  <th scope="col" class="num">
                    {w("awsHas")}
                  </th>
                  <th scope="col">{w("code")}</th>
                </tr>
              </thead>
              <tbody>
                {now.items.map((q) => (
                  <tr key={q.resource}>
                    <th scope="row">
                      <code>{q.resource}</code>{" "}
                      <span class="quiet small">{w(q.of === "vpc" ? "ofVpc" : "ofRegion")}</span>
                    </th>
                    <td>
                      <Num
                        label={`${w("most")}: ${q.resource}`}
                        value={q.most}
                        placeholder={w("unlimited")}
                        set={(n) => send({ limits: { [q.resource]: n ?? null } })}
                      />
                    </td>
                    <td class="num">{q.aws}</td>
                    <td>
                      <code>{q.code}</code>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </Scroll>
          <Curl method="PUT" path="/quotas" body={{ preset: "aws" }} />
        </>
      )}
    </Section>
  );
}
