import { signal } from "@preact/signals";
import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import { get, post } from "../api/client.ts";
import type {
  AclEntry,
  InternetGateway,
  InternetHost,
  NatFlow,
  NatGateway,
  NetworkAcl,
  RouteTable,
  Subnet,
  TransitGateway,
  Vpc,
  VpcEndpoint,
} from "../api/types.ts";
import { act, busy } from "../app/drill.ts";
import * as state from "../app/state.ts";
import { bytes, count, t, word } from "../i18n/i18n.ts";
import { Named } from "./named.tsx";
import { traceFrom } from "./path.tsx";

// The Network tab: what the selected part of the network is, what leads to it and
// where it leads to.

export function NetworkPanel() {
  const now = state.topology.value;
  const selected = state.selection.value;
  // An interface or an instance says which subnet is meant.
  const id =
    state.enisById.value.get(selected)?.subnetId ??
    state.instancesById.value.get(selected)?.subnetId ??
    selected;
  const find = <T extends { id: string }>(list: T[] | undefined): T | undefined =>
    list?.find((x) => x.id === id);
  const subnet = find(now?.subnets);
  if (subnet) return <SubnetPanel subnet={subnet} />;
  const vpc = find(now?.vpcs);
  if (vpc) return <VpcPanel vpc={vpc} />;
  const igw = find(now?.internetGateways);
  if (igw) return <InternetGatewayPanel gateway={igw} />;
  const nat = find(now?.natGateways);
  if (nat) return <NatPanel key={nat.id} gateway={nat} />;
  const host = find(now?.internetHosts);
  if (host) return <HostPanel host={host} />;
  const peering = find(now?.peeringConnections);
  if (peering)
    return (
      <LinkPanel
        kind={t("gateway.peeringConnection")}
        of={peering}
        vpcs={[peering.requester.vpcId, peering.accepter.vpcId]}
      />
    );
  const transit = find(now?.transitGateways);
  if (transit)
    return (
      <LinkPanel
        kind={t("gateway.transitGateway")}
        of={transit}
        vpcs={transit.attachments.map((a) => a.vpcId)}
      >
        {transit.routeTables.map((r) => (
          <TransitRoutes key={r.id} of={transit} table={r} />
        ))}
      </LinkPanel>
    );
  const endpoint = find(now?.vpcEndpoints);
  if (endpoint) return <EndpointPanel endpoint={endpoint} />;
  return <p class="empty">{t("inspector.nothingNetwork")}</p>;
}

type Facts = [name: string, value: preact.ComponentChildren][];

function Panel({
  kind,
  name,
  id,
  actions,
  facts,
  children,
}: {
  kind: string;
  name: string | undefined;
  id: string;
  actions?: preact.ComponentChildren;
  facts: Facts;
  children?: preact.ComponentChildren;
}) {
  return (
    <div class="panel-body">
      <h2 class="record-title">
        {kind} {name} <code>{id}</code>
      </h2>
      {actions && <div class="actions">{actions}</div>}
      <dl class="facts">
        {facts.map(([term, value]) => (
          <Fragment key={term}>
            <dt>{term}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
      </dl>
      {children}
    </div>
  );
}

function SubnetPanel({ subnet: s }: { subnet: Subnet }) {
  const table = state.topology.value?.routeTables?.find((r) => r.id === s.routeTableId);
  const acl = state.topology.value?.networkAcls?.find((a) => a.id === s.networkAclId);
  return (
    <Panel
      kind={t("topology.subnet")}
      name={s.tags?.Name}
      id={s.id}
      facts={[
        [t("network.cidr"), <code key="c">{s.cidr}</code>],
        [t("topology.vpc"), <Named key="v" id={s.vpcId} />],
        [t("eni.zone"), s.zone],
        [t("network.router"), <code key="m">{s.routerMac}</code>],
        [t("network.free"), count(s.availableAddresses)],
      ]}
    >
      {table && <Routes table={table} />}
      {acl && <Acl acl={acl} />}
    </Panel>
  );
}

function Routes({ table }: { table: RouteTable }) {
  return (
    <section>
      <h3>
        {t("network.routeTable")} {table.tags?.Name} <code class="quiet">{table.id}</code>{" "}
        {table.main && <span class="badge quiet">{t("network.main")}</span>}
      </h3>
      <ul class="routes">
        {table.routes.map((r) => (
          <li key={r.destination} class={r.state}>
            <code>{r.destination}</code>
            <span>{r.kind === "local" ? "local" : <Named id={r.target} />}</span>
            {r.state === "blackhole" && <span class="badge reject">{t("network.blackhole")}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Acl({ acl }: { acl: NetworkAcl }) {
  return (
    <section>
      <h3>
        {t("why.acl")} {acl.tags?.Name} <code class="quiet">{acl.id}</code>{" "}
        {acl.default && <span class="badge quiet">{t("network.default")}</span>}
      </h3>
      {(["ingress", "egress"] as const).map((direction) => (
        <ul key={direction} class="entries">
          {acl.entries
            .filter((e) => e.direction === direction)
            .map((e) => (
              <li key={e.number}>
                <span class="direction">{direction}</span>
                <code>{e.number}</code>
                <span class={e.allow ? "" : "text-reject"}>
                  {t(e.allow ? "network.allow" : "network.deny")}
                </span>
                <b>{what(e)}</b>
                <code>{e.cidr}</code>
              </li>
            ))}
          <li class="quiet">
            <span class="direction">{direction}</span>
            <code>*</code>
            <span>{t("network.deny")}</span>
            <b>all</b>
            <code>0.0.0.0/0</code>
          </li>
        </ul>
      ))}
    </section>
  );
}

/** What an entry matches: protocol, and ports or type. */
function what(e: AclEntry): string {
  if (e.fromPort !== undefined && !(e.fromPort === 0 && e.toPort === 65535))
    return `${e.protocol} ${e.fromPort === e.toPort ? e.fromPort : `${e.fromPort}–${e.toPort}`}`;
  if (e.icmpType !== undefined && e.icmpType >= 0) return `${e.protocol} ${e.icmpType}`;
  return e.protocol;
}

function VpcPanel({ vpc }: { vpc: Vpc }) {
  const now = state.topology.value!;
  const gateways = [
    ...(now.internetGateways ?? []).filter((g) => g.vpcId === vpc.id),
    ...(now.natGateways ?? []).filter((g) => g.vpcId === vpc.id && g.state !== "deleted"),
    ...(now.peeringConnections ?? []).filter(
      (p) => p.requester.vpcId === vpc.id || p.accepter.vpcId === vpc.id,
    ),
    ...(now.transitGateways ?? []).filter((g) => g.attachments.some((a) => a.vpcId === vpc.id)),
    ...(now.vpcEndpoints ?? []).filter((e) => e.vpcId === vpc.id),
  ];
  const facts: Facts = [
    [t("network.cidr"), <code key="c">{vpc.cidr}</code>],
    [t("network.region"), vpc.region],
  ];
  if (gateways.length > 0)
    facts.push([t("network.gateways"), <List key="g" ids={gateways.map((g) => g.id)} />]);
  facts.push([
    t("network.subnets"),
    <List key="s" ids={now.subnets.filter((s) => s.vpcId === vpc.id).map((s) => s.id)} />,
  ]);
  return (
    <Panel kind={t("topology.vpc")} name={vpc.tags?.Name} id={vpc.id} facts={facts}>
      {(now.routeTables ?? [])
        .filter((r) => r.vpcId === vpc.id)
        .map((r) => (
          <Routes key={r.id} table={r} />
        ))}
    </Panel>
  );
}

const List = ({ ids }: { ids: string[] }) => (
  <>
    {ids.map((id) => (
      <div key={id}>
        <Named id={id} />
      </div>
    ))}
  </>
);

/** Addresses of a VPC that the internet sees, which its gateway translates one to one. */
const maxAddresses = 50;

function InternetGatewayPanel({ gateway: g }: { gateway: InternetGateway }) {
  const now = state.topology.value!;
  const pairs = now.networkInterfaces
    .filter((n) => n.vpcId === g.vpcId)
    .flatMap((n) => n.privateIps.filter((p) => p.publicIp).map((p) => ({ ...p, eni: n.id })));
  const table = now.routeTables?.find((r) => r.id === g.routeTableId);
  return (
    <Panel
      kind={t("gateway.internetGateway")}
      name={g.tags?.Name}
      id={g.id}
      facts={[
        [t("topology.vpc"), g.vpcId ? <Named key="v" id={g.vpcId} /> : t("network.detached")],
        [
          t("network.translates"),
          <div key="p">
            {pairs.slice(0, maxAddresses).map((p) => (
              <div key={p.publicIp}>
                <code>{p.publicIp}</code> ⇄ <code>{p.address}</code> <Named id={p.eni} />
              </div>
            ))}
            {pairs.length === 0 && t("network.nothing")}
            {pairs.length > maxAddresses && (
              <div>{t("network.more", { count: pairs.length - maxAddresses })}</div>
            )}
          </div>,
        ],
      ]}
    >
      {table ? <Routes table={table} /> : <p class="quiet small">{t("network.noTable")}</p>}
    </Panel>
  );
}

function EndpointPanel({ endpoint: e }: { endpoint: VpcEndpoint }) {
  const tables = (state.topology.value?.routeTables ?? []).filter((r) => e.routeTableIds.includes(r.id));
  const facts: Facts = [
    [t("instance.state"), word("state", e.state)],
    [t("network.service"), <code key="s">{e.service}</code>],
    [t("topology.vpc"), <Named key="v" id={e.vpcId} />],
  ];
  if (e.source) facts.push([t("network.seenAs"), <code key="a">{e.source}</code>]);
  if (e.networkInterfaceIds.length > 0)
    facts.push([t("instance.interfaces"), <List key="n" ids={e.networkInterfaceIds} />]);
  return (
    <Panel kind={t("gateway.vpcEndpoint")} name={e.tags?.Name} id={e.id} facts={facts}>
      {tables.map((r) => (
        <Routes key={r.id} table={r} />
      ))}
    </Panel>
  );
}

const flows = signal<{ id: string; items: NatFlow[]; total: number } | null>(null);
const shownFlows = 100;
const flowsEveryMs = 1000;

function NatPanel({ gateway: g }: { gateway: NatGateway }) {
  useEffect(() => {
    const read = (): void => {
      if (document.hidden) return;
      get<{ items: NatFlow[]; total: number }>(`/nat-gateways/${g.id}/flows`).then(
        (f) => {
          flows.value = { id: g.id, ...f };
        },
        () => undefined, // the banner tells of a server that is gone
      );
    };
    read();
    const timer = setInterval(read, flowsEveryMs);
    return () => clearInterval(timer);
  }, []);
  const list = flows.value?.id === g.id ? flows.value : null;
  const counters = state.enisById.value.get(g.networkInterfaceId ?? "")?.counters;
  const dropped = Object.entries(counters?.dropped ?? {}).filter(([, v]) => v > 0);
  const facts: Facts = [
    [
      t("instance.state"),
      <>
        {word("state", g.state)} {g.failureText && <span class="text-reject">{g.failureText}</span>}
      </>,
    ],
    [t("network.kind"), t(`network.${g.connectivity}`)],
    [t("topology.subnet"), <Named key="s" id={g.subnetId} />],
    [t("eni.address"), <code key="a">{g.privateIp}</code>],
  ];
  if (g.publicIp) facts.push([t("eni.public"), <code key="p">{g.publicIp}</code>]);
  if (counters && counters.rxFrames + counters.txFrames > 0) {
    facts.push([t("eni.tx"), t("eni.frames", { frames: counters.txFrames, bytes: bytes(counters.txBytes) })]);
    facts.push([t("eni.rx"), t("eni.frames", { frames: counters.rxFrames, bytes: bytes(counters.rxBytes) })]);
  }
  if (dropped.length > 0)
    facts.push([
      t("eni.dropped"),
      dropped.map(([reason, v]) => (
        <div key={reason}>
          <b>{count(v)}</b> <code>{reason}</code>
        </div>
      )),
    ]);
  return (
    <Panel kind={t("gateway.natGateway")} name={g.tags?.Name} id={g.id} facts={facts}>
      <section>
        <h3>
          {t("network.connections")} {list && <b class="count">{count(list.total)}</b>}
        </h3>
        {list && list.total > 0 && (
          <table class="connections">
            <thead>
              <tr>
                <th scope="col">{t("network.inside")}</th>
                <th scope="col">{t("network.port")}</th>
                <th scope="col">{t("network.remote")}</th>
                <th scope="col" class="number">
                  {t("network.outIn")}
                </th>
              </tr>
            </thead>
            <tbody>
              {list.items.slice(0, shownFlows).map((f) => (
                <tr key={`${f.protocol}${f.address}${f.port ?? f.icmpId}${f.remoteAddress}${f.remotePort}`}>
                  <td>
                    <code>{`${f.address}:${f.port ?? f.icmpId}`}</code>{" "}
                    <span class="quiet">{f.state.replace("_", " ")}</span>
                  </td>
                  <td>
                    <code>{f.natPort ?? f.natIcmpId}</code>
                  </td>
                  <td>
                    <code>{f.remotePort ? `${f.remoteAddress}:${f.remotePort}` : f.remoteAddress}</code>
                  </td>
                  <td class="number">
                    {count(f.framesOut)} / {count(f.framesIn)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {list?.total === 0 && <p class="quiet">{t("network.noConnections")}</p>}
        {list && list.total > shownFlows && (
          <p class="quiet small">{t("network.more", { count: list.total - shownFlows })}</p>
        )}
      </section>
    </Panel>
  );
}

function HostPanel({ host: h }: { host: InternetHost }) {
  const working = busy.value.has(`host:${h.id}`);
  const change = (how: "fail" | "recover"): void =>
    void act(`host:${h.id}`, () => post(`/internet-hosts/${h.id}/${how}`));
  const facts: Facts = [
    [t("eni.address"), <code key="a">{h.address}</code>],
    [
      t("instance.fault"),
      h.fault ? <span class="text-lost">{word("fault", h.fault)}</span> : t("instance.noFault"),
    ],
  ];
  if (h.serve.length > 0)
    facts.push([
      t("instance.serves"),
      h.serve.map((p) => <code key={p.port}>{`${p.protocol} ${p.port} `}</code>),
    ]);
  if (h.workloads.length > 0)
    facts.push([
      t("instance.workloads"),
      h.workloads.map((w) => (
        <div key={w.name}>
          {w.name} <span class="quiet">{w.kind}</span> {w.target && <code>{w.target}</code>}{" "}
          {w.rate ? `${w.rate}/s` : ""}
        </div>
      )),
    ]);
  return (
    <Panel
      kind={t("gateway.host")}
      name={h.name}
      id={h.id}
      facts={facts}
      actions={
        <>
          {h.fault ? (
            <button type="button" class="primary" disabled={working} onClick={() => change("recover")}>
              {t("action.recover", { name: h.name })}
            </button>
          ) : (
            <button
              type="button"
              class="danger"
              disabled={working}
              title={t("instance.freezeHint")}
              onClick={() => change("fail")}
            >
              {t("instance.freeze")}
            </button>
          )}
          <button type="button" onClick={() => traceFrom(h.id)}>
            {t("eni.trace")}
          </button>
        </>
      }
    />
  );
}

function TransitRoutes({ of, table }: { of: TransitGateway; table: TransitGateway["routeTables"][number] }) {
  return (
    <section>
      <h3>
        {t("network.routeTable")} <code class="quiet">{table.id}</code>
      </h3>
      <ul class="routes">
        {table.routes.map((r) => {
          const vpc = of.attachments.find((a) => a.id === r.attachmentId)?.vpcId;
          return (
            <li key={r.destination} class={r.state}>
              <code>{r.destination}</code>
              <span>{vpc && <Named id={vpc} />}</span>
              {r.state === "blackhole" && <span class="badge reject">{t("network.blackhole")}</span>}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function LinkPanel({
  kind,
  of,
  vpcs,
  children,
}: {
  kind: string;
  of: { id: string; state: string; tags?: Record<string, string> };
  vpcs: string[];
  children?: preact.ComponentChildren;
}) {
  return (
    <Panel
      kind={kind}
      name={of.tags?.Name}
      id={of.id}
      facts={[
        [t("instance.state"), word("state", of.state)],
        [t("network.joins"), <List key="v" ids={vpcs} />],
      ]}
    >
      {children}
    </Panel>
  );
}
