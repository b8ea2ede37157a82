import { askPath, inPage, lossesOf, rulesPath } from "../app/router.ts";
import * as state from "../app/state.ts";
import { w } from "../rules/words.ts";
import { called } from "./ends.ts";
import "./ask.css";

/** What can be asked about what is selected, and the editors of what guards it. */
export function About() {
  const id = state.selection.value;
  const t = state.topology.value;
  const eni = state.enisById.value.get(id);
  const instance = state.instancesById.value.get(id);
  const subnet = t?.subnets.find((s) => s.id === id);
  const host = state.hostsById.value.get(id);
  const end = eni || instance || host;
  const own = instance
    ? instance.interfaces.map((x) => state.enisById.value.get(x.networkInterfaceId))
    : [eni];
  const groups = new Map(own.flatMap((n) => n?.groups ?? []).map((g) => [g.id, g.name] as const));
  const editors = [
    ...groups,
    ...(subnet?.routeTableId ? [[subnet.routeTableId, called(subnet.routeTableId)] as const] : []),
    ...(subnet?.networkAclId ? [[subnet.networkAclId, called(subnet.networkAclId)] as const] : []),
  ];
  const fails = end || subnet || /^(igw|nat|pcx|tgw|vpce)-/.test(id);
  if (!fails) return null;
  return (
    <section class="about">
      <div class="actions">
        {end && (
          <>
            <Link to={askPath({ from: id })} text={w("askFrom")} />
            {!host && <Link to={askPath({ to: id })} text={w("askTo")} />}
          </>
        )}
        {!host && (
          <button type="button" onClick={() => (lossesOf.value = id)}>
            {w("whoLoses")}
          </button>
        )}
      </div>
      {editors.length > 0 && (
        <p class="small editors">
          <span class="quiet">{w("edits")}</span>
          {editors.map(([to, name]) => (
            <a key={to} href={rulesPath(to)} onClick={(e) => inPage(e, rulesPath(to))}>
              {name || to}
            </a>
          ))}
        </p>
      )}
    </section>
  );
}

const Link = ({ to, text }: { to: string; text: string }) => (
  <a class="button" href={to} onClick={(e) => inPage(e, to)}>
    {text}
  </a>
);
