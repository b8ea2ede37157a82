/** What POST /what-if answers, as far as the page reads it. */
export interface Effect {
  source: { networkInterfaceId?: string; address: string };
  sourcePort?: number;
  destination: string;
  port?: number;
  protocol: number;
  frames: number;
  connection: boolean;
  reason?: string;
  code?: string;
  rule?: string;
  networkInterfaceId?: string;
  ofAnswer?: boolean;
  cursor?: number;
}

export interface DraftedAssertion {
  id: string;
  name: string;
  holds: boolean;
  held: boolean;
  turns: boolean;
  finding: string;
  text?: string;
  code?: string;
  rule?: string;
}

export interface Effects {
  connections: number;
  frames: number;
  newlyPassed: Effect[];
  newlyRefused: Effect[];
  keptAsTracked: Effect[];
  counts: { newlyPassed: number; newlyRefused: number; keptAsTracked: number; unaffected: number };
  assertions: DraftedAssertion[];
  recorded: boolean;
}
