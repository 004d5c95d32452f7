// What moves the view besides hands: the tilt of the device, and one slow sway as a greeting.
import type { Movable } from "./types";

type Permission = { requestPermission?: () => Promise<"granted" | "denied"> };

/** Degrees of tilt that use up the whole reach. */
const FULL_TILT = 18;
const GREETING_AFTER_MS = 1600;
const GREETING_MS = 6500;

/** True where a device that can be tilted is likely: it has the sensor's interface and is touched with fingers. */
export function canTilt(): boolean {
  return "DeviceOrientationEvent" in window && matchMedia("(any-pointer: coarse)").matches;
}

/** Looking around by tilting the device. The first position it is held in counts as straight. */
export class Tilt {
  private on = false;
  private straight: { beta: number; gamma: number } | null = null;
  private readonly listener = (event: DeviceOrientationEvent): void => this.feel(event);

  constructor(private readonly viewer: Movable) {}

  /** Switch; resolves to whether it is on now, or to "refused" or "silent" where no sensor answers. */
  async toggle(): Promise<boolean | "refused" | "silent"> {
    if (this.on) {
      this.stop();
      return false;
    }
    const ask = (DeviceOrientationEvent as unknown as Permission).requestPermission;
    if (ask) {
      const answer = await ask.call(DeviceOrientationEvent).catch(() => "denied" as const);
      if (answer !== "granted") return "refused";
    }
    this.straight = null;
    this.on = true;
    addEventListener("deviceorientation", this.listener);
    await new Promise((resolve) => setTimeout(resolve, 700));
    if (this.straight !== null) return true;
    this.stop();
    return "silent";
  }

  private stop(): void {
    this.on = false;
    removeEventListener("deviceorientation", this.listener);
    this.viewer.rig.leanTo(0, 0);
    this.viewer.request();
  }

  private feel(event: DeviceOrientationEvent): void {
    if (event.beta === null || event.gamma === null) return;
    this.straight ??= { beta: event.beta, gamma: event.gamma };
    const side = event.gamma - this.straight.gamma;
    const front = event.beta - this.straight.beta;
    const turn = ((screen.orientation?.angle ?? 0) * Math.PI) / 180;
    const x = side * Math.cos(turn) + front * Math.sin(turn);
    const y = front * Math.cos(turn) - side * Math.sin(turn);
    const limit = (value: number): number => Math.min(1, Math.max(-1, value / FULL_TILT));
    this.viewer.rig.leanTo(-limit(x), -limit(y));
    this.viewer.request();
  }
}

/** One slow round at the start, so that everyone sees that there is depth. Any deed of the visitor ends it. */
export class Greeting {
  private over = false;

  constructor(private readonly viewer: Movable) {
    if (viewer.still || !viewer.rig.limited) this.over = true;
    else setTimeout(() => this.begin(), GREETING_AFTER_MS);
  }

  stop(): void {
    this.over = true;
  }

  private begin(): void {
    const start = performance.now();
    const step = (now: number): void => {
      const part = (now - start) / GREETING_MS;
      if (this.over || part >= 1 || document.hidden) {
        if (!this.over) this.viewer.rig.leanTo(0, 0);
        this.over = true;
        this.viewer.request();
        return;
      }
      const swell = Math.sin(Math.PI * part) ** 2;
      this.viewer.rig.leanTo(swell * Math.sin(4 * Math.PI * part), 0.4 * swell * Math.sin(2 * Math.PI * part));
      this.viewer.request();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }
}
