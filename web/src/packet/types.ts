import type { Hop } from "../api/types.ts";

// The recording's and captures' frames, as the admin API has them.

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

export interface Tree {
  summary: string;
  length: number;
  layers: TreeLayer[];
}

export interface Hex {
  hex: string;
  tree?: Tree;
}

export interface Note {
  kind: string;
  text: string;
  cursor?: number;
}

/** What frames of the recording and of captures have in common. */
interface Ends {
  at: string;
  source: string;
  destination: string;
  sourcePort?: number;
  port?: number;
  protocol: string;
  length: number;
  verdict: string;
  tcpFlags?: string;
}

export interface RecordedFrame extends Ends {
  cursor: number;
  reason: string;
  sourceInterfaceId?: string;
  destinationInterfaceId?: string;
}

export interface FrameDetail extends RecordedFrame {
  reasonText: string;
  code?: string;
  translated: boolean;
  hops: Hop[];
  ended?: Hex;
  sent?: Hex;
  notes: Note[];
  earlier?: number;
  later?: number;
  captures: string[];
}

export interface RecordedFrames {
  items: RecordedFrame[];
  oldest: number;
  next: number;
  from?: string;
  to?: string;
}

export interface CapturedFrame extends Ends {
  number: number;
  interface: string;
  summary: string;
  comment: string;
  point: string;
}

export interface CapturedDetail extends CapturedFrame {
  frame: Hex;
}

export interface FlowEntry {
  protocol: string;
  localAddress: string;
  localPort?: number;
  remoteAddress: string;
  remotePort?: number;
  state: string;
  tracked: boolean;
  admittedBy: string;
  rule: string;
  egressFrames: number;
  egressBytes: number;
  ingressFrames: number;
  ingressBytes: number;
  expiresMs: number;
}

export interface NatEntry {
  address: string;
  port?: number;
  natAddress: string;
  natPort?: number;
  remoteAddress: string;
  remotePort?: number;
  state: string;
  expiresMs: number;
}

export interface FrameFlow {
  sides: { networkInterfaceId: string; flow?: FlowEntry; entries: number }[];
  nat: { natGatewayId: string; flow: NatEntry }[];
  frames: number;
  bytes: number;
  ended: number;
  first?: string;
  last?: string;
}

/** What the packet view shows, wherever the frame is from. */
export interface Detail {
  key: string;
  title: string;
  at: string;
  verdict: string;
  frame: FrameDetail | null;
  captured: CapturedDetail | null;
  ended: Hex | null;
  sent: Hex | null;
  notes: readonly Note[];
}
