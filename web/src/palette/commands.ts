import { get, post, put } from "../api/client.ts";
import {
  act,
  fail,
  failBack,
  failBackCandidate,
  recover,
  startCapture,
  toggleCapture,
} from "../app/drill.ts";
import { helpOpen } from "../app/keys.ts";
import { lettersOff, motionOff } from "../app/prefs.ts";
import { go, type Screen } from "../app/router.ts";
import { select } from "../app/select.ts";
import { changed } from "../app/session.ts";
import * as state from "../app/state.ts";
import { toggleTheme } from "../app/theme.ts";
import { regions, show, vpcsOfRegion } from "../app/view.ts";
import { language, setLanguage, t } from "../i18n/i18n.ts";
import { openMoveMenu } from "../topology/move.ts";
import { fitStage } from "../topology/sight.ts";
import { dockTab } from "../traffic/dock.tsx";
import { followNewest, togglePause } from "../traffic/follow.ts";
import { ask } from "../ui/ask.tsx";
import { toast } from "../ui/toast.tsx";
import { type Entry, entry } from "./search.ts";
import { other, w } from "./words.ts";

// What the palette can do: everything that a button of the page does.

const live = (then?: () => void) => (): void => {
  go("live");
  // The screen draws what is acted on.
  if (then) setTimeout(then);
};

const tab = (id: typeof state.inspectorTab.value) =>
  live(() => {
    state.inspectorTab.value = id;
    state.inspectorOpen.value = true;
  });

function screens(): Entry[] {
  const keys: Partial<Record<Screen, string>> = {
    live: "G L",
    drills: "G D",
    failovers: "G O",
    captures: "G C",
    settings: "G S",
  };
  const group = w("screens");
  const one = (label: string, run: () => unknown, also = "", key = ""): Entry =>
    entry({ group, label, detail: "", ...(key && { keys: key }), run }, also);
  return [
    ...(["live", "drills", "learn", "failovers", "captures"] as const).map((s) =>
      one(t(`nav.${s}`), () => go(s), s, keys[s]),
    ),
    one(w("settings"), () => go("settings"), other("settings"), keys.settings),
    one(w("build"), tab("build"), other("build")),
    one(w("differences"), () => go("settings", ["differences"]), other("differences")),
    ...(["packets", "flows", "events", "calls"] as const).map((id) =>
      one(
        w("tab", { name: t(`dock.${id}`) }),
        live(() => {
          dockTab.value = id;
        }),
        id,
      ),
    ),
    ...(["failover", "eni", "instance", "network", "path"] as const).map((id) =>
      one(w("tab", { name: t(`inspector.${id}`) }), tab(id), id),
    ),
  ];
}

function actions(): Entry[] {
  const group = w("actions");
  const out: Entry[] = [];
  const one = (label: string, run: () => unknown, also = "", keys = "", detail = ""): void => {
    out.push(entry({ group, label, detail, ...(keys && { keys }), run }, also));
  };
  const off = state.offline.value;
  const active = state.activeInstance.value;
  const back = failBackCandidate();
  if (!off) {
    if (back) one(w("failBack"), () => failBack(back), other("failBack"), "B");
    for (const i of state.topology.value?.instances ?? []) {
      if (i.state === "terminated" || !state.inView(i.vpcId)) continue;
      const name = state.instanceName(i.id);
      if (i.fault) {
        one(w("recover", { name }), () => recover(i), other("recover"), "R", i.id);
        continue;
      }
      one(
        w("fail", { name }),
        live(() => fail(i)),
        other("fail"),
        i.id === active?.id ? "F" : "",
        i.id,
      );
      one(
        w("failLink", { name }),
        live(() => fail(i, "link")),
        other("failLink"),
        "",
        i.id,
      );
      one(
        w("failStop", { name }),
        live(() => fail(i, "stop")),
        other("failStop"),
        "",
        i.id,
      );
    }
    one(w("capture"), toggleCapture, other("capture"), "C");
    for (const n of state.topology.value?.networkInterfaces ?? []) {
      if (!state.inView(n.vpcId)) continue;
      const name = state.eniName(n);
      if (n.attachment?.deviceIndex !== 0 && (!n.type || n.type === "interface"))
        one(
          w("move", { name }),
          live(() => {
            select(n.id);
            openMoveMenu();
          }),
          other("move"),
          "M",
          n.id,
        );
      one(
        w("captureOf", { name }),
        () => startCapture({ networkInterfaceId: n.id }, name),
        other("captureOf"),
        "",
        n.id,
      );
    }
    one(
      w("traffic"),
      () => {
        const paused = !state.trafficPaused.value;
        void act("traffic", async () => {
          await put("/traffic", { paused });
          state.trafficPaused.value = paused;
        });
      },
      other("traffic"),
    );
    one(
      w("reset"),
      () =>
        ask({
          title: w("reset"),
          text: w("resetText"),
          yes: w("resetYes"),
          run: () =>
            act("reset", async () => {
              await post("/reset");
              toast(w("resetDone"));
              changed();
            }),
        }),
      other("reset"),
    );
    one(w("loadFile"), tab("build"), other("loadFile"));
  }
  return out;
}

/** The scenarios that need no file, once they have been asked for. */
export async function scenarios(): Promise<Entry[]> {
  const all = await get<{ items: { name: string; description: string }[] }>("/scenarios");
  const { loadScenario } = await import("../build/load.ts");
  return all.items.map((s) =>
    entry(
      {
        group: w("actions"),
        label: w("load", { name: s.name }),
        detail: s.description,
        run: () => loadScenario({ name: s.name }),
      },
      other("load"),
    ),
  );
}

function page(): Entry[] {
  const group = w("page");
  const one = (key: Parameters<typeof w>[0], run: () => unknown, keys = ""): Entry =>
    entry({ group, label: w(key), detail: "", ...(keys && { keys }), run }, other(key));
  const named = (label: string, also: string, run: () => void): Entry =>
    entry({ group, label, detail: "", run }, also);
  const vpcs = vpcsOfRegion.value;
  const region = state.viewRegion.value;
  return [
    one("theme", toggleTheme, "T"),
    one("language", () => setLanguage(language.value === "en" ? "ko" : "en")),
    one("motion", () => {
      motionOff.value = !motionOff.value;
    }),
    one("keysOff", () => {
      lettersOff.value = !lettersOff.value;
    }),
    one("pausePackets", togglePause, "Space"),
    one("follow", followNewest, "L"),
    one("fit", live(fitStage), "0"),
    one(
      "help",
      () => {
        helpOpen.value = true;
      },
      "?",
    ),
    ...(regions.value.length > 1
      ? regions.value.map((r) => named(w("region", { name: r }), other("region"), () => show(r, "")))
      : []),
    ...(vpcs.length > 1
      ? [
          one("allVpcs", () => show(region, "")),
          ...vpcs.map((v) =>
            named(w("vpc", { name: `${v.tags?.Name ?? v.id} · ${v.cidr}` }), `${other("vpc")} ${v.id}`, () =>
              show(v.region, v.id),
            ),
          ),
        ]
      : []),
  ];
}

/** Everything that has an id: opened where it is, in the region and VPC that it is in. */
function resources(): Entry[] {
  const now = state.topology.value;
  if (!now) return [];
  const group = w("resources");
  const out: Entry[] = [];
  const regionOf = new Map(now.vpcs.map((v) => [v.id, v.region]));
  const one = (id: string, label: string, detail: string, vpc: string, also = "", run?: () => void): void => {
    const open = (): void => {
      if (vpc && !state.inView(vpc)) show(regionOf.get(vpc) ?? "", "");
      if (run) run();
      else select(id);
    };
    out.push(entry({ group, label, detail, run: live(open) }, also));
  };
  for (const i of now.instances)
    if (i.state !== "terminated")
      one(i.id, state.instanceName(i.id), `${i.id} · ${i.type} · ${i.zone}`, i.vpcId);
  for (const n of now.networkInterfaces) {
    const ips = n.privateIps.map((p) => [p.address, p.publicIp].filter(Boolean).join(" ")).join(" ");
    const owner = state.holderName(n.id);
    one(
      n.id,
      [owner, state.eniName(n)].filter(Boolean).join(" "),
      `${n.id} · ${n.macAddress}`,
      n.vpcId,
      `${ips} ${n.tags?.Name ?? ""}`,
    );
  }
  const rows: [
    { id: string; tags?: Record<string, string>; name?: string; cidr?: string }[],
    (x: never) => string,
  ][] = [
    [now.vpcs, (x: { id: string }) => x.id],
    [now.subnets, (x: { vpcId: string }) => x.vpcId],
    [now.internetGateways ?? [], (x: { vpcId?: string }) => x.vpcId ?? ""],
    [now.natGateways ?? [], (x: { vpcId: string }) => x.vpcId],
    [now.peeringConnections ?? [], () => ""],
    [now.transitGateways ?? [], () => ""],
    [now.internetHosts ?? [], () => ""],
  ];
  for (const [list, vpc] of rows)
    for (const x of list) {
      const more = "address" in x ? String(x.address) : "publicIp" in x ? String(x.publicIp ?? "") : "";
      one(
        x.id,
        x.tags?.Name || x.name || x.id,
        [x.id, x.cidr, more].filter(Boolean).join(" · "),
        vpc(x as never),
      );
    }
  const inBuild = (id: string) => (): void => {
    select(id);
    state.selection.value = id;
    state.inspectorTab.value = "build";
    state.inspectorOpen.value = true;
  };
  for (const g of now.securityGroups)
    one(g.id, g.name, g.id, g.vpcId, "security group 보안 그룹", inBuild(g.id));
  for (const r of now.routeTables ?? [])
    one(r.id, r.tags?.Name ?? r.id, r.id, r.vpcId, "route table 라우팅 테이블", inBuild(r.id));
  for (const a of now.networkAcls ?? [])
    one(a.id, a.tags?.Name ?? a.id, a.id, a.vpcId, "network acl", inBuild(a.id));
  for (const a of now.addresses)
    one(a.allocationId, a.publicIp, a.allocationId, "", "elastic ip", inBuild(a.allocationId));
  for (const f of state.failovers.value)
    out.push(
      entry({
        group,
        label: t("failover.title", {
          kind: t(`failover.kind.${f.kind}`),
          from: state.instanceName(f.fromInstanceId) || "–",
          to: state.instanceName(f.toInstanceId) || "–",
        }),
        detail: f.id,
        run: () => go("failovers", [f.id]),
      }),
    );
  return out;
}

export const entries = (): Entry[] => [...screens(), ...actions(), ...page(), ...resources()];
