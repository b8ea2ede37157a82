import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/client.ts";
import * as state from "../app/state.ts";
import { t, word } from "../i18n/i18n.ts";
import { drawStep } from "../topology/scene.ts";
import { stepHook } from "../topology/stephook.ts";
import { stepDots } from "../topology/stepped.ts";
import { revealPacket } from "../traffic/follow.ts";
import { say } from "../ui/announce.ts";
import { CopyButton } from "../ui/copy.tsx";
import { Icon } from "../ui/icons.tsx";
import { toastError } from "../ui/toast.tsx";
import { clockOf } from "./instants.ts";
import { leaveStep, stepAt, stoodAt } from "./mode.ts";
import { beside } from "./nav.ts";
import { Player, type Query, type Stepped, speeds } from "./player.ts";
import { showFrame } from "./shown.ts";
import { ticksOf } from "./ticks.ts";
import type { RecordedFrames } from "./types.ts";
import { w } from "./words.ts";

const pageSize = 500;
/** While it plays, the packet view and the address follow so often. */
const followMs = 250;

/** Grows when the player has changed. */
const version = signal(0);
const missed = signal("");

const ask = (q: Query): Promise<RecordedFrames> => {
  const p = new URLSearchParams({ limit: String(pageSize) });
  for (const [k, v] of Object.entries(q)) p.set(k, String(v));
  return get<RecordedFrames>(`/frames?${p.toString()}`);
};

const player = new Player(ask, () => {
  version.value++;
});

let followed = 0;

/** Shows a frame that was stepped to: on the map, in the packet view, in the address. */
function follow(s: Stepped, now: number, alone: boolean): void {
  drawStep(s.frame.sourceInterfaceId ?? "", s.frame.destinationInterfaceId ?? "", s.frame.verdict, alone);
  if (!alone && now - followed < followMs) return;
  followed = now;
  showFrame(s.frame.cursor);
  if (state.packet.peek() >= 0) revealPacket(state.packet.peek());
  stoodAt(String(s.at));
  missed.value = "";
  if (!alone) return;
  const name = (id: string | undefined, address: string): string => state.holderName(id ?? "") || address;
  say(
    w("stepped", {
      from: name(s.frame.sourceInterfaceId, s.frame.source),
      to: name(s.frame.destinationInterfaceId, s.frame.destination),
      protocol: s.frame.protocol.toUpperCase(),
      verdict: word("verdict", s.frame.verdict),
    }),
  );
}

export async function step(by: 1 | -1): Promise<void> {
  try {
    const s = await player.step(by);
    if (s) follow(s, performance.now(), true);
  } catch (err) {
    toastError(err);
  }
}

export function togglePlay(): void {
  if (!player.playing) {
    player.play();
    return;
  }
  player.pause();
  if (player.current) follow(player.current, performance.now(), true);
}

async function seek(at: string): Promise<void> {
  try {
    const there = await player.seek(at);
    missed.value = there ? "" : at;
    if (player.current) follow(player.current, performance.now(), true);
    if (!there) missed.value = at;
  } catch (err) {
    toastError(err);
  }
}

/** Keys of the step mode; true: the key was one of them. */
export function stepKey(e: KeyboardEvent): boolean {
  if (e.ctrlKey || e.altKey || e.metaKey || e.shiftKey) return false;
  if (e.code === "Period") void step(1);
  else if (e.code === "Comma") void step(-1);
  else if (e.code === "KeyP") togglePlay();
  else return false;
  return true;
}

/** The bar of the step mode: what is played, how fast, and where in the recording. */
export function StepBar() {
  useEffect(() => {
    stepHook.dots = stepDots;
    stepDots.on = true;
    beside.value = (by) => {
      const s = player.frames[player.index + by];
      return s ? { kind: "frame", cursor: s.frame.cursor } : null;
    };
    let last = performance.now();
    let request = 0;
    const loop = (now: number): void => {
      request = requestAnimationFrame(loop);
      // A tab that comes back must not skip what it has not shown.
      const due = player.tick(Math.min(100, now - last));
      last = now;
      for (const s of due) follow(s, now, false);
    };
    request = requestAnimationFrame(loop);
    return () => {
      cancelAnimationFrame(request);
      player.pause();
      stepDots.on = false;
      stepDots.clear();
      beside.value = null;
    };
  }, []);
  const asked = stepAt.value;
  useEffect(() => {
    void seek(asked);
  }, [asked]);
  version.value;
  const s = player.current;
  const span = player.span;
  return (
    <section class="step-bar" aria-label={w("viewing")}>
      <p class="step-banner" role="note">
        <b>{w("viewing")}</b>{" "}
        <button type="button" class="link" onClick={leaveStep}>
          {w("escLive")}
        </button>
      </p>
      {!s || !span ? (
        <p class="quiet">{w("nothing")}</p>
      ) : (
        <>
          <div class="step-tools">
            <Button label={`${w("stepBack")} (,)`} text="◀" onClick={() => void step(-1)} />
            <button
              type="button"
              class="icon primary"
              aria-label={`${player.playing ? w("pause") : w("play")} (P)`}
              title={`${player.playing ? w("pause") : w("play")} (P)`}
              onClick={togglePlay}
            >
              <Icon name={player.playing ? "pause" : "play"} />
            </button>
            <Button label={`${w("stepOn")} (.)`} text="▶" onClick={() => void step(1)} />
            <Speed />
            <code class="step-time">{clockOf(s.at)}</code>
            <CopyButton
              text={new URL(`/live?mode=step&t=${s.at}`, location.origin).href}
              label={w("copyTime")}
              plain
            />
          </div>
          <Scrubber at={s.at} span={span} />
          {missed.value && (
            <p class="text-lost small" role="alert">
              {w("notThen", { time: clockOf(BigInt(missed.value)), first: clockOf(span.from) })}
            </p>
          )}
        </>
      )}
    </section>
  );
}

function Button({ label, text, onClick }: { label: string; text: string; onClick: () => void }) {
  return (
    <button type="button" class="icon" aria-label={label} title={label} onClick={onClick}>
      <span aria-hidden="true">{text}</span>
    </button>
  );
}

function Speed() {
  return (
    <fieldset class="segments">
      <legend class="hidden">{w("speed")}</legend>
      {speeds.map((x) => (
        <button
          key={x}
          type="button"
          aria-pressed={player.speed === x}
          onClick={() => {
            player.speed = x;
            version.value++;
          }}
        >
          {x === 1 ? "1×" : `1/${Math.round(1 / x)}×`}
        </button>
      ))}
    </fieldset>
  );
}

const steps = 1000;

function Scrubber({ at, span }: { at: bigint; span: { from: bigint; to: bigint } }) {
  const whole = span.to - span.from;
  const place = whole > 0n ? Number(((at - span.from) * BigInt(steps)) / whole) : steps;
  const ticks = ticksOf(state.failovers.value, span.from, span.to);
  const seconds = (Number(whole / 1_000_000n) / 1000).toFixed(1);
  return (
    <div class="scrubber">
      <input
        type="range"
        min={0}
        max={steps}
        value={Math.max(0, Math.min(steps, place))}
        aria-label={w("scrubber")}
        aria-valuetext={clockOf(at)}
        onChange={(e) =>
          void seek(String(span.from + (whole * BigInt(e.currentTarget.value)) / BigInt(steps)))
        }
      />
      <ul class="ticks">
        {ticks.map((x, i) => {
          const name = x.name === "fault" ? w("fault") : t(`phase.${x.name}` as "phase.detect");
          const said = x.name === "fault" ? name : w("phase", { name, s: x.seconds.toFixed(2) });
          return (
            <li key={String(i)} style={{ insetInlineStart: `${x.place * 100}%` }}>
              <button
                type="button"
                class={`phase ${x.name}`}
                aria-label={said}
                title={said}
                onClick={() => void seek(String(x.at))}
              />
            </li>
          );
        })}
      </ul>
      <p class="quiet small step-span">
        <span>{clockOf(span.from).slice(0, 12)}</span>
        <Marks ticks={ticks} />
        <span>{w("recordedSpan", { s: seconds })}</span>
      </p>
    </div>
  );
}

/** The phases of the newest failover in words: labels on the strip would lie over each other. */
function Marks({ ticks }: { ticks: ReturnType<typeof ticksOf> }) {
  const from = ticks.findLastIndex((x) => x.name === "fault");
  if (from < 0) return null;
  return (
    <span class="step-marks">
      {ticks.slice(from).map((x, i) => (
        <span key={String(i)} class={`step-mark ${x.name}`}>
          {x.name === "fault"
            ? w("fault")
            : w("phase", { name: t(`phase.${x.name}` as "phase.detect"), s: x.seconds.toFixed(2) })}
        </span>
      ))}
    </span>
  );
}
