// Turns the eye about a point, head up: round it, above and below it, nearer and farther.
import { Euler, PerspectiveCamera, Quaternion, Vector3 } from "three";

/** Where one looks from: radians round the model (0 is its front, positive its left) and above it. */
export interface Way {
  readonly name: string;
  readonly letter: string;
  readonly round: number;
  readonly above: number;
}

const QUARTER = Math.PI / 2;
const BODY: readonly (readonly [string, string])[] = [["From the front", "A"], ["From the back", "P"], ["From the patient's left", "L"], ["From the patient's right", "R"], ["From above", "S"], ["From below", "I"]];
const THING: readonly (readonly [string, string])[] = [["From the front", "F"], ["From the back", "B"], ["From the right", "R"], ["From the left", "L"], ["From above", "T"], ["From below", "U"]];
const PLACES: readonly (readonly [number, number])[] = [[0, 0], [Math.PI, 0], [QUARTER, 0], [-QUARTER, 0], [0, QUARTER], [0, -QUARTER]];

/** The six ways to look, in the order of their keys. */
export function waysOf(patient: boolean): Way[] {
  return (patient ? BODY : THING).map(([name, letter], at) => ({ name, letter, round: PLACES[at]?.[0] ?? 0, above: PLACES[at]?.[1] ?? 0 }));
}

/** Which letter is in each direction of the axes: x, y, z, positive and negative. */
export function lettersOf(patient: boolean): { readonly plus: readonly [string, string, string]; readonly minus: readonly [string, string, string] } {
  return patient ? { plus: ["L", "S", "A"], minus: ["R", "I", "P"] } : { plus: ["R", "T", "F"], minus: ["L", "U", "B"] };
}

const FOV = 28;
const SECONDS = 0.45;

export class Orbit {
  readonly camera = new PerspectiveCamera(FOV, 1, 0.001, 10);
  readonly target = new Vector3();
  round = 0;
  above = 0;
  /** Enlargement; 1 shows all of the model. */
  zoom = 1;
  private flight: { readonly from: readonly number[]; readonly to: readonly number[]; done: number } | null = null;
  private aspect = 1;
  /** The shares of the window that the model may take. */
  private room = { wide: 1, high: 1 };

  /**
   * @param labelled there are labels beside the model
   * @param still the visitor asked for little motion
   */
  constructor(private middle: Vector3, public radius: number, private readonly labelled: boolean, private readonly still: () => boolean) {
    this.target.copy(middle);
  }

  get rotation(): Quaternion {
    return new Quaternion().setFromEuler(new Euler(-this.above, this.round, 0, "YXZ"));
  }

  /** How far the eye is from the target, metres. */
  get distance(): number {
    const half = (FOV * Math.PI) / 360;
    const narrow = Math.atan(Math.tan(half) * Math.min(this.room.high, this.aspect * this.room.wide));
    return (1.02 * this.radius) / Math.sin(narrow) / this.zoom;
  }

  /** What there is to see has moved or become larger: look at it from where one is, as far aside as before. */
  frame({ middle, radius }: { readonly middle: Vector3; readonly radius: number }): void {
    this.flight = null;
    this.target.add(middle).sub(this.middle);
    this.middle = middle;
    this.radius = radius;
  }

  turn(round: number, above: number): void {
    this.flight = null;
    this.round += round;
    this.above = Math.min(QUARTER, Math.max(-QUARTER, this.above + above));
  }

  /** Move by pixels of a window that is so high. */
  pan(dx: number, dy: number, height: number): void {
    const metres = (2 * this.distance * Math.tan((FOV * Math.PI) / 360)) / height;
    this.target.add(new Vector3(-dx * metres, dy * metres, 0).applyQuaternion(this.rotation));
  }

  zoomBy(factor: number): void {
    this.zoom = Math.min(40, Math.max(0.2, this.zoom * factor));
  }

  /** Go to a way of looking, with everything in view if `whole`. */
  go(way: Way, whole: boolean): void {
    const near = this.round + Math.atan2(Math.sin(way.round - this.round), Math.cos(way.round - this.round));
    const end = whole ? [near, way.above, 1, ...this.middle.toArray()] : [near, way.above, this.zoom, ...this.target.toArray()];
    this.flight = { from: [this.round, this.above, this.zoom, ...this.target.toArray()], to: end, done: 0 };
    if (this.still()) this.advance(SECONDS);
  }

  /** True as long as there is more to do. */
  advance(seconds: number): boolean {
    const { flight } = this;
    if (!flight) return false;
    flight.done = Math.min(1, flight.done + seconds / SECONDS);
    const share = flight.done * flight.done * (3 - 2 * flight.done);
    const at = flight.from.map((from, each) => from + ((flight.to[each] ?? from) - from) * share);
    [this.round = 0, this.above = 0, this.zoom = 1] = at;
    this.target.fromArray(at, 3);
    if (flight.done >= 1) this.flight = null;
    return this.flight !== null;
  }

  /** Bring the camera there. */
  aim(width: number, height: number): void {
    const { camera } = this;
    this.aspect = width / height;
    this.room = { wide: Math.max(0.4, 1 - (this.labelled ? 210 : 50) / width), high: Math.max(0.5, 1 - 150 / height) };
    camera.quaternion.copy(this.rotation);
    camera.position.set(0, 0, this.distance).applyQuaternion(camera.quaternion).add(this.target);
    const away = camera.position.distanceTo(this.middle);
    camera.near = Math.max(0.02 * this.radius, away - 3.5 * this.radius);
    camera.far = away + 3.5 * this.radius;
    camera.aspect = this.aspect;
    camera.updateProjectionMatrix();
    camera.updateMatrixWorld();
  }
}
