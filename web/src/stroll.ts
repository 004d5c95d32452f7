// Puts the page of a scan or a tour together: opens it, lets the visitor walk, and listens.
import { connectHeadset, connectSheets, hasWebGL, onlyErrors, toggleFullscreen, watchPage } from "./frame";
import { hand, keepsake } from "./keepsake";
import { bytesFromBase64, openFile } from "./place";
import { disable, legend, part, press, say, toggleSheet, trouble } from "./page";
import { StrollDoors } from "./strolldoors";
import { StrollHands } from "./strollhands";
import { StrollMap } from "./strollmap";
import { Ruler, lengthInWords } from "./strollruler";
import { EYE, sitesOf } from "./strollsite";
import type { Stand } from "./strollsite";
import { Stands } from "./strollstands";
import { calledBy, fullyCalled, madeOf } from "./strollwords";
import { StrollView } from "./strollview";
import type { Touched } from "./strollview";
import type { Mode } from "./types";

/** Surfaces steeper than this are not walked on. */
const FLAT = 0.6;
/** The pointer rests for so long, ms, before it is told what is under it. */
const REST = 160;
/** So often, ms, what the middle of the window shows is looked up while one moves. */
const LOOK = 300;

/** What the buttons of these names do; keys call the same. */
type Deeds = Readonly<Record<string, () => void>>;

const KEYS: Readonly<Record<string, string>> = {
  c: "confidence",
  m: "measure",
  v: "views",
  t: "top",
  g: "ghost",
  r: "reset",
  f: "fullscreen",
  p: "screenshot",
  ",": "before",
  ".": "next",
  enter: "through",
  backspace: "clear",
  "?": "help",
};
/** Deeds that only keys do. */
const KEYS_ONLY = ["before", "next", "clear", "through"];

class Page {
  private readonly stands: Stands;
  private readonly ruler: Ruler;
  private readonly map: StrollMap;
  private readonly doors: StrollDoors;
  /** More than one picture has a surface of its own. */
  private readonly several: boolean;
  private looking = 0;

  constructor(private readonly view: StrollView, private readonly name: string) {
    this.stands = new Stands(view);
    this.ruler = new Ruler(view, part<HTMLElement>("ruler") as unknown as SVGSVGElement);
    this.map = new StrollMap(view, part<HTMLCanvasElement>("map"));
    this.doors = new StrollDoors(view, part("doors"));
    this.several = view.sites.length > 1 || view.sites.some((site) => site.layers.length > 1 || site.doors.length > 0);
    view.drawn = () => {
      this.ruler.draw();
      this.map.draw();
      this.doors.draw();
      this.tellSoon();
    };
    view.before = () => {
      this.stands.draw();
      this.doors.settle();
    };
    view.entered = () => {
      this.ruler.clear();
      this.map.unfold();
      this.rule();
    };
    const deeds = this.deeds();
    const keys = Object.fromEntries(Object.entries(KEYS).map(([key, deed]) => [key, deeds[deed] ?? ((): void => undefined)]));
    new StrollHands(view, part("pad"), keys, (x, y) => this.clicked(x, y));
    for (const [id, deed] of Object.entries(deeds)) if (!KEYS_ONLY.includes(id)) part(id).addEventListener("click", deed);
    this.connect();
    this.show("picture");
  }

  private deeds(): Deeds {
    const { view, ruler, stands } = this;
    return {
      picture: () => this.show("picture"),
      confidence: () => this.show(view.mode === "confidence" ? "picture" : "confidence"),
      measure: () => this.measure(!ruler.on),
      views: () => this.openViews(),
      top: () => {
        part("map").hidden = !part("map").hidden;
        press("top", !part("map").hidden);
        view.request();
      },
      ghost: () => {
        view.body.ghost = !view.body.ghost;
        press("ghost", view.body.ghost);
        say(view.body.ghost ? "Walls let you through" : "Walls stop you");
      },
      reset: () => {
        const [first] = view.stands;
        if (first) this.visit(first);
      },
      before: () => stands.next(-1),
      next: () => stands.next(1),
      clear: () => ruler.clear(),
      through: () => this.doors.enter(),
      fullscreen: toggleFullscreen,
      screenshot: () => this.keep(),
      help: () => toggleSheet("help-sheet"),
    };
  }

  private connect(): void {
    const { view } = this;
    if (!document.fullscreenEnabled) part("fullscreen").hidden = true;
    if (!view.site.place.hasConfidence) disable("confidence", "This file says nothing of confidence");
    part("views-close").addEventListener("click", () => this.openViews());
    const eye = part<HTMLInputElement>("eye");
    eye.addEventListener("input", () => {
      view.body.height = Number(eye.value);
      this.tellEye();
      view.request();
    });
    this.rule();
    this.connectHover();
  }

  /** How high the eyes may be where one is. */
  private rule(): void {
    const { body, site } = this.view;
    const eye = part<HTMLInputElement>("eye");
    Object.assign(eye, { min: `${0.2 * EYE * site.size}`, max: `${1.8 * EYE * site.size}`, step: "any" });
    eye.value = `${body.eye}`;
    this.tellEye();
  }

  private tellEye(): void {
    part("eye-told").textContent = `${this.view.body.eye.toFixed(2)} m`;
  }

  /** Where the pointer rests its thing says which picture it comes from, if there are several. */
  private connectHover(): void {
    const { canvas } = this.view;
    const surfaces = new Set(this.view.sites.flatMap((site) => site.solid.map((piece) => sourceOf(piece.object.userData, piece.object.name))));
    let waiting = 0;
    canvas.addEventListener("pointermove", (event) => {
      clearTimeout(waiting);
      part("named").hidden = true;
      if (event.buttons) return;
      waiting = window.setTimeout(() => this.hover(event.clientX, event.clientY, this.several || surfaces.size > 1), REST);
    });
  }

  private hover(x: number, y: number, several: boolean): void {
    const stand = this.stands.under(x, y);
    const touched = several && !stand ? this.view.touch(x, y) : null;
    const name = stand ? fullyCalled(stand) : touched ? this.nameOf(touched) : "";
    const label = part("named");
    label.hidden = name === "";
    label.textContent = name;
    label.style.transform = `translate(${Math.min(x + 14, innerWidth - 220)}px, ${y + 14}px)`;
  }

  /** Which picture the surface comes from that was touched. */
  private nameOf({ object, point }: Touched): string {
    const { site, layers } = this.view;
    const layer = site.layers.find((each) => each.pieces.some((piece) => piece.object === object));
    const role = layer?.pieces.find((piece) => piece.object === object)?.role ?? "surface";
    const near = (stand: Stand): number => stand.camera.position.distanceTo(point);
    const nearest = layer && layer.stands.length > 1 ? layer.stands.reduce((best, each) => (near(each) < near(best) ? each : best)) : layers.shown;
    return (layer && madeOf(layer, role, nearest)) || sourceOf(object.userData, object.name);
  }

  /** Say which picture the middle of the window shows: at once where one rests, now and then while one moves. */
  private tellSoon(): void {
    if (!this.several || this.looking) return;
    this.looking = window.setTimeout(() => {
      this.looking = 0;
      const touched = this.view.touch(innerWidth / 2, innerHeight / 2);
      const { shown } = this.view.layers;
      const caption = part("caption");
      caption.textContent = touched ? this.nameOf(touched) : shown ? fullyCalled(shown) : "";
      caption.hidden = caption.textContent === "";
    }, LOOK);
  }

  private clicked(x: number, y: number): void {
    const { view, ruler } = this;
    if (ruler.on) {
      const touched = view.touch(x, y);
      if (!touched) return say("There is nothing to measure to");
      const length = ruler.take(touched.point);
      say(length === null ? "Now click the other end" : lengthInWords(length, view.site.known));
      return;
    }
    const stand = this.stands.under(x, y);
    if (stand) return this.visit(stand);
    const touched = view.touch(x, y);
    if (touched && touched.flatness > FLAT && touched.point.y < view.camera.position.y) view.goTo(touched.point);
  }

  private visit(stand: Stand): void {
    this.view.visit(stand);
    say(calledBy(stand));
  }

  private measure(on: boolean): void {
    this.ruler.on = on;
    press("measure", on);
    this.view.canvas.classList.toggle("drawn-on", on);
    if (!on) this.ruler.clear();
    const sure = this.view.site.known.assumed ? " Nothing told how large this place is: lengths are assumed." : "";
    say(on ? `Click two points.${sure}` : "Distances are gone");
  }

  private openViews(): void {
    const list = part("views-sheet");
    list.hidden = !list.hidden;
    press("views", !list.hidden);
    if (!list.hidden) void this.stands.list(part("views-list"), (stand) => this.visit(stand));
  }

  private show(mode: Mode): void {
    this.view.show(mode);
    for (const each of ["picture", "confidence"]) press(each, each === mode);
    legend(mode, this.view.site.place);
    this.view.canvas.dataset["mode"] = mode;
  }

  private keep(): void {
    keepsake(this.view, this.name).then(
      (blob) => {
        hand(blob, `${this.name.replace(/\.[a-z0-9]+$/i, "")}-view.png`);
        say("Picture saved");
      },
      (error: Error) => say(error.message),
    );
  }
}

/** The name that a surface was given by its maker. */
function sourceOf(data: unknown, otherwise: string): string {
  const name = (data as Readonly<Record<string, unknown>>)["name"];
  return typeof name === "string" && name ? name : otherwise;
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
  const [site, ...others] = sitesOf(await openFile(bytesFromBase64(embedded.textContent ?? "")));
  if (!site) throw new Error("the file holds no place to stand");
  embedded.remove();
  const view = new StrollView(canvas, [site, ...others]);
  new Page(view, document.title);
  watchPage(view);
  view.draw();
  canvas.dataset["state"] = "ready";
  await connectHeadset(view);
}

onlyErrors();
start().catch((error: unknown) => {
  part("view").dataset["state"] = "failed";
  trouble("This scene cannot be shown", error instanceof Error ? error.message : String(error));
});
