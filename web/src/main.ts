// Puts the page together: opens the scene inside it, draws it, and listens.
import { EditBar } from "./editbar";
import { connectHeadset, connectSheets, connectTilt, hasWebGL, onlyErrors, room, toggleFullscreen, watchPage } from "./frame";
import { Hands } from "./input";
import type { Keys } from "./input";
import { hand, keepsake } from "./keepsake";
import { disable, legend, part, press, say, toggleSheet, trouble } from "./page";
import { bytesFromBase64, openPlace, pictureOf } from "./place";
import { Greeting } from "./senses";
import type { Mode, Place } from "./types";
import { Viewer } from "./viewer";

/** What the buttons do. */
type Commands = Readonly<
  Record<"depth" | "confidence" | "wires" | "limit" | "reset" | "fullscreen" | "screenshot" | "help" | "edit", () => void>
>;

function keysOf(commands: Commands): Keys {
  const { depth, confidence, wires, limit, reset, fullscreen, screenshot, help, edit } = commands;
  return { d: depth, c: confidence, w: wires, l: limit, r: reset, f: fullscreen, s: screenshot, "?": help, e: edit };
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
    fullscreen: toggleFullscreen,
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
  connectTilt(viewer, touched);
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
  const hands = new Hands(viewer, keysOf(commands), touched);
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

onlyErrors();
start().catch((error: unknown) => {
  part("view").dataset["state"] = "failed";
  trouble("This scene cannot be shown", error instanceof Error ? error.message : String(error));
});
