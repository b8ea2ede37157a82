// The admin API's resources as the page reads them (docs: GET /api/v1/openapi.json).
// Times are RFC 3339 strings; instants of a failover are decimal strings of Unix
// nanoseconds, because a JavaScript number cannot hold them.

export type Tags = Record<string, string>;

export interface Vpc {
  id: string;
  cidr: string;
  region: string;
  default?: boolean;
  tags?: Tags;
  createdAt?: string;
}

export interface Subnet {
  id: string;
  vpcId: string;
  zone: string;
  cidr: string;
  availableAddresses: number;
  routerMac: string;
  routeTableId?: string;
  networkAclId?: string;
  tags?: Tags;
  createdAt?: string;
}

export type Fault = "" | "freeze" | "link" | "stop";

export interface Workload {
  name: string;
  kind: string;
  target?: string;
  port?: number;
  rate?: number;
  connections?: number;
  size?: number;
  paused?: boolean;
}

export interface Instance {
  id: string;
  name?: string;
  type: string;
  state: string;
  stateAt?: string;
  zone: string;
  vpcId: string;
  subnetId: string;
  fault?: Fault;
  faultAt?: string;
  maxInterfaces: number;
  role?: string;
  workloads?: Workload[];
  serve?: { protocol: string; port: number }[];
  interfaces: { networkInterfaceId: string; deviceIndex: number; attachmentState: string }[];
  staleInterfaces?: { networkInterfaceId: string; deviceIndex: number }[];
  tags?: Tags;
  launchedAt?: string;
}

export interface Attachment {
  id: string;
  instanceId: string;
  deviceIndex: number;
  state: string;
  deleteOnTermination: boolean;
  attachedAt?: string;
}

export interface NetworkInterface {
  id: string;
  macAddress: string;
  description?: string;
  status: string;
  vpcId: string;
  subnetId: string;
  zone: string;
  privateIps: { address: string; primary: boolean; publicIp?: string }[];
  groups: { id: string; name: string }[];
  sourceDestCheck: boolean;
  /** nat_gateway and such for those that the network itself holds. */
  type?: string;
  attachment?: Attachment;
  counters?: {
    txFrames: number;
    txBytes: number;
    rxFrames: number;
    rxBytes: number;
    dropped?: Record<string, number>;
  };
  tags?: Tags;
}

export interface SecurityGroup {
  id: string;
  vpcId: string;
  name: string;
  description?: string;
  rules: {
    id: string;
    direction: "ingress" | "egress";
    protocol: string;
    fromPort?: number;
    toPort?: number;
    cidr?: string;
    groupId?: string;
    prefixListId?: string;
    description?: string;
  }[];
  tags?: Tags;
  etag?: string;
}

export interface Address {
  allocationId: string;
  publicIp: string;
  networkInterfaceId?: string;
  privateIp?: string;
  tags?: Tags;
}

export interface InternetHost {
  id: string;
  name: string;
  address: string;
  fault: Fault;
  faultAt?: string;
  workloads: Workload[];
  serve: { protocol: string; port: number }[];
}

export interface InternetGateway {
  id: string;
  vpcId?: string;
  routeTableId?: string;
  tags?: Tags;
}

export interface NatGateway {
  id: string;
  vpcId: string;
  subnetId: string;
  state: "pending" | "available" | "deleting" | "deleted" | "failed";
  connectivity: "public" | "private";
  networkInterfaceId?: string;
  privateIp?: string;
  publicIp?: string;
  failureCode?: string;
  failureText?: string;
  tags?: Tags;
}

export interface NatFlow {
  protocol: string;
  address: string;
  port?: number;
  natAddress: string;
  natPort?: number;
  remoteAddress: string;
  remotePort?: number;
  icmpId?: number;
  natIcmpId?: number;
  state: string;
  framesOut: number;
  framesIn: number;
  expiresMs: number;
}

export interface Peering {
  id: string;
  requester: { vpcId: string; region: string };
  accepter: { vpcId: string; region: string };
  state: string;
  tags?: Tags;
}

export interface VpcEndpoint {
  id: string;
  vpcId: string;
  type: "Gateway" | "Interface";
  service: string;
  state: string;
  /** How the internet sees who asks through a gateway endpoint. */
  source?: string;
  routeTableIds: string[];
  networkInterfaceIds: string[];
  tags?: Tags;
}

export interface TransitGateway {
  id: string;
  state: string;
  attachments: { id: string; vpcId: string; subnetIds: string[]; state: string; routeTableId?: string }[];
  routeTables: {
    id: string;
    routes: {
      destination: string;
      attachmentId?: string;
      propagated: boolean;
      state: "active" | "blackhole";
    }[];
  }[];
  tags?: Tags;
}

export interface Route {
  destination: string;
  target: string;
  kind: string;
  state: "active" | "blackhole";
}

export interface RouteTable {
  id: string;
  vpcId: string;
  main: boolean;
  subnetIds: string[];
  gatewayId?: string;
  routes: Route[];
  tags?: Tags;
  etag?: string;
}

export interface AclEntry {
  number: number;
  direction: "ingress" | "egress";
  allow: boolean;
  protocol: string;
  cidr: string;
  fromPort?: number;
  toPort?: number;
  icmpType?: number;
  icmpCode?: number;
}

export interface NetworkAcl {
  id: string;
  vpcId: string;
  default: boolean;
  subnetIds: string[];
  entries: AclEntry[];
  tags?: Tags;
  etag?: string;
}

export interface Policy {
  id: string;
  networkInterfaceId: string;
  standbys: string[];
  probe: {
    type: string;
    fromInterfaceId: string;
    port?: number;
    path?: string;
    intervalMs: number;
    timeoutMs: number;
    misses: number;
  };
  failBack: boolean;
  fence?: string;
  holdDownMs?: number;
  strategy?: string;
  enabled: boolean;
  status: PolicyStatus;
}

export interface FrameFate {
  reason: string;
  point: string;
  networkInterfaceId: string;
}

export interface PolicyStatus {
  state: string;
  misses: number;
  /** What it is doing, or why it is not done. */
  detail?: string;
  lastProbe?: {
    at: string;
    result: string;
    rttMs?: number;
    detail?: string;
    fromInterfaceId?: string;
    seen?: FrameFate;
  };
  /** Who could take over, in order; the first without unfit would. */
  candidates?: { instanceId: string; unfit?: string; detail?: string; former?: boolean }[];
}

export const phaseNames = ["detect", "fence", "decide", "detach", "attach", "recover"] as const;
export type PhaseName = (typeof phaseNames)[number];

export interface Phase {
  name: PhaseName;
  start?: string;
  end?: string;
  ms: number;
}

export interface ClientTraffic {
  client: string;
  networkInterfaceId?: string;
  workload: string;
  kind: string;
  target?: string;
  lastReplyAt?: string;
  lastReplyFrom?: string;
  lastReplySeq?: number;
  firstReplyAt?: string;
  firstReplyFrom?: string;
  firstReplySeq?: number;
  outageMs?: number | null;
  sent?: number;
  lost?: number;
  lostFirst?: number;
  lostLast?: number;
  /** Why the measurement is not whole. */
  incomplete?: string;
}

export interface Check {
  name: "ip" | "mac" | "groups" | "eni" | "eip" | "destination" | "source-dest-check";
  before?: unknown;
  after?: unknown;
  result: "same" | "changed" | "not-exercised";
}

/** What a failover moved: an interface, or addresses or a route from one interface to another. */
export interface Moved {
  kind: "network-interface" | "private-addresses" | "elastic-ip" | "route";
  fromInterfaceId: string;
  toInterfaceId: string;
  addresses?: string[];
  publicIp?: string;
  allocationId?: string;
  routeTableId?: string;
  destination?: string;
}

export interface Failover {
  id: string;
  kind: "failover" | "failback" | "move";
  state: "running" | "completed" | "failed";
  error?: string;
  policyId?: string;
  networkInterfaceId: string;
  moved?: Moved;
  fromInstanceId?: string;
  toInstanceId?: string;
  startedAt: string;
  endedAt?: string;
  phases?: Phase[];
  control?: {
    faultAt?: string;
    detectedAt?: string;
    acceptedAt?: string;
    detachedAt?: string;
    attachedAt?: string;
    detachToAttachMs?: number;
  };
  outageMs?: number | null;
  requestsSent?: number;
  requestsLost?: number;
  traffic?: ClientTraffic[];
  tcp?: {
    open: number;
    reset: number;
    closed: number;
    survived: number;
    reconnected: number;
    reconnectedAfterMs?: number;
  };
  checks?: Check[];
  /** What the policy's probe saw. */
  cause?: { misses: number; fromInterfaceId?: string; detail: string; seen?: FrameFate };
  notes?: string[];
}

export interface Capture {
  id: string;
  state: "recording" | "stopped";
  comment?: string;
  filter?: string;
  points?: string[];
  networkInterfaceIds?: string[];
  networkInterfaceId?: string;
  instanceId?: string;
  all?: boolean;
  snaplen?: number;
  ringBytes?: number;
  frames: number;
  bytes: number;
  evicted?: number;
  lost?: number;
  startedAt: string;
  stoppedAt?: string;
  stopReason?: string;
}

export interface LabEvent {
  seq: number;
  revision?: number;
  at: string;
  type: string;
  resource: string;
  detail?: unknown;
}

export interface Reason {
  name: string;
  verdict: string;
  text: string;
  code?: string;
}

export interface TrafficFlow {
  instanceId: string;
  workload: string;
  kind: string;
  target: string;
  sent: number;
  received: number;
  lost: number;
  rttP50Ms?: number;
  rttP99Ms?: number;
  lastReplyAt?: string;
  /** When the oldest request after the last reply left; absent: none waits. */
  waitingSince?: string;
  /** The newest silence that has ended: from the last reply to the next. */
  silenceFrom?: string;
  silenceTo?: string;
}

export interface Counters {
  sent: number;
  delivered: number;
  inFlight: number;
  dropped?: Record<string, number>;
  byVerdict: { accept: number; reject: number; lost: number; control: number };
}

/** How far the steps of the server's scenario are. */
export interface ScenarioStatus {
  name: string;
  state: "playing" | "completed" | "failed";
  step: number;
  steps: number;
  error?: string;
}

export interface Status {
  version: string;
  region: string;
  epoch: string;
  revision: number;
  uptimeSeconds: number;
  timing?: string;
  counters: Counters;
  reasons: Reason[];
  steps: Step[];
  /** Absent if it has none. */
  scenario?: ScenarioStatus;
}

export interface Topology {
  epoch: string;
  revision: number;
  eventSeq: number;
  region: string;
  vpcs: Vpc[];
  subnets: Subnet[];
  instances: Instance[];
  networkInterfaces: NetworkInterface[];
  securityGroups: SecurityGroup[];
  addresses: Address[];
  internetHosts: InternetHost[];
  internetGateways: InternetGateway[];
  natGateways: NatGateway[];
  peeringConnections: Peering[];
  transitGateways: TransitGateway[];
  vpcEndpoints: VpcEndpoint[];
  routeTables: RouteTable[];
  networkAcls: NetworkAcl[];
  policies: Policy[];
  failovers: Failover[];
  captures: Capture[];
}

export interface MoveVerdict {
  instanceId: string;
  allowed: boolean;
  deviceIndex?: number;
  code?: string;
  message?: string;
}

export interface TreeField {
  name: string;
  value: string;
  off: number;
  len: number;
}

export interface TreeLayer {
  name: string;
  off: number;
  len: number;
  fields: TreeField[];
}

/** A frame's two ends before and behind a gateway, as address:port. */
export interface Translation {
  source: string;
  destination: string;
  newSource: string;
  newDestination: string;
}

/** A place on a frame's path where it can end. */
export interface Step {
  name: string;
  /** The tap point at which a frame that ends there was seen last. */
  point?: string;
  text: string;
}

export type RuleKind = "group_rule" | "acl_entry" | "route" | "gateway" | "impairment";

export interface Hop {
  station: string;
  networkInterfaceId?: string;
  verdict: string;
  /** Where the frame ended, if it did here. */
  step?: string;
  reason?: string;
  code?: string;
  rule?: string;
  ruleKind?: RuleKind;
  /** The connection table knew the flow; rule admitted it. */
  established?: boolean;
  route?: string;
  onward?: string;
  via?: string;
  gateways?: string[];
  translation?: Translation;
  networkAclEntry?: string;
  detail?: string;
}

export interface HexFrame {
  hex: string;
  tree?: { layers: TreeLayer[] };
}

export interface PacketAnswer {
  verdict: string;
  step?: string;
  reason?: string;
  reasonText?: string;
  code?: string;
  rule?: string;
  hops: Hop[];
  leftBy?: string;
  frame?: HexFrame;
  arrived?: HexFrame;
  /** What each guest on the way has sent on of the frame. */
  followed?: PacketAnswer[];
  passed?: "forwarded" | "translated" | "icmp-error";
  followEnded?: "arrived" | "undelivered" | "silent" | "answered" | "bound";
}
