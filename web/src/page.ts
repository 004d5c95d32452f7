// The parts of the page: buttons, legend, messages, sheets.
import { CONFIDENCE_STOPS, DEPTH_STOPS, rampGradient } from "./colours";
import type { Mode, Place } from "./types";

/** What the scale beside the picture speaks of. */
type Told = Pick<Place, "depths" | "scaleAssumed" | "hasSky">;

/** The element with this id; the page and this script are built together, so it is there. */
export function part<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page lacks #${id}`);
  return element as T;
}

export function press(id: string, on: boolean): void {
  part(id).setAttribute("aria-pressed", String(on));
}

/** Take a switch out of use and say why. */
export function disable(id: string, why: string): void {
  const button = part<HTMLButtonElement>(id);
  button.disabled = true;
  button.title = why;
}

/** Take a switch out of use for a while and say why, or give it back with the title it had. */
export function allow(id: string, on: boolean, why: string): void {
  const button = part<HTMLButtonElement>(id);
  if (button.disabled === !on) return;
  if (!on) button.dataset["title"] = button.title;
  // What is disabled for good has no title to go back to.
  else if (button.dataset["title"] === undefined) return;
  button.disabled = !on;
  button.title = on ? (button.dataset["title"] ?? "") : why;
  if (on) delete button.dataset["title"];
}

let silence = 0;

/** Tell the visitor something, on the screen and to a screen reader. */
export function say(text: string): void {
  const line = part("said");
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(silence);
  silence = window.setTimeout(() => line.classList.remove("shown"), 2200);
}

/** From this share of what is safe on the rim of the window begins to glow, and below it the warning is due again. */
const GLOW_FROM = 0.75;
let warned = false;

/** Show that the guess begins: a glow at the rim of the window, and once in words. `strain` is 1 where it begins. */
export function warnOfGuess(strain: number, limited: boolean): void {
  part("edge").style.opacity = Math.min(1, Math.max(0, (strain - GLOW_FROM) / (1 - GLOW_FROM))).toFixed(2);
  if (strain < GLOW_FROM) warned = false;
  if (warned || strain < 0.999) return;
  warned = true;
  if (limited) say("Beyond this it is guessed. L lets you go on.");
}

/** Say that there is no picture, and why. */
export function trouble(title: string, text: string): void {
  const box = part("trouble");
  const [heading, line] = [box.querySelector("h2"), box.querySelector("p")];
  if (heading) heading.textContent = title;
  if (line) line.textContent = text;
  box.hidden = false;
}

export function noTrouble(): void {
  part("trouble").hidden = true;
}

/** Metres with two meaningful digits. */
export function metres(length: number): string {
  const digits = length >= 10 ? 0 : length >= 1 ? 1 : 2;
  return `${length.toFixed(digits)} m`;
}

/** The scale beside the picture: what the colours of depth and confidence mean. */
export function legend(mode: Mode, place: Told): void {
  part("legend").hidden = mode === "picture";
  if (mode === "picture") return;
  const depth = mode === "depth";
  const { near, far } = place.depths;
  const middle = 2 / (1 / near + 1 / far);
  part("legend-title").textContent = depth ? "Depth" : "Confidence";
  part("legend-scale").style.background = rampGradient(depth ? [...DEPTH_STOPS].reverse() : CONFIDENCE_STOPS);
  const ticks = depth ? [metres(near), metres(middle), metres(far)] : ["guessed", "", "sure"];
  part("legend-ticks").replaceChildren(
    ...ticks.map((text) => Object.assign(document.createElement("span"), { textContent: text })),
  );
  const notes = [];
  if (depth && place.scaleAssumed) notes.push("The scale is assumed.");
  if (!depth) notes.push("Violet stripes: invented, no camera saw it.");
  if (place.hasSky) notes.push("Dark stripes: sky.");
  part("legend-note").textContent = notes.join(" ");
}

/** Open a sheet; a second call closes it. */
export function toggleSheet(id: string): void {
  const sheet = part<HTMLDialogElement>(id);
  if (sheet.open) sheet.close();
  else sheet.showModal();
}

/** A click beside a sheet closes it. */
export function closeOutside(id: string): void {
  const sheet = part<HTMLDialogElement>(id);
  sheet.addEventListener("click", (event) => {
    if (event.target !== sheet) return;
    const box = sheet.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) sheet.close();
  });
}

/** Light, dark, or as the device has it. */
export function nextTheme(): void {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const order = dark ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  const next = order[(order.indexOf(root.dataset["theme"] ?? "auto") + 1) % 3] ?? "auto";
  root.dataset["theme"] = next;
  say({ auto: "Light or dark as your device has it", light: "Light", dark: "Dark" }[next] ?? next);
}
