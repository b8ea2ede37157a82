// The one websocket of the page: connects, resumes, notices silence, backs off.

export type LinkState = "connecting" | "live" | "stale" | "down";

export interface Message {
  type: string;
  [key: string]: unknown;
}

/** A message that cannot be read: cut short, of another version, or no message at all. */
export class BrokenMessage extends Error {}

export interface SocketHooks {
  /** Query of the next connection attempt: epoch, cursor, eventSeq. */
  resume(): URLSearchParams;
  text(message: Message): void;
  binary(view: DataView): void;
  state(state: LinkState, retryInMs: number): void;
  /** A message could not be read; the connection is begun anew. */
  broken(err: BrokenMessage): void;
  /** The server closed because the page's protocol version is not its own. */
  outdated(): void;
}

const staleAfterMs = 3000;
const deadAfterMs = 10_000;
const backoffFirstMs = 250;
const backoffMaxMs = 5000;
const settledMs = 2000;
const closeOutdated = 4400;

function parse(text: string): Message {
  try {
    return JSON.parse(text) as Message;
  } catch (err) {
    throw new BrokenMessage(String(err));
  }
}

export class Socket {
  private readonly hooks: SocketHooks;
  private ws: WebSocket | null = null;
  private attempt = 0;
  private lastHeard = 0;
  private watch = 0;
  private retry = 0;
  private closed = true;
  private current: LinkState = "down";

  constructor(hooks: SocketHooks) {
    this.hooks = hooks;
  }

  open(): void {
    if (!this.closed) return;
    this.closed = false;
    this.attempt = 0;
    this.connect();
    this.watch = window.setInterval(() => this.check(), 500);
  }

  /** Ends the connection without a retry, until open is called again. */
  close(): void {
    this.closed = true;
    clearInterval(this.watch);
    clearTimeout(this.retry);
    this.ws?.close();
    this.ws = null;
    this.become("down", 0);
  }

  send(message: Message): void {
    if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify(message));
  }

  private connect(): void {
    if (this.closed) return;
    this.become("connecting", 0);
    const address = new URL("/api/v1/stream", location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    address.search = this.hooks.resume().toString();
    const ws = new WebSocket(address);
    ws.binaryType = "arraybuffer";
    this.ws = ws;
    const opened = performance.now();
    this.lastHeard = opened;
    ws.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (this.ws !== ws) return;
      try {
        if (typeof event.data === "string") this.hooks.text(parse(event.data));
        else this.hooks.binary(new DataView(event.data));
      } catch (err) {
        if (!(err instanceof BrokenMessage)) throw err;
        this.ws = null;
        ws.close();
        this.hooks.broken(err);
        this.again();
        return;
      }
      this.lastHeard = performance.now();
      if (this.current !== "live") this.become("live", 0);
      // A connection that breaks at once each time is not tried faster for having been open.
      if (this.attempt > 0 && this.lastHeard - opened > settledMs) this.attempt = 0;
    };
    ws.onclose = (event) => {
      if (this.ws !== ws) return;
      this.ws = null;
      if (event.code === closeOutdated) {
        this.closed = true;
        clearInterval(this.watch);
        this.hooks.outdated();
        return;
      }
      this.again();
    };
  }

  private again(): void {
    if (this.closed) return;
    const ceiling = Math.min(backoffMaxMs, backoffFirstMs * 2 ** this.attempt++);
    // Half fixed, half random: many pages must not return in the same instant.
    const wait = ceiling / 2 + (Math.random() * ceiling) / 2;
    this.become("down", wait);
    this.retry = window.setTimeout(() => this.connect(), wait);
  }

  private check(): void {
    if (!this.ws) return;
    const silence = performance.now() - this.lastHeard;
    if (silence > deadAfterMs) {
      const dead = this.ws;
      this.ws = null;
      dead.close();
      this.again();
    } else if (silence > staleAfterMs && this.current === "live") {
      this.become("stale", 0);
    }
  }

  private become(state: LinkState, retryInMs: number): void {
    this.current = state;
    this.hooks.state(state, retryInMs);
  }
}
