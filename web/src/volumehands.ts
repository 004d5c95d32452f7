// Hands on a model: a pointer, two fingers, keys.
import type { ModelView } from "./volumeview";

/** A pointer that moved less than this, CSS pixels, has clicked. */
const CLICK = 5;
/** Radians that a drag across the window's shorter side turns. */
const SWEEP = 3.6;
/** Radians, and shares of the enlargement, a second that keys move. */
const TURNING = 1.7;
const ZOOMING = 1.2;
const TURNS: Readonly<Record<string, readonly [right: number, up: number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const ZOOMS: Readonly<Record<string, number>> = { "+": 1, "=": 1, "-": -1 };
/** A key that is only tapped moves as one held for so many seconds. */
const TAP = 0.07;

/** What is done by a key, by what is written on it. */
export type Keys = Readonly<Record<string, () => void>>;

interface Finger {
  x: number;
  y: number;
  moved: number;
  readonly pans: boolean;
}

export class ModelHands {
  /** What is written on keys that are held, by their place on the keyboard. */
  private readonly held = new Map<string, string>();
  private readonly fingers = new Map<number, Finger>();
  private shift = false;

  /**
   * @param keys what other keys do
   * @param clicked told where the canvas was clicked, CSS pixels of it
   */
  constructor(private readonly view: ModelView, private readonly keys: Keys, private readonly clicked: (x: number, y: number) => void) {
    const { canvas } = view;
    view.stir = (seconds) => this.stir(seconds);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this.press(event));
    addEventListener("keyup", (event) => {
      this.held.delete(event.code);
      this.shift = event.shiftKey;
    });
    addEventListener("blur", () => this.held.clear());
  }

  private stir(seconds: number): boolean {
    for (const key of this.held.values()) this.steer(key, seconds);
    return this.held.size > 0;
  }

  private steer(key: string, seconds: number): void {
    const { orbit, height } = this.view;
    const [right, up] = TURNS[key] ?? [0, 0];
    if (this.shift) orbit.pan(-right * height * seconds, up * height * seconds, height);
    else orbit.turn(right * TURNING * seconds, up * TURNING * seconds);
    orbit.zoomBy(Math.exp((ZOOMS[key] ?? 0) * ZOOMING * seconds));
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const { target } = event;
    const typing = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (typing && (event.key.startsWith("Arrow") || target instanceof HTMLSelectElement)) return;
    if (target instanceof HTMLElement && target.closest(".slice") && event.key.startsWith("Arrow")) return;
    if (event.key === " " || (event.key === "Enter" && target instanceof HTMLButtonElement)) return;
    this.shift = event.shiftKey;
    if (event.key in TURNS || event.key in ZOOMS) {
      event.preventDefault();
      if (!this.held.has(event.code)) this.steer(event.key, TAP);
      this.held.set(event.code, event.key);
      this.view.request();
      return;
    }
    const command = this.keys[event.key.toLowerCase()];
    if (!command || event.repeat) return;
    event.preventDefault();
    command();
  }

  private down(event: PointerEvent): void {
    if (event.button > 2) return;
    this.view.canvas.setPointerCapture(event.pointerId);
    const pans = event.button > 0 || event.shiftKey;
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, moved: 0, pans });
  }

  private move(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const { orbit, width, height } = this.view;
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [before, after] = [Math.hypot(finger.x - other.x, finger.y - other.y), Math.hypot(event.clientX - other.x, event.clientY - other.y)];
      if (before > 4 && after > 4) orbit.zoomBy(after / before);
      orbit.pan(dx / 2, dy / 2, height);
      other.moved += CLICK;
    } else if (finger.pans) orbit.pan(dx, dy, height);
    else {
      const turn = SWEEP / Math.min(width, height);
      orbit.turn(-dx * turn, dy * turn);
    }
    Object.assign(finger, { x: event.clientX, y: event.clientY, moved: finger.moved + Math.hypot(dx, dy) });
    this.view.request();
  }

  private up(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (!finger || finger.moved >= CLICK || event.type !== "pointerup" || event.button !== 0) return;
    const box = this.view.canvas.getBoundingClientRect();
    this.clicked(event.clientX - box.left, event.clientY - box.top);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.view.orbit.zoomBy(Math.exp((-(event.deltaY || event.deltaX) * lines) / (event.ctrlKey ? 120 : 700)));
    this.view.request();
  }
}
