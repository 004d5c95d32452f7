// Puts the page of a model together: its parts, the scan it was made of, slices, the cut, lengths, labels.
import { Vector2 } from "three";
import { connectSheets, hasWebGL, onlyErrors, toggleFullscreen, watchPage } from "./frame";
import { hand, keepsake } from "./keepsake";
import { part, press, say, toggleSheet, trouble } from "./page";
import { bytesFromBase64, openFile } from "./place";
import { Apart } from "./volumeapart";
import { Cube } from "./volumecube";
import { Cut } from "./volumecut";
import { ModelHands } from "./volumehands";
import { CutHandle } from "./volumehandle";
import { modelOf } from "./volumemodel";
import type { Model, Tissue } from "./volumemodel";
import { waysOf } from "./volumeorbit";
import { Panel } from "./volumepanel";
import { Picker } from "./volumepick";
import { Pins } from "./volumepins";
import { Rays } from "./volumerays";
import { Ruler } from "./volumeruler";
import { Scan, codesOf, noteOf } from "./volumescan";
import { Slices } from "./volumeslices";
import { ModelView } from "./volumeview";

/** What the buttons of these names do; keys call the same. */
type Deeds = Readonly<Record<string, () => void>>;
const KEYS: Readonly<Record<string, string>> = {
  h: "shelf", v: "rays", s: "slices-on", c: "cut", m: "measure", l: "labels", r: "reset", f: "fullscreen", p: "screenshot", "?": "help",
};
/** Narrower windows begin with the shelf and the slices put away. */
const NARROW = "(max-width: 900px)";

class Page {
  private readonly picker: Picker;
  private readonly ruler: Ruler;
  private readonly panel: Panel;
  private readonly pins: Pins;
  private readonly cut: Cut;
  private readonly cutTold: () => void;
  private readonly window = new Vector2();
  /** Parts that were put away while the scan is looked through. */
  private away: readonly Tissue[] = [];

  constructor(private readonly view: ModelView, private readonly slices: Slices | null, private readonly name: string) {
    const { model } = view;
    const marks = part<HTMLElement>("marks") as unknown as SVGSVGElement;
    this.picker = new Picker(view);
    this.panel = new Panel(view);
    this.pins = new Pins(view, marks);
    this.ruler = new Ruler(view, marks);
    new Cube(view);
    const { rays } = view;
    this.cut = new Cut(model, rays && { texture: rays.texture, texFromWorld: rays.scan.texFromWorld, window: this.window });
    view.cut = this.cut;
    this.cutTold = this.panel.connectCut(this.cut, (on) => this.setCut(on));
    new CutHandle(view, this.cut, marks, this.cutTold);
    this.panel.connectApart(new Apart(model));
    if (rays) this.panel.connectRays(rays);
    this.connectSlices();
    const deeds = this.deeds();
    const nothing = (): void => undefined;
    const keys = Object.fromEntries(Object.entries(KEYS).map(([key, deed]) => [key, deeds[deed] ?? nothing]));
    const ways = Object.fromEntries(waysOf(model.patient).map((_, at) => [`${at + 1}`, () => this.look(at)]));
    new ModelHands(view, { ...keys, ...ways, backspace: () => this.ruler.remove(), delete: () => this.ruler.remove() }, (x, y) => this.clicked(x, y));
    for (const [id, deed] of Object.entries(deeds)) part(id).addEventListener("click", deed);
    this.connectWays();
    this.settle();
  }

  private deeds(): Deeds {
    const { view, ruler, pins, cut } = this;
    return {
      shelf: () => this.fold(!part("panel").hidden),
      rays: () => this.setRays(!view.rays?.on),
      "slices-on": () => this.openSlices(part("slices").hidden),
      cut: () => this.setCut(!cut.on),
      measure: () => {
        ruler.on = !ruler.on;
        press("measure", ruler.on);
        document.documentElement.classList.toggle("measuring", ruler.on);
        say(ruler.on ? "Click two points, on the model or in slices" : "Measured lengths stay; Backspace removes the last");
      },
      labels: () => {
        pins.on = !pins.on;
        press("labels", pins.on);
        view.request();
      },
      reset: () => this.look(0, true),
      fullscreen: toggleFullscreen,
      screenshot: () => this.keep(),
      help: () => toggleSheet("help-sheet"),
    };
  }

  /** What there is in this page, and what is put away at first. */
  private settle(): void {
    const { view, slices } = this;
    const { model, rays } = view;
    if (!document.fullscreenEnabled) part("fullscreen").hidden = true;
    part("help-patient").hidden = !model.patient;
    part("labels").hidden = model.pins.length === 0;
    part("rays").hidden = part("rays-box").hidden = rays === null;
    part("slices-on").hidden = slices === null;
    part("cut-grey-line").hidden = rays === null;
    part("apart-box").hidden = model.tissues.length < 2;
    const narrow = matchMedia(NARROW).matches;
    this.fold(narrow);
    if (slices) this.openSlices(!narrow);
    this.cutTold();
  }

  private connectWays(): void {
    waysOf(this.view.model.patient).forEach((way, at) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: way.letter, title: `${way.name} (${at + 1})` });
      button.setAttribute("aria-label", way.name);
      button.setAttribute("aria-keyshortcuts", `${at + 1}`);
      button.addEventListener("click", () => this.look(at));
      part("ways").append(button);
    });
  }

  private connectSlices(): void {
    const { slices, view, ruler, panel } = this;
    if (!slices) return;
    const { shared } = slices;
    panel.changed = () => {
      shared.version++;
      slices.request();
    };
    shared.lengths = () => ruler.ends();
    ruler.changed = () => slices.request();
    slices.measuring = () => ruler.on;
    slices.measured = (place) => {
      this.tellLength(ruler.take(place, null));
      return true;
    };
    const marks = part("marks");
    const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    dot.setAttribute("class", "here");
    dot.setAttribute("r", "5");
    marks.append(dot);
    view.drawn.push(() => {
      const seen = part("slices").hidden ? null : view.project(shared.cross);
      dot.setAttribute("visibility", seen ? "inherit" : "hidden");
      if (seen) for (const [at, name] of (["cx", "cy"] as const).entries()) dot.setAttribute(name, (seen[at] as number).toFixed(1));
    });
    slices.changed = () => {
      this.grade();
      if (this.cut.on && this.cut.grey) view.request();
      else view.mark();
    };
    this.grade();
  }

  /** The greys of the cut are those of the slices. */
  private grade(): void {
    const { slices } = this;
    if (!slices) return;
    const { scan, low, high } = slices.shared;
    this.window.set(scan.codeOf(low) / scan.topCode, scan.codeOf(high) / scan.topCode);
  }

  private look(at: number, whole = false): void {
    const way = waysOf(this.view.model.patient)[at];
    if (!way) return;
    this.view.orbit.go(way, whole);
    this.view.request();
    say(way.name);
  }

  private clicked(x: number, y: number): void {
    const { ruler, slices } = this;
    if (!ruler.on && !slices) return;
    const picked = this.picker.at(x, y);
    if (ruler.on) {
      if (!picked) return say("There is nothing to measure to");
      this.tellLength(ruler.take(picked.rest, picked.tissue));
    } else if (picked) slices?.goTo(picked.rest);
  }

  private tellLength(words: string | null): void {
    if (words) part<HTMLDetailsElement>("lengths-box").open = true;
    say(words ?? "Now click the other end");
  }

  private setRays(on: boolean): void {
    const { rays } = this.view;
    if (!rays) return;
    rays.on = on;
    press("rays", on);
    // Surfaces would hide what the scan shows; one can have them back, one by one.
    if (on) this.away = this.panel.putAway();
    else this.panel.bringBack(this.away);
    if (on) part<HTMLDetailsElement>("rays-box").open = true;
    this.view.request();
  }

  private setCut(on: boolean): void {
    this.cut.on = on;
    if (on) part<HTMLDetailsElement>("cut-box").open = true;
    this.cutTold();
  }

  private openSlices(open: boolean): void {
    part("slices").hidden = !open;
    press("slices-on", open);
    document.documentElement.classList.toggle("with-slices", open);
    this.view.resize();
    this.slices?.request();
  }

  private fold(folded: boolean): void {
    part("panel").hidden = folded;
    press("shelf", !folded);
    document.documentElement.classList.toggle("with-panel", !folded);
    this.view.resize();
  }

  private keep(): void {
    const { view } = this;
    const note = part("note").textContent;
    const shown = { canvas: view.canvas, mode: "picture" as const, place: { photographed: false, scaleAssumed: false }, draw: () => view.draw() };
    keepsake(shown, note ? `${this.name} · ${note.toLowerCase()}` : this.name).then(
      (blob) => {
        hand(blob, `${this.name.replace(/\.[a-z0-9]+$/i, "")}-view.png`);
        say("Picture saved");
      },
      (error: Error) => say(error.message),
    );
  }
}

/** The scan inside the page; null where there is none. */
async function scanOf(model: Model): Promise<Scan | null> {
  const [note, codes] = [document.getElementById("scan-note"), document.getElementById("scan-codes")];
  if (!note || !codes || !model.patient) return null;
  if (typeof DecompressionStream === "undefined") {
    say("This browser is too old to unpack the scan; its surfaces are here");
    return null;
  }
  const told = noteOf(note.textContent ?? "");
  const packed = bytesFromBase64(codes.textContent ?? "");
  codes.remove();
  return new Scan(told, await codesOf(packed, told.shape));
}

async function start(): Promise<void> {
  const canvas = part<HTMLCanvasElement>("view");
  connectSheets();
  if (!hasWebGL()) {
    canvas.dataset["state"] = "failed";
    trouble("Your browser cannot draw this", "It has no WebGL 2, or it is switched off. Another browser, or newer graphics drivers, will show the model.");
    return;
  }
  const embedded = part("scene");
  const model = modelOf(await openFile(bytesFromBase64(embedded.textContent ?? "")));
  embedded.remove();
  const scan = await scanOf(model);
  const view = new ModelView(canvas, model);
  const largest = view.renderer.getContext().getParameter(WebGL2RenderingContext.MAX_3D_TEXTURE_SIZE) as number;
  if (scan && Math.max(...scan.size) <= largest) view.rays = new Rays(scan);
  new Page(view, scan && new Slices(scan, model), document.title);
  watchPage(view);
  view.draw();
  canvas.dataset["state"] = "ready";
}

onlyErrors();
start().catch((error: unknown) => {
  part("view").dataset["state"] = "failed";
  trouble("This model cannot be shown", error instanceof Error ? error.message : String(error));
});
