// Puts the page together: opens the scene inside it, draws it, and listens.
import { setConsoleFunction } from "three";
import { EditBar } from "./editbar";
import { Headset, hasHeadset } from "./headset";
import { Hands } from "./input";
import type { Commands } from "./input";
import { hand, keepsake } from "./keepsake";
import { closeOutside, disable, legend, nextTheme, noTrouble, part, press, say, toggleSheet, trouble } from "./page";
import { bytesFromBase64, openPlace, pictureOf } from "./place";
import type { Room } from "./rig";
import { Greeting, Tilt, canTilt } from "./senses";
import type { Mode, Place } from "./types";
import { Viewer } from "./viewer";

const RESTING_AFTER_MS = 2500;
/** The same condition as in style.css. */
const LOW = "(max-height: 460px) and (min-aspect-ratio: 1)";

/** The window, less the bars; low windows have them at the sides, and in full screen the picture has all of it. */
function room(): Room {
  const [width, height] = [Math.max(innerWidth, 1), Math.max(innerHeight, 1)];
  if (document.fullscreenElement) return { width, height, top: 0, bottom: 0, aside: 0 };
  const [top, bottom, edit] = ["top-bar", "view-bar", "edit-bar"].map((id) => part(id).getBoundingClientRect());
  if (matchMedia(LOW).matches) {
    return { width, height, top: 0, bottom: edit?.height ?? 0, aside: (edit?.height ? top : bottom)?.width ?? 0 };
  }
  if (edit?.height) return { width, height, top: top?.height ?? 0, bottom: edit.height, aside: 0 };
  return { width, height, top: top?.height ?? 0, bottom: bottom?.height ?? 0, aside: 0 };
}

function draw(viewer: Viewer, mode: Mode, wires: boolean): void {
  viewer.show(mode, wires);
  for (const name of ["picture", "depth", "confidence"]) press(name, name === mode);
  press("edit-depth", mode === "depth");
  press("wires", wires);
  legend(mode, viewer.place);
  viewer.canvas.dataset["mode"] = mode;
}

function commandsFor(viewer: Viewer, name: string, edit: () => void): Commands {
  const switchTo = (mode: Mode): void => draw(viewer, viewer.mode === mode ? "picture" : mode, viewer.wires);
  const unless = (id: string, act: () => void): void => (part<HTMLButtonElement>(id).disabled ? say(part(id).title) : act());
  const { place, rig } = viewer;
  return {
    depth: () => switchTo("depth"),
    confidence: () => unless("confidence", () => switchTo("confidence")),
    wires: () => unless("wires", () => draw(viewer, viewer.mode, !viewer.wires)),
    limit: () => {
      if (!place.photographed) return;
      rig.limited = !rig.limited;
      press("limit", rig.limited);
      viewer.canvas.dataset["limited"] = String(rig.limited);
      say(rig.limited ? "Safe view: you stay where the picture is known" : "Free view: what was hidden is a guess");
      viewer.request();
    },
    reset: () => {
      rig.reset();
      viewer.request();
    },
    fullscreen: () => {
      if (!document.fullscreenEnabled) return say("This browser has no full screen");
      const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
      done.catch(() => say("The browser refused full screen"));
    },
    screenshot: () => {
      keepsake(viewer, name).then(
        (blob) => {
          hand(blob, `${name.replace(/\.[a-z0-9]+$/i, "")}-view.png`);
          say("Picture saved");
        },
        (error: Error) => say(error.message),
      );
    },
    help: () => toggleSheet("help-sheet"),
    edit,
  };
}

function connectButtons(viewer: Viewer, commands: Commands, touched: () => void): void {
  const onClick = (id: string, act: () => void): void => {
    part(id).addEventListener("click", () => {
      touched();
      act();
    });
  };
  for (const name of ["depth", "confidence"] as const) onClick(name, () => draw(viewer, name, viewer.wires));
  for (const name of ["wires", "limit", "reset", "fullscreen", "screenshot", "help", "edit"] as const) {
    onClick(name, commands[name]);
  }
  onClick("picture", () => draw(viewer, "picture", viewer.wires));
  if (!document.fullscreenEnabled) part("fullscreen").hidden = true;
  if (!viewer.place.hasConfidence) disable("confidence", "This file says nothing of confidence");
  if (!viewer.place.hasTriangles) disable("wires", "There are no triangles, only points");
  if (!viewer.place.photographed) {
    press("limit", false);
    disable("limit", "This file does not say where it was photographed from");
  }
  if (canTilt()) {
    const tilt = new Tilt(viewer);
    part("tilt").hidden = false;
    onClick("tilt", () => {
      void tilt.toggle().then((state) => {
        press("tilt", state === true);
        if (state === "refused") say("The device does not allow it");
        if (state === "silent") say("This device has no tilt sensor");
      });
    });
  }
}

async function connectHeadset(viewer: Viewer): Promise<void> {
  if (!(await hasHeadset())) return;
  const headset = new Headset(viewer, (inside) => press("vr", inside));
  part("vr").hidden = false;
  part("vr").addEventListener("click", () => {
    headset.toggle().catch(() => say("The headset did not start"));
  });
}

/** The colour of the room: a breath of the picture's own. */
function tintRoom(place: Place): void {
  const image = pictureOf(place)?.image as CanvasImageSource | undefined;
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  if (!image || !pen) return;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  document.documentElement.style.setProperty("--ambient", `rgb(${r} ${g} ${b})`);
}

function watchPage(viewer: Viewer): void {
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

function connectSheets(): void {
  part("about").addEventListener("click", () => toggleSheet("about-sheet"));
  part("theme").addEventListener("click", nextTheme);
  for (const sheet of ["about-sheet", "help-sheet"]) closeOutside(sheet);
}

function hasWebGL(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

async function start(): Promise<void> {
  const canvas = part<HTMLCanvasElement>("view");
  connectSheets();
  if (!hasWebGL()) {
    canvas.dataset["state"] = "failed";
    trouble("Your browser cannot draw this", "It has no WebGL 2, or it is switched off. Another browser, or newer graphics drivers, will show the scene.");
    return;
  }
  const embedded = part("scene");
  const place = await openPlace(bytesFromBase64(embedded.textContent ?? ""));
  embedded.remove();
  const viewer = new Viewer(canvas, place, room);
  const name = document.title;
  const greeting = new Greeting(viewer);
  const touched = (): void => greeting.stop();
  const commands = commandsFor(viewer, name, () => edits.toggle());
  connectButtons(viewer, commands, touched);
  const hands = new Hands(viewer, commands, touched);
  const edits = new EditBar(viewer, hands, name, (mode) => draw(viewer, mode, false));
  watchPage(viewer);
  tintRoom(place);
  canvas.dataset["limited"] = String(viewer.rig.limited);
  canvas.dataset["radius"] = place.safeRadius.toFixed(4);
  draw(viewer, "picture", false);
  viewer.draw();
  canvas.dataset["state"] = "ready";
  await connectHeadset(viewer);
}

// Of what three.js has to say only errors go to the console: the tests hold it empty, so they see a broken shader.
setConsoleFunction((kind: string, message: string, ...more: unknown[]) => {
  if (kind === "error") console.error(message, ...more);
});
start().catch((error: unknown) => {
  part("view").dataset["state"] = "failed";
  trouble("This scene cannot be shown", error instanceof Error ? error.message : String(error));
});
