// Draws a place when something has changed, and only then.
import { AmbientLight, Group, Scene, SRGBColorSpace, WebGLRenderer } from "three";
import { Around } from "./around";
import { Backing } from "./backing";
import { Appearance } from "./materials";
import { warnOfGuess } from "./page";
import { Rig } from "./rig";
import type { Room } from "./rig";
import type { Sheet } from "./sheet";
import type { Mode, Place } from "./types";

/** Fits the canvas, keeps the look and the rig together, and draws. */
export class Viewer {
  readonly renderer: WebGLRenderer;
  readonly rig: Rig;
  mode: Mode = "picture";
  wires = false;
  /** All that is drawn, so that a headset can move it. */
  readonly world = new Group();
  private sheet: Sheet | null = null;
  private readonly scene = new Scene();
  private readonly appearance: Appearance;
  private readonly backing: Backing;
  private readonly motion = matchMedia("(prefers-reduced-motion: reduce)");
  private waiting = false;
  private last = 0;

  constructor(readonly canvas: HTMLCanvasElement, readonly place: Place, private readonly room: () => Room) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "high-performance" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.setClearColor(0x000000, 0);
    this.appearance = new Appearance(place, Math.min(8, this.renderer.capabilities.getMaxAnisotropy()));
    this.rig = place.camera.around ? new Around(place, room()) : new Rig(place, room());
    this.backing = new Backing(place);
    this.world.add(place.root);
    if (this.backing.mesh) this.world.add(this.backing.mesh);
    // Our own files are unlit; the light is for files of others.
    this.scene.add(this.world, new AmbientLight(0xffffff, Math.PI));
    this.resize();
  }

  /** True if the visitor asked for little motion. */
  get still(): boolean {
    return this.motion.matches;
  }

  resize(): void {
    if (this.renderer.xr.isPresenting) return;
    const room = this.room();
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(room.width, room.height, false);
    this.rig.resize(room);
    this.request();
  }

  show(mode: Mode, wires: boolean): void {
    this.mode = mode;
    this.wires = wires;
    this.appearance.show(mode, wires);
    this.request();
  }

  /** Draw a sheet that is being edited instead of the scene; null draws the scene. */
  replaceBy(sheet: Sheet | null): void {
    if (this.sheet) this.world.remove(this.sheet.mesh);
    if (sheet) this.world.add(sheet.mesh);
    this.sheet = sheet;
    this.place.root.visible = sheet === null;
    this.request();
  }

  /** Draw soon. */
  request(): void {
    if (this.waiting || this.renderer.xr.isPresenting) return;
    this.waiting = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  /** Draw now. */
  draw(): void {
    const { camera } = this.place;
    const apart = Math.sqrt((camera.width * camera.height) / Math.max(1, this.points()));
    this.appearance.sizePoints(Math.max(1.5, 1.5 * apart * this.rig.scale * this.renderer.getPixelRatio()));
    this.backing.show(this.mode, this.rig.limited);
    this.sheet?.show(this.mode, this.rig.pivotScale * this.renderer.getPixelRatio());
    this.world.updateMatrixWorld();
    this.appearance.moved(this.world.matrixWorld);
    this.renderer.render(this.scene, this.rig.camera);
    this.canvas.dataset["offset"] = this.rig.offset.toFixed(4);
    warnOfGuess(this.place.photographed && !this.renderer.xr.isPresenting ? this.rig.strain : 0, this.rig.limited);
    this.canvas.dataset["zoom"] = this.rig.zoom.toFixed(3);
  }

  private frame(now: number): void {
    this.waiting = false;
    const seconds = this.last === 0 ? 1 / 60 : Math.min((now - this.last) / 1000, 0.25);
    this.last = now;
    const moving = this.rig.advance(seconds, this.still);
    this.draw();
    this.canvas.dataset["moving"] = String(moving);
    if (moving) this.request();
    else this.last = 0;
  }

  private points(): number {
    let count = 0;
    for (const { object } of this.place.pieces) {
      if ("isPoints" in object) count += object.geometry.getAttribute("position").count;
    }
    return count;
  }
}
