import { effect, signal } from "@preact/signals";
import { leaveStep, stepping } from "../packet/mode.ts";
import { closePacket, shown } from "../packet/shown.ts";
import { finding, typeAhead } from "../topology/finding.ts";
import { moveFor, openMoveMenu } from "../topology/move.ts";
import { fitStage, fullSize, panBy, zoomStage } from "../topology/sight.ts";
import { focusFilter } from "../traffic/focus.ts";
import { followNewest, stepPacket, togglePause } from "../traffic/follow.ts";
import { confirmFail, fail, failBack, failBackCandidate, recover, toggleCapture } from "./drill.ts";
import { togglePalette } from "./palette-open.ts";
import { lettersOff } from "./prefs.ts";
import { go, screen } from "./router.ts";
import * as state from "./state.ts";
import { toggleTheme } from "./theme.ts";

export const helpOpen = signal(false);

// The packet view's and the step mode's keys come with them, when they are first shown.
let frameKey: (e: KeyboardEvent) => boolean = () => false;
let stepKey: (e: KeyboardEvent) => boolean = () => false;
effect(() => {
  if (shown.value) void import("../packet/nav.ts").then((m) => (frameKey = m.packetKey));
  if (stepping.value) void import("../packet/stepbar.tsx").then((m) => (stepKey = m.stepKey));
});

const spaceOwners = "button, a, summary, [role=treeitem], [role=menuitem], input, select, textarea";

// How a control got the focus. :focus-visible does not tell: it holds from the first key on.
let byPointer = false;
addEventListener("pointerdown", () => (byPointer = true), true);
addEventListener(
  "keydown",
  (e) => {
    if (e.key === "Tab" || e.key.startsWith("Arrow")) byPointer = false;
  },
  true,
);

/** A Space that was taken must not press the focused button when it is let go (Firefox does). */
let taken = false;
export function onKeyUp(e: KeyboardEvent): void {
  if (e.code === "Space" && taken) e.preventDefault();
  taken = false;
  if (e.code === "KeyF" && held) {
    // Let go too early: the question asks instead.
    clearTimeout(held);
    held = 0;
    const i = state.activeInstance.value;
    if (i && !i.fault) confirmFail.value = i;
  }
}

const holdMs = 400;
let held = 0;

/** Fails the instance that the button names: at once where a drill gave it a role, else when the key is held. */
function failKey(): void {
  const i = state.activeInstance.value;
  if (!i || i.fault || state.offline.value || held) return;
  if (i.role) fail(i);
  else
    held = window.setTimeout(() => {
      held = 0;
      const now = state.activeInstance.value;
      // What is shown may have changed under the finger.
      if (now?.id === i.id && !now.fault) fail(now, "freeze", true);
    }, holdMs);
}

/** A key that types a character, alone or with Shift: what WCAG 2.1.4 lets a person switch off. */
const isCharacter = (e: KeyboardEvent): boolean => (e.key.length === 1 ? e.key !== " " : e.key === "Process");

/** Opens what is selected: the newest packet first, then its details for the keyboard. */
function enter(e: KeyboardEvent): boolean {
  if (e.target !== document.body && !(e.target instanceof Element && e.target.closest("[role=grid]")))
    return false;
  if (state.packet.value < 0) stepPacket(1);
  else document.querySelector<HTMLElement>("section.packet :is(button, a, [tabindex])")?.focus();
  return true;
}

const panStep = 96;
/** Which way the picture goes, so that one sees more of where the arrow points. */
const pans = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] } as const;

let awaitingScreen = 0;
const screenKeyMs = 1200;

/** What G and another letter go to. */
const screenKeys = {
  KeyL: "live",
  KeyD: "drills",
  KeyO: "failovers",
  KeyC: "captures",
  KeyS: "settings",
} as const;

const typing = (el: EventTarget | null): boolean =>
  el instanceof HTMLElement && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));

/** Keys of the whole page. Letters are read by position, so a Korean IME does not hide them. */
export function onKey(e: KeyboardEvent): void {
  if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.code === "KeyK") {
    // Browsers have a key of their own here, for their address bar.
    e.preventDefault();
    if (!document.querySelector("dialog[open]:not(.command-palette)")) togglePalette();
    return;
  }
  const free = !typing(e.target) && !document.querySelector("dialog[open]");
  const character = lettersOff.value && isCharacter(e) && !e.ctrlKey && !e.metaKey && !e.altKey;
  if (free && !character && (frameKey(e) || (stepping.value && stepKey(e)))) {
    e.preventDefault();
    return;
  }
  if (e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return;
  if (free && screen.value === "live" && typeAhead(e.key)) {
    e.preventDefault();
    return;
  }
  if (e.key === "Escape" && !document.querySelector("dialog[open]")) {
    if (stepping.value) leaveStep();
    else if (shown.value) closePacket();
    else if (state.inspectorOpen.value && innerWidth < 1100) state.inspectorOpen.value = false;
    else state.selection.value = "";
    return;
  }
  if (typing(e.target) || document.querySelector("dialog[open]") || moveFor.value) return;
  if (lettersOff.value && isCharacter(e)) return;
  if (e.key === "?") {
    helpOpen.value = true;
    e.preventDefault();
    return;
  }
  if (e.key === "/") {
    if (screen.value !== "live") go("live");
    focusFilter();
    e.preventDefault();
    return;
  }
  if (performance.now() < awaitingScreen) {
    awaitingScreen = 0;
    const target = screenKeys[e.code as keyof typeof screenKeys];
    if (target) {
      go(target);
      e.preventDefault();
      return;
    }
  }
  switch (e.code) {
    case "KeyF":
      if (!e.repeat) failKey();
      break;
    case "KeyR": {
      const i = state.faulted.value[0];
      if (i && !state.offline.value) recover(i);
      break;
    }
    case "KeyB": {
      const f = failBackCandidate();
      if (f) failBack(f);
      break;
    }
    case "KeyM":
      openMoveMenu();
      break;
    case "KeyC":
      toggleCapture();
      break;
    case "KeyT":
      toggleTheme();
      break;
    case "KeyL":
      followNewest();
      break;
    case "KeyG":
      awaitingScreen = performance.now() + screenKeyMs;
      break;
    case "KeyJ":
      stepPacket(1);
      break;
    case "KeyK":
      stepPacket(-1);
      break;
    case "Digit0":
    case "Numpad0":
      fitStage();
      break;
    case "Digit1":
    case "Numpad1":
      fullSize();
      break;
    case "KeyS":
      // A phone's table hides the map, and other screens have none.
      if (!document.querySelector(".stage")?.checkVisibility()) return;
      finding.value = true;
      break;
    case "ArrowLeft":
    case "ArrowRight":
    case "ArrowUp":
    case "ArrowDown": {
      // In a tree, a list or a table arrows walk; with the focus on nothing they move the map.
      if (e.target !== document.body || screen.value !== "live") return;
      const [dx, dy] = pans[e.code];
      panBy(dx * panStep, dy * panStep);
      break;
    }
    case "Enter":
    case "NumpadEnter":
      if (!enter(e)) return;
      break;
    case "Equal":
    case "NumpadAdd":
      zoomStage(1.25);
      break;
    case "Minus":
    case "NumpadSubtract":
      zoomStage(0.8);
      break;
    case "Space":
      // Whoever has just clicked a button still means the list, which the key is
      // written beside; who came to a control by keyboard means that control.
      if (!byPointer && e.target instanceof HTMLElement && e.target.matches(spaceOwners)) return;
      taken = true;
      togglePause();
      break;
    default:
      return;
  }
  e.preventDefault();
}
