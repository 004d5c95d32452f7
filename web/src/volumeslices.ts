// Three slices beside the model: what one does in them, and that they speak of the same place.
import { Vector3 } from "three";
import { part } from "./page";
import { windowsOf } from "./volumelooks";
import { KINDS, Slice, wordsOf } from "./volumeslice";
import type { Shared } from "./volumeslice";
import { Outlines } from "./volumeoutline";
import type { Model } from "./volumemodel";
import type { Scan } from "./volumescan";

/** A pointer that moved less than this, CSS pixels, has clicked. */
const CLICK = 4;

interface Grip {
  x: number;
  y: number;
  moved: number;
  readonly does: "point" | "grey" | "pan" | "measure";
}

export class Slices {
  readonly tiles: readonly Slice[];
  readonly shared: Shared;
  /** Told when the place or the greys changed. */
  changed: () => void = () => undefined;
  /** Takes a point where one measures; false where one does not. */
  measured: (place: Vector3) => boolean = () => false;
  measuring: () => boolean = () => false;
  private drawing = false;
  private readonly grips = new Map<number, Grip>();

  constructor(readonly scan: Scan, model: Model) {
    const cross = scan.corners.reduce((sum, corner) => sum.addScaledVector(corner, 1 / 8), new Vector3());
    const first = windowsOf(scan)[0];
    const outlines = model.tissues.filter(({ surface }) => surface).map((tissue) => new Outlines(tissue));
    this.shared = { scan, cross, outlines, low: first?.low ?? scan.least, high: first?.high ?? scan.most, version: 0, lengths: () => [] };
    const parent = part("slices");
    this.tiles = KINDS.map((kind) => new Slice(kind, this.shared, parent));
    for (const tile of this.tiles) {
      tile.goTo(tile.number);
      this.connect(tile);
    }
    this.connectWindow();
    new ResizeObserver(() => this.request()).observe(parent);
  }

  /** Show the slices through a place, the nearest there are. */
  goTo(place: Vector3): void {
    this.shared.cross.copy(place);
    for (const tile of this.tiles) tile.goTo(tile.number);
    this.touched();
  }

  setWindow(low: number, high: number): void {
    Object.assign(this.shared, { low, high: Math.max(high, low + 1e-6) });
    this.touched();
  }

  /** Draw soon. */
  request(): void {
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      if (part("slices").hidden) return;
      for (const tile of this.tiles) tile.draw();
      const { low, high } = this.shared;
      part("window-told").textContent = `${wordsOf(Math.round(low))} to ${wordsOf(Math.round(high))}`;
    });
  }

  private touched(): void {
    this.request();
    this.changed();
  }

  private connectWindow(): void {
    const select = part<HTMLSelectElement>("window");
    const windows = windowsOf(this.scan);
    select.append(...windows.map(({ name }) => new Option(name, name)), new Option("By hand", ""));
    select.addEventListener("change", () => {
      const chosen = windows.find(({ name }) => name === select.value);
      if (chosen) this.setWindow(chosen.low, chosen.high);
    });
  }

  private connect(tile: Slice): void {
    const element = tile.tile;
    const inside = (event: PointerEvent | WheelEvent): readonly [number, number] => {
      const box = element.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    element.addEventListener("contextmenu", (event) => event.preventDefault());
    element.addEventListener("pointerdown", (event) => this.down(event, tile, inside(event)));
    element.addEventListener("pointermove", (event) => this.move(event, tile, inside(event)));
    for (const name of ["pointerup", "pointercancel"] as const) {
      element.addEventListener(name, (event) => this.up(event, tile, inside(event)));
    }
    element.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = inside(event);
      if (event.ctrlKey || event.metaKey) tile.zoomBy(Math.exp(-event.deltaY / 300), x, y);
      else tile.goTo(tile.number - Math.sign(event.deltaY));
      tile.tell(x, y);
      this.touched();
    }, { passive: false });
    element.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!step || event.target instanceof HTMLInputElement) return;
      event.preventDefault();
      tile.goTo(tile.number + step);
      this.touched();
    });
    tile.slider.addEventListener("input", () => this.touched());
    tile.big.addEventListener("click", () => {
      const large = element.classList.contains("large");
      for (const each of this.tiles) each.tile.classList.remove("large");
      element.classList.toggle("large", !large);
      this.request();
    });
  }

  private down(event: PointerEvent, tile: Slice, [x, y]: readonly [number, number]): void {
    if (event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement) return;
    tile.tile.setPointerCapture(event.pointerId);
    const does = event.button === 2 || event.shiftKey ? "grey" : event.button === 1 ? "pan" : this.measuring() ? "measure" : "point";
    this.grips.set(event.pointerId, { x, y, moved: 0, does });
    if (does === "point" && this.grips.size === 1) this.goTo(tile.placeOf(x, y));
  }

  private move(event: PointerEvent, tile: Slice, [x, y]: readonly [number, number]): void {
    tile.tell(x, y);
    const grip = this.grips.get(event.pointerId);
    if (!grip) return;
    const [dx, dy] = [x - grip.x, y - grip.y];
    const other = [...this.grips].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [before, after] = [Math.hypot(grip.x - other.x, grip.y - other.y), Math.hypot(x - other.x, y - other.y)];
      if (before > 4 && after > 4) tile.zoomBy(after / before, (x + other.x) / 2, (y + other.y) / 2);
      tile.panBy(dx / 2, dy / 2);
      this.touched();
    } else if (grip.does === "grey") this.grade(dx, dy);
    else if (grip.does === "pan") {
      tile.panBy(dx, dy);
      this.touched();
    } else if (grip.does === "point") this.goTo(tile.placeOf(x, y));
    Object.assign(grip, { x, y, moved: grip.moved + Math.hypot(dx, dy) });
  }

  private up(event: PointerEvent, tile: Slice, [x, y]: readonly [number, number]): void {
    const grip = this.grips.get(event.pointerId);
    this.grips.delete(event.pointerId);
    if (grip?.does === "measure" && grip.moved < CLICK && event.type === "pointerup") this.measured(tile.placeOf(x, y));
  }

  /** To the right: more contrast is taken away; downwards: brighter. */
  private grade(dx: number, dy: number): void {
    const { low, high } = this.shared;
    const [level, width] = [(low + high) / 2, high - low];
    const grown = Math.max(width * Math.exp(dx / 160), (this.scan.most - this.scan.least) / 5000);
    const moved = level - (dy * width) / 220;
    part<HTMLSelectElement>("window").value = "";
    this.setWindow(moved - grown / 2, moved + grown / 2);
  }
}
