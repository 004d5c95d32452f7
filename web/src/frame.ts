// What every page of ours does with its window: room for the picture, bars that rest, full screen, tilt and headset.
import { setConsoleFunction } from "three";
import { Headset, hasHeadset } from "./headset";
import { closeOutside, nextTheme, noTrouble, part, press, say, toggleSheet, trouble } from "./page";
import type { Room } from "./rig";
import { Tilt, canTilt } from "./senses";
import type { Enterable, Movable } from "./types";

const RESTING_AFTER_MS = 2500;
/** The same condition as in style.css. */
const LOW = "(max-height: 460px) and (min-aspect-ratio: 1)";

/** The height at the bottom of the window that one of these bars takes; not all pages have all bars. */
function taken(...bars: readonly string[]): number {
  const boxes = bars.map((id) => document.getElementById(id)?.getBoundingClientRect());
  return Math.max(...boxes.map((box) => (box?.height ? innerHeight - box.top : 0)));
}

/** The window, less the bars; low windows have them at the sides, and in full screen the picture has all of it. */
export function room(): Room {
  const [width, height] = [Math.max(innerWidth, 1), Math.max(innerHeight, 1)];
  if (document.fullscreenElement) return { width, height, top: 0, bottom: 0, aside: 0 };
  const [top, view] = [part("top-bar").getBoundingClientRect(), part("view-bar").getBoundingClientRect()];
  if (matchMedia(LOW).matches) {
    return { width, height, top: 0, bottom: taken("edit-bar", "play-bar"), aside: view.height ? view.width : top.width };
  }
  return { width, height, top: top.height, bottom: taken("view-bar", "edit-bar", "play-bar"), aside: 0 };
}

/** Full screen on or off. */
export function toggleFullscreen(): void {
  if (!document.fullscreenEnabled) return say("This browser has no full screen");
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  done.catch(() => say("The browser refused full screen"));
}

/** Give the button for tilting to devices that can be tilted. */
export function connectTilt(viewer: Movable, touched: () => void): void {
  if (!canTilt()) return;
  const tilt = new Tilt(viewer);
  part("tilt").hidden = false;
  part("tilt").addEventListener("click", () => {
    touched();
    void tilt.toggle().then((state) => {
      press("tilt", state === true);
      if (state === "refused") say("The device does not allow it");
      if (state === "silent") say("This device has no tilt sensor");
    });
  });
}

/** Give the button for VR to browsers with a headset. */
export async function connectHeadset(viewer: Enterable, selected?: () => void): Promise<void> {
  if (!(await hasHeadset())) return;
  const headset = new Headset(viewer, (inside) => press("vr", inside), selected);
  part("vr").hidden = false;
  part("vr").addEventListener("click", () => {
    headset.toggle().catch(() => say("The headset did not start"));
  });
}

export function watchPage(viewer: Pick<Enterable, "canvas" | "resize">): void {
  let quiet = 0;
  const stir = (): void => {
    for (const bar of document.querySelectorAll(".bar")) bar.classList.remove("resting");
    clearTimeout(quiet);
    quiet = window.setTimeout(() => {
      for (const bar of document.querySelectorAll(".bar")) bar.classList.add("resting");
    }, RESTING_AFTER_MS);
  };
  for (const name of ["pointermove", "pointerdown", "keydown"]) addEventListener(name, stir);
  addEventListener("resize", () => viewer.resize());
  document.addEventListener("fullscreenchange", () => {
    press("fullscreen", document.fullscreenElement !== null);
    stir();
    viewer.resize();
  });
  viewer.canvas.addEventListener("webglcontextlost", (event) => {
    event.preventDefault();
    viewer.canvas.dataset["state"] = "lost";
    trouble("The picture went away", "The graphics card took it back. It returns by itself, or when you load the page again.");
  });
  viewer.canvas.addEventListener("webglcontextrestored", () => {
    viewer.canvas.dataset["state"] = "ready";
    noTrouble();
    viewer.resize();
  });
}

export function connectSheets(): void {
  part("about").addEventListener("click", () => toggleSheet("about-sheet"));
  part("theme").addEventListener("click", nextTheme);
  for (const sheet of ["about-sheet", "help-sheet"]) closeOutside(sheet);
}

export function hasWebGL(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** Of what three.js has to say only errors go to the console: the tests hold it empty, so they see a broken shader. */
export function onlyErrors(): void {
  setConsoleFunction((kind: string, message: string, ...more: unknown[]) => {
    if (kind === "error") console.error(message, ...more);
  });
}
