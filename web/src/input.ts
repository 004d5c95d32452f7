// Hands: pointer, touch, wheel and keys.
import type { Movable } from "./types";

/** What keys do, by what is written on them (letters are small). The buttons call the same. */
export type Keys = Readonly<Record<string, () => void>>;

/** Something that draws on the picture where hands would turn it. Places are CSS pixels of the window. */
export interface Pen {
  /** True from `down` to `up` or `cancel`. */
  readonly drawing: boolean;
  down(x: number, y: number): void;
  move(x: number, y: number): void;
  up(): void;
  /** Take back what was drawn since `down`. */
  cancel(): void;
  /** The pointer is above this place, without drawing; null: it has gone. */
  hover(at: readonly [x: number, y: number] | null): void;
}

const STEP = 48;
/** Pointer positions from the middle (0) to the edge (1) lean the view by this much. */
const HOVER = 0.8;

interface Finger {
  x: number;
  y: number;
}

/** Listens on the canvas and the window. `touched` is told of every deed of the visitor. */
export class Hands {
  private readonly fingers = new Map<number, Finger>();
  private panning = false;
  /** What draws while it is set. */
  pen: Pen | null = null;

  constructor(private readonly viewer: Movable, private readonly keys: Keys, private readonly touched: () => void) {
    const { canvas } = viewer;
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("pointerleave", (event) => this.leave(event));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("dblclick", (event) => this.double(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this.key(event));
  }

  private down(event: PointerEvent): void {
    if (event.button > 2) return;
    this.touched();
    this.viewer.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.panning = event.button !== 0 || event.shiftKey;
    if (this.pen && this.fingers.size === 1 && !this.panning) {
      this.pen.down(event.clientX, event.clientY);
      return;
    }
    this.pen?.cancel();
    this.viewer.rig.held = true;
  }

  private move(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) {
      this.hover(event);
      return;
    }
    if (this.pen?.drawing) {
      for (const each of event.getCoalescedEvents?.() ?? []) this.pen.move(each.clientX, each.clientY);
      this.pen.move(event.clientX, event.clientY);
      return;
    }
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    if (this.fingers.size >= 2) this.pinch(event, finger, dx, dy);
    else if (this.panning) this.viewer.rig.pan(dx, dy);
    else if (!this.pen) this.viewer.rig.orbit(dx, dy);
    finger.x = event.clientX;
    finger.y = event.clientY;
    this.viewer.request();
  }

  /** Two fingers: their middle moves the picture, their distance enlarges it. */
  private pinch(event: PointerEvent, finger: Finger, dx: number, dy: number): void {
    const other = [...this.fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const before = Math.hypot(finger.x - other.x, finger.y - other.y);
    const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
    this.viewer.rig.pan(dx / 2, dy / 2);
    if (before > 4 && after > 4) {
      this.viewer.rig.zoomAt(after / before, (event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
    }
  }

  private up(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    if (this.pen?.drawing) {
      if (event.type === "pointercancel") this.pen.cancel();
      else this.pen.up();
    }
    if (this.fingers.size > 0) return;
    this.viewer.rig.release();
    this.viewer.request();
  }

  private hover(event: PointerEvent): void {
    this.pen?.hover(event.pointerType === "touch" ? null : [event.clientX, event.clientY]);
    if (event.pointerType !== "mouse" || this.viewer.still || !this.viewer.rig.limited) return;
    this.touched();
    const { clientWidth, clientHeight } = this.viewer.canvas;
    this.viewer.rig.leanTo(
      HOVER * ((2 * event.clientX) / clientWidth - 1),
      HOVER * ((2 * event.clientY) / clientHeight - 1),
    );
    this.viewer.request();
  }

  private leave(event: PointerEvent): void {
    this.pen?.hover(null);
    if (event.pointerType !== "mouse" || this.fingers.size > 0) return;
    this.viewer.rig.leanTo(0, 0);
    this.viewer.request();
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    this.touched();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    const turned = (event.deltaY || event.deltaX) * lines;
    if (event.shiftKey) this.viewer.rig.dolly(-turned / 1500);
    else this.viewer.rig.zoomAt(Math.exp(-turned / (event.ctrlKey ? 120 : 500)), event.clientX, event.clientY);
    this.viewer.rig.release();
    this.viewer.request();
  }

  private double(event: MouseEvent): void {
    if (this.pen) return;
    const { rig } = this.viewer;
    rig.zoomAt(rig.zoom > 1.5 ? 1 / rig.zoom : 2, event.clientX, event.clientY);
    this.viewer.request();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    // The space bar presses the button that it is on, and arrows move the slider that they are on.
    if (event.key === " " && event.target instanceof HTMLButtonElement) return;
    const command = this.keys[event.key.toLowerCase()];
    if (command) {
      event.preventDefault();
      this.touched();
      command();
      return;
    }
    if (event.target instanceof HTMLInputElement || !this.go(event)) return;
    event.preventDefault();
    this.touched();
    this.viewer.rig.release();
    this.viewer.request();
  }

  /** Keys that move; true if it was one. */
  private go(event: KeyboardEvent): boolean {
    const { rig, canvas } = this.viewer;
    const arrows: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [STEP, 0],
      ArrowRight: [-STEP, 0],
      ArrowUp: [0, STEP],
      ArrowDown: [0, -STEP],
    };
    const arrow = arrows[event.key];
    const [middleX, middleY] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    if (arrow && event.shiftKey) rig.pan(arrow[0], arrow[1]);
    else if (arrow && this.pen) rig.pan(arrow[0], arrow[1]);
    else if (arrow) rig.orbit(arrow[0], arrow[1]);
    else if (event.key === "+" || event.key === "=") rig.zoomAt(1.25, middleX, middleY);
    else if (event.key === "-" || event.key === "_") rig.zoomAt(1 / 1.25, middleX, middleY);
    else if (this.pen) return false;
    else if (event.key === "PageUp") rig.dolly(0.05);
    else if (event.key === "PageDown") rig.dolly(-0.05);
    else return false;
    return true;
  }
}
