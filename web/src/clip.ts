// Puts the page of a clip together: opens the film inside it, plays it in depth, and listens.
import { ClipViewer } from "./clipviewer";
import { connectHeadset, connectSheets, connectTilt, hasWebGL, onlyErrors, toggleFullscreen, watchPage } from "./frame";
import { Hands } from "./input";
import { hand, keepsake } from "./keepsake";
import { legend, part, press, say, toggleSheet, trouble } from "./page";
import { Reel } from "./reel";
import { Greeting } from "./senses";
import type { Told } from "./told";
import type { Mode } from "./types";

/** What the buttons of these names do; keys call the same. */
type Deeds = Readonly<Record<string, () => void>>;

const KEYS: Readonly<Record<string, string>> = {
  " ": "play",
  m: "sound",
  o: "loop",
  ",": "back",
  ".": "on",
  d: "depth",
  c: "confidence",
  l: "limit",
  r: "reset",
  f: "fullscreen",
  s: "screenshot",
  "?": "help",
};
/** Deeds that only keys do. */
const KEYS_ONLY = ["back", "on"];

function draw(viewer: ClipViewer, mode: Mode): void {
  viewer.show(mode);
  for (const name of ["picture", "depth", "confidence"]) press(name, name === mode);
  legend(mode === "depth" ? mode : "picture", viewer.place);
  if (mode === "confidence") say("Violet stripes: guessed, the film does not show it");
  viewer.canvas.dataset["mode"] = mode;
}

function deedsOf(viewer: ClipViewer, reel: Reel, name: string): Deeds {
  const { film, rig } = viewer;
  const switchTo = (mode: Mode): void => draw(viewer, viewer.mode === mode ? "picture" : mode);
  return {
    play: () => reel.play(),
    sound: () => reel.sound(),
    loop: () => reel.loop(),
    back: () => film.step(-1),
    on: () => film.step(1),
    picture: () => draw(viewer, "picture"),
    depth: () => switchTo("depth"),
    confidence: () => switchTo("confidence"),
    limit: () => {
      rig.limited = !rig.limited;
      press("limit", rig.limited);
      viewer.canvas.dataset["limited"] = String(rig.limited);
      say(rig.limited ? "Safe view: you stay where the film is known" : "Free view: what was hidden is a guess");
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
  };
}

function connect(viewer: ClipViewer, deeds: Deeds): void {
  const greeting = new Greeting(viewer);
  const touched = (): void => greeting.stop();
  for (const [id, deed] of Object.entries(deeds)) {
    if (KEYS_ONLY.includes(id)) continue;
    part(id).addEventListener("click", () => {
      touched();
      deed();
    });
  }
  if (!document.fullscreenEnabled) part("fullscreen").hidden = true;
  connectTilt(viewer, touched);
  const keys = Object.entries(KEYS).map(([key, name]) => [key, deeds[name]] as const);
  new Hands(viewer, Object.fromEntries(keys.filter((pair): pair is [string, () => void] => pair[1] !== undefined)), touched);
}

/** The colour of the room: a breath of the film's own. */
function tintRoom(video: HTMLVideoElement, [width, height]: readonly [number, number]): void {
  const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  if (!pen) return;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(video, 0, 0, width, height, 0, 0, 1, 1);
  const [r, g, b] = pen.getImageData(0, 0, 1, 1).data;
  document.documentElement.style.setProperty("--ambient", `rgb(${r} ${g} ${b})`);
}

async function start(): Promise<void> {
  const canvas = part<HTMLCanvasElement>("view");
  connectSheets();
  if (!hasWebGL()) {
    canvas.dataset["state"] = "failed";
    trouble("Your browser cannot draw this", "It has no WebGL 2, or it is switched off. Another browser, or newer graphics drivers, will show the clip.");
    return;
  }
  const told = JSON.parse(part("told").textContent ?? "") as Told;
  let reel: Reel | null = null;
  const viewer = new ClipViewer(canvas, told, () => {
    reel?.follow();
    if (viewer.mode === "depth") legend("depth", viewer.place);
  });
  await viewer.film.open();
  const { video } = viewer.film;
  const [wide, tall] = told.frame;
  if (video.videoWidth !== wide || video.videoHeight !== tall) {
    throw new Error(`the film is ${video.videoWidth}×${video.videoHeight} pixels, not ${wide}×${tall}`);
  }
  reel = new Reel(viewer.film, told.fps, told.sound);
  connect(viewer, deedsOf(viewer, reel, document.title));
  watchPage(viewer);
  canvas.addEventListener("webglcontextrestored", () => viewer.refresh());
  tintRoom(video, told.colour);
  canvas.dataset["limited"] = String(viewer.rig.limited);
  draw(viewer, "picture");
  viewer.resize();
  viewer.draw();
  canvas.dataset["state"] = "ready";
  if (!viewer.still) reel.play();
  await connectHeadset(viewer, () => reel.play());
}

onlyErrors();
start().catch((error: unknown) => {
  part("view").dataset["state"] = "failed";
  trouble("This clip cannot be shown", error instanceof Error ? error.message : String(error));
});
