// Draws a clip: when another frame is there, when the visitor moves, and not otherwise.
import { Group, Scene as Drawn, SRGBColorSpace, WebGLRenderer } from "three";
import { Film } from "./film";
import { room } from "./frame";
import { warnOfGuess } from "./page";
import { Relief } from "./relief";
import { Rig } from "./rig";
import { sceneAt, scenesOf } from "./told";
import type { Scene, Told } from "./told";
import type { Enterable, Mode } from "./types";
import { Unpacker } from "./unpack";

/** Keeps film, relief and rig together. */
export class ClipViewer implements Enterable {
  readonly renderer: WebGLRenderer;
  readonly film: Film;
  readonly rig: Rig;
  readonly world = new Group();
  mode: Mode = "picture";
  /** The shot that is shown. */
  place: Scene;
  private readonly scenes: readonly Scene[];
  private readonly scene = new Drawn();
  private readonly unpacker: Unpacker;
  private readonly relief: Relief;
  private readonly motion = matchMedia("(prefers-reduced-motion: reduce)");
  private fresh = false;
  private waiting = false;
  private last = 0;

  /** @param changed is called when another frame or another shot is shown */
  constructor(readonly canvas: HTMLCanvasElement, told: Told, private readonly changed: () => void) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "high-performance" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.setClearColor(0x000000, 0);
    this.scenes = scenesOf(told);
    this.place = sceneAt(this.scenes, 0);
    this.film = new Film(told.fps, told.seconds, () => {
      this.fresh = true;
      this.request();
    });
    this.unpacker = new Unpacker(told, this.film.frames);
    const { depths, hidden, cells } = this.unpacker;
    this.relief = new Relief(told, this.place, { film: this.film.frames, depths, hidden, cells });
    this.world.add(...this.relief.sheets);
    this.scene.add(this.world);
    this.rig = new Rig(this.place, room());
  }

  /** True if the visitor asked for little motion. */
  get still(): boolean {
    return this.motion.matches;
  }

  resize(): void {
    if (this.renderer.xr.isPresenting) return;
    const now = room();
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(now.width, now.height, false);
    this.rig.resize(now);
    this.request();
  }

  show(mode: Mode): void {
    this.mode = mode;
    this.relief.show(mode);
    this.request();
  }

  /** Draw soon. */
  request(): void {
    if (this.waiting || this.renderer.xr.isPresenting) return;
    this.waiting = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  /** Everything of the film is unpacked anew, as after the graphics card was away. */
  refresh(): void {
    this.film.frames.needsUpdate = true;
    this.fresh = true;
    this.request();
  }

  /** Draw now. */
  draw(): void {
    const { canvas, film, rig } = this;
    const presenting = this.renderer.xr.isPresenting;
    if (film.refresh(presenting)) this.fresh = true;
    if (this.fresh) this.unpacker.run(this.renderer);
    const place = sceneAt(this.scenes, film.time);
    if (place !== this.place) {
      this.place = place;
      this.relief.enter(place);
      rig.enter(place);
    }
    this.world.updateMatrixWorld();
    this.renderer.render(this.scene, rig.camera);
    canvas.dataset["offset"] = rig.offset.toFixed(4);
    canvas.dataset["radius"] = place.safeRadius.toFixed(4);
    canvas.dataset["zoom"] = rig.zoom.toFixed(3);
    canvas.dataset["time"] = film.time.toFixed(4);
    warnOfGuess(presenting ? 0 : rig.strain, rig.limited);
    if (this.fresh) this.changed();
    this.fresh = false;
  }

  private frame(now: number): void {
    this.waiting = false;
    const seconds = this.last === 0 ? 1 / 60 : Math.min((now - this.last) / 1000, 0.25);
    this.last = now;
    const moving = this.rig.advance(seconds, this.still);
    this.draw();
    this.canvas.dataset["moving"] = String(moving);
    if (moving) this.request();
    else if (!this.film.playing) this.last = 0;
  }
}
