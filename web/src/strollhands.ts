// Hands of somebody who walks: keys that are held, a pointer that looks, a pad for thumbs, clicks.
import type { StrollView } from "./strollview";

/** Radians a second that arrow keys turn. */
const TURNING = 1.6;
/** A pointer that moved less than this, CSS pixels, has clicked. */
const CLICK = 5;
const WALKS: Readonly<Record<string, readonly [right: number, ahead: number]>> = {
  KeyW: [0, 1],
  KeyS: [0, -1],
  KeyA: [-1, 0],
  KeyD: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};
const LOOKS: Readonly<Record<string, readonly [yaw: number, pitch: number]>> = {
  ArrowLeft: [1, 0],
  ArrowRight: [-1, 0],
  KeyQ: [1, 0],
  KeyE: [-1, 0],
  PageUp: [0, 1],
  PageDown: [0, -1],
};

/** What is done by a key, by what is written on it. */
export type Keys = Readonly<Record<string, () => void>>;

interface Finger {
  x: number;
  y: number;
  moved: number;
}

export class StrollHands {
  private readonly held = new Set<string>();
  private readonly fingers = new Map<number, Finger>();
  private running = false;
  private thumb: readonly [right: number, ahead: number] = [0, 0];

  /**
   * @param keys what other keys do
   * @param clicked told where the window was clicked, CSS pixels
   */
  constructor(
    private readonly view: StrollView,
    private readonly pad: HTMLElement,
    private readonly keys: Keys,
    private readonly clicked: (x: number, y: number) => void,
  ) {
    const { canvas } = view;
    view.stir = (seconds) => this.stir(seconds);
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"] as const) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("keydown", (event) => this.press(event));
    addEventListener("keyup", (event) => this.release(event.code, event.shiftKey));
    addEventListener("blur", () => this.held.clear());
    this.connectPad();
  }

  private stir(seconds: number): boolean {
    let [right, ahead] = this.thumb;
    let [yaw, pitch] = [0, 0];
    for (const code of this.held) {
      right += WALKS[code]?.[0] ?? 0;
      ahead += WALKS[code]?.[1] ?? 0;
      yaw += LOOKS[code]?.[0] ?? 0;
      pitch += LOOKS[code]?.[1] ?? 0;
    }
    const { body } = this.view;
    body.look(yaw * TURNING * seconds, pitch * TURNING * seconds);
    const climbed = body.walk(right, ahead, seconds, this.running);
    return climbed || right !== 0 || ahead !== 0 || yaw !== 0 || pitch !== 0;
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target instanceof HTMLInputElement && event.key.startsWith("Arrow")) return;
    if (event.key === " " && event.target instanceof HTMLButtonElement) return;
    this.running = event.shiftKey;
    if (event.code in WALKS || event.code in LOOKS) {
      event.preventDefault();
      this.held.add(event.code);
      this.view.request();
      return;
    }
    const command = this.keys[event.key.toLowerCase()];
    if (!command || event.repeat) return;
    event.preventDefault();
    command();
  }

  private release(code: string, running: boolean): void {
    this.held.delete(code);
    this.running = running;
  }

  private down(event: PointerEvent): void {
    if (event.button > 2) return;
    this.view.canvas.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY, moved: 0 });
  }

  private move(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    if (!finger) return;
    const [dx, dy] = [event.clientX - finger.x, event.clientY - finger.y];
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const [before, after] = [Math.hypot(finger.x - other.x, finger.y - other.y), Math.hypot(event.clientX - other.x, event.clientY - other.y)];
      if (before > 4 && after > 4) this.view.zoomBy(after / before);
      other.moved += Math.abs(after - before);
    } else {
      // What was under the pointer stays under it.
      const turn = (this.view.camera.fov * Math.PI) / 180 / this.view.canvas.clientHeight;
      this.view.body.look(dx * turn, dy * turn);
    }
    Object.assign(finger, { x: event.clientX, y: event.clientY, moved: finger.moved + Math.hypot(dx, dy) });
    this.view.request();
  }

  private up(event: PointerEvent): void {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (finger && finger.moved < CLICK && event.type === "pointerup" && event.button === 0) this.clicked(event.clientX, event.clientY);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.view.zoomBy(Math.exp((-(event.deltaY || event.deltaX) * lines) / (event.ctrlKey ? 120 : 700)));
  }

  /** The pad on the screen of phones: push it where you want to walk. */
  private connectPad(): void {
    const { pad } = this;
    const push = (event: PointerEvent): void => {
      const box = pad.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) / box.width - 0.5, (event.clientY - box.top) / box.height - 0.5];
      const length = Math.max(1, 2 * Math.hypot(x, y));
      this.thumb = [(2 * x) / length, (-2 * y) / length];
      pad.style.setProperty("--x", `${this.thumb[0]}`);
      pad.style.setProperty("--y", `${-this.thumb[1]}`);
      this.view.request();
    };
    const rest = (): void => {
      this.thumb = [0, 0];
      pad.style.setProperty("--x", "0");
      pad.style.setProperty("--y", "0");
    };
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      push(event);
    });
    pad.addEventListener("pointermove", (event) => {
      if (pad.hasPointerCapture(event.pointerId)) push(event);
    });
    for (const name of ["pointerup", "pointercancel"] as const) pad.addEventListener(name, rest);
  }
}
