/** What POST /reachability, /blast-radius and /assertions answer, as far as the page reads it. */
export interface PredictedHop {
  component: string;
  id?: string;
  groups?: string[];
  direction?: "egress" | "ingress";
  subnetId?: string;
  rule?: string;
  established?: boolean;
  outcome: "pass" | "stop";
  assumed?: boolean;
  source?: string;
  destination?: string;
  mtu?: number;
  detail?: string;
}

export interface PredictedPath {
  arrives: boolean;
  networkInterfaceId?: string;
  source: string;
  destination: string;
  hops: PredictedHop[];
}

export interface Explanation {
  code?: string;
  reason: string;
  text: string;
  path: "forward" | "return";
  component: string;
  networkInterfaceId?: string;
  rule?: string;
}

export interface Reachability {
  reachable: "yes" | "partly" | "no";
  from: { networkInterfaceId?: string; address: string };
  to: { networkInterfaceId?: string; address: string };
  protocol: string;
  port?: number;
  explanations: Explanation[];
  forward: PredictedPath;
  return?: PredictedPath;
  lookedAt: { what: string; finding: string; ok: boolean }[];
  live?: { sent: number; arrived: number; answered: number; agrees: boolean };
}

export interface Assertion {
  id: string;
  name: string;
  sourceId: string;
  destination: string;
  protocol: string;
  port?: number;
  mustNot: boolean;
  etag: string;
  state: { holds: boolean; finding: string; text?: string; code?: string; rule?: string };
}

export interface Losses {
  target: string;
  kind: string;
  interfaces: string[];
  addresses: string[];
  connections: number;
  looked: number;
  clients: { networkInterfaceId: string; instanceId?: string; connections: number; failsItself?: boolean }[];
  policies: {
    policyId: string;
    networkInterfaceId?: string;
    loses: string[];
    would: "move" | "notice" | "nothing";
    toInstanceId?: string;
    why?: string;
  }[];
}
