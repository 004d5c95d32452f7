// The visitor: feet on the ground, eyes above them. Walls stop it, it slides along them, climbs steps, and never falls
// where the floor was not seen.
import { Euler, Quaternion, Vector3 } from "three";
import type { Solid } from "./strollsolid";

/** Metres of somebody whose eyes are 1.6 m above the ground. */
const RADIUS = 0.2;
const STEP_UP = 0.4;
const STEP_DOWN = 0.6;
const SPEED_M_PER_S = 1.4;
const RUNNING = 2.4;
/** Who would keep less than this share of the pace along a wall stands still. */
const LEAST_SLIDE = 0.12;
/** The feet come to the height of the ground by this share a second. */
const CLIMB = 12;
/** What comes from the picture one stood in (its lens, its tilt, its height) is gone after about so many metres. */
const FORGET = 0.35;
/** So wide may a hole in the ground be that one walks over, metres. */
const BRIDGED = 1.5;
const STEEPEST = 1.5;

/** A direction of eyes: radians; yaw turns to the left, pitch upwards, roll clockwise by negative numbers. */
export interface Gaze {
  yaw: number;
  pitch: number;
  roll: number;
}

export class Body {
  readonly feet = new Vector3();
  readonly gaze: Gaze = { yaw: 0, pitch: 0, roll: 0 };
  /** From 1, in the very place of a picture, to 0 when nothing of it is left. */
  own = 0;
  /** True if walls do not count. */
  ghost = false;
  /** True if the last step was stopped. */
  blocked = false;
  private lift = 0;
  private roll = 0;

  /** Metres walked since there was ground below the feet. */
  private unsupported = 0;

  /**
   * @param solid what is in the way
   * @param size how large the visitor is, as a multiple of somebody whose eyes are 1.6 m high
   * @param eye how high the eyes shall be above the ground, metres
   * @param level whether there should be a floor at the height 0
   */
  constructor(private readonly solid: Solid, private readonly size: number, public eye: number, private readonly level: boolean) {}

  /** Where the eyes are. */
  get eyes(): Vector3 {
    return this.feet.clone().setY(this.feet.y + this.eye + this.own * this.lift);
  }

  get rotation(): Quaternion {
    return new Quaternion().setFromEuler(new Euler(this.gaze.pitch, this.gaze.yaw, this.gaze.roll, "YXZ"));
  }

  /** Be where a picture was taken, and look as it does. */
  stand(eyes: Vector3, rotation: Quaternion): void {
    const { x, y, z } = new Euler().setFromQuaternion(rotation, "YXZ");
    Object.assign(this.gaze, { pitch: x, yaw: y, roll: z });
    this.roll = z;
    this.own = 1;
    this.blocked = false;
    this.feet.set(eyes.x, this.groundBelow(eyes), eyes.z);
    this.lift = eyes.y - this.feet.y - this.eye;
  }

  /** Be in a place that is pointed at: eyes as high as they should be above it. */
  land(place: Vector3): void {
    this.own = 0;
    this.gaze.roll = 0;
    this.blocked = false;
    this.feet.copy(place);
  }

  /** The ground that somebody with such eyes stands on: the floor rather than the table that the eyes are above. */
  groundBelow(eyes: Vector3): number {
    const onFloor = this.level && eyes.y > 0.3 * this.eye && eyes.y < 1.6 * this.eye;
    const wish = onFloor ? 0 : eyes.y - this.eye;
    const high = eyes.y - 0.2 * this.eye;
    return this.solid.nearest(eyes.x, eyes.z, wish, wish - this.eye, high, 0.5 * RADIUS * this.size) ?? wish;
  }

  /** The same eyes over feet that are higher or lower. */
  set height(eye: number) {
    this.eye = eye;
    this.lift = 0;
  }

  look(yaw: number, pitch: number): void {
    this.gaze.yaw += yaw;
    this.gaze.pitch = Math.min(STEEPEST, Math.max(-STEEPEST, this.gaze.pitch + pitch));
  }

  /**
   * Walk for some seconds; true if that changed anything.
   *
   * @param right -1..1, and so is `ahead`
   */
  walk(right: number, ahead: number, seconds: number, running: boolean): boolean {
    this.blocked = false;
    const climbed = this.climb(seconds);
    const pace = Math.hypot(right, ahead);
    if (pace === 0) return climbed;
    const speed = SPEED_M_PER_S * this.size * (running ? RUNNING : 1) * Math.min(1, pace);
    const heading = this.gaze.yaw + Math.atan2(-right, ahead);
    const whole = speed * seconds;
    const steps = Math.max(1, Math.ceil(whole / (0.5 * RADIUS * this.size)));
    let gone = 0;
    for (let i = 0; i < steps; i++) gone += this.step(heading, whole / steps);
    this.blocked = gone < 0.02 * whole;
    this.unsupported += gone;
    this.own *= Math.exp(-gone / (FORGET * this.size));
    if (this.own < 0.004) this.own = 0;
    this.gaze.roll = this.own * this.roll;
    return gone > 0 || climbed;
  }

  /** Whether somebody on this ground may go from one place to another; the visitor stays where it is. */
  free(from: Vector3, to: Vector3): boolean {
    const before = this.feet.clone();
    this.feet.setX(from.x).setZ(from.z);
    const may = this.mayGo(to.x, to.z, this.crowd(from.x, from.z));
    this.feet.copy(before);
    return may;
  }

  /** A step in a direction, or along the wall that is in its way; how far it went. */
  private step(heading: number, length: number): number {
    const now = this.crowd(this.feet.x, this.feet.z);
    const [dx, dz] = [-Math.sin(heading) * length, -Math.cos(heading) * length];
    if (this.tried(dx, dz, now)) return length;
    const wall = this.wallAt(this.feet.x + dx, this.feet.z + dz);
    if (!wall) return 0;
    const into = Math.max(0, dx * wall.x + dz * wall.z);
    const [along, across] = [dx - into * wall.x, dz - into * wall.z];
    const slid = Math.hypot(along, across);
    if (slid < LEAST_SLIDE * length) return 0;
    // A little away from the wall, for its cells are steps where the wall is slanting.
    for (const off of [0, 0.25, 0.5].map((share) => share * this.solid.side)) {
      if (this.tried(along - off * wall.x, across - off * wall.z, now)) return slid;
    }
    return 0;
  }

  /** Step so far along x and z if nothing is in the way. */
  private tried(dx: number, dz: number, now: number): boolean {
    const { feet } = this;
    if (!this.mayGo(feet.x + dx, feet.z + dz, now)) return false;
    feet.x += dx;
    feet.z += dz;
    return true;
  }

  /** The level direction of what is in the way at a place. */
  private wallAt(x: number, z: number): Vector3 | null {
    return this.solid.towards(x, z, ...this.span(x, z), 1.5 * RADIUS * this.size);
  }

  /** Who stands in something already, or too near to it, may go away from it. */
  private mayGo(x: number, z: number, now: number): boolean {
    const { feet, solid } = this;
    if (this.ghost) return true;
    if (!solid.isKnown(x, z) && solid.isKnown(feet.x, feet.z)) return false;
    if (this.crowd(x, z) === 0) return true;
    const wall = now > 0 ? this.wallAt(feet.x, feet.z) : null;
    return wall !== null && (x - feet.x) * wall.x + (z - feet.z) * wall.z <= 0;
  }

  private crowd(x: number, z: number): number {
    return this.solid.filled(x, z, ...this.span(x, z), RADIUS * this.size);
  }

  /** From above what one steps over at a place to the eyes. */
  private span(x: number, z: number): [low: number, high: number] {
    const ground = this.ground(x, z, this.feet.y + STEP_UP * this.size, (STEP_UP + STEP_DOWN) * this.size) ?? this.feet.y;
    const low = Math.max(ground, this.feet.y) + (STEP_UP * this.size) / 2 + this.solid.side;
    return [low, Math.max(low, this.feet.y + this.eye)];
  }

  /** The highest ground below `top`, no more than `depth` below it. */
  private ground(x: number, z: number, top: number, depth: number): number | null {
    return this.solid.nearest(x, z, top, top - depth, top, 0.5 * RADIUS * this.size);
  }

  /**
   * Come to the height of the ground. Where it was not seen the feet stay as high as they are; only who has left the
   * ground behind comes down to what lies deeper.
   */
  private climb(seconds: number): boolean {
    const { x, y, z } = this.feet;
    let ground = this.ground(x, z, y + STEP_UP * this.size, (STEP_UP + STEP_DOWN) * this.size);
    if (ground !== null) this.unsupported = 0;
    else if (this.unsupported > BRIDGED * this.size) ground = this.ground(x, z, y, 2.5 * this.eye);
    if (ground === null || this.ghost || Math.abs(ground - y) < 1e-3) return false;
    this.feet.y += (ground - y) * (1 - Math.exp(-CLIMB * seconds));
    return true;
  }
}
