// Walking with the sticks of a headset's controllers, after the mapping "xr-standard" of WebXR Gamepads: axes 2 and 3
// are the thumb stick, or 0 and 1 the touch pad of controllers without one.
import { Euler, Matrix4, Quaternion, Vector3 } from "three";

const SPEED_M_PER_S = 1.4;
/** Turning in steps makes fewer people sick than turning smoothly. */
const TURN = Math.PI / 6;
const DEAD = 0.18;
const TURN_FROM = 0.7;
const TURN_AGAIN = 0.4;
const UP = new Vector3(0, 1, 0);

/** What the sticks say: -1..1, right and backwards. */
interface Sticks {
  readonly walk: readonly [x: number, y: number];
  readonly turn: number;
}

/** Where the head is in the visitor's room, and where it looks. */
interface Head {
  readonly position: Vector3;
  readonly rotation: Quaternion;
}

/** Whether a head may go from one place to another. */
export type Free = (from: Vector3, to: Vector3) => boolean;

function stickOf(source: XRInputSource): [x: number, y: number] {
  const axes = source.gamepad?.axes ?? [];
  const [x, y] = axes.length >= 4 ? [axes[2] ?? 0, axes[3] ?? 0] : [axes[0] ?? 0, axes[1] ?? 0];
  const firm = (value: number): number => (Math.abs(value) < DEAD ? 0 : (value - Math.sign(value) * DEAD) / (1 - DEAD));
  return [firm(x), firm(y)];
}

/** The left stick walks all ways; the right one walks on and back, and turns. A lone controller is a right one. */
export function readSticks(sources: Iterable<XRInputSource>): Sticks {
  let [x, y, turn] = [0, 0, 0];
  for (const source of sources) {
    if (!source.gamepad) continue;
    const [right, back] = stickOf(source);
    y += back;
    if (source.handedness === "left") x += right;
    else turn += right;
  }
  return { walk: [x, y], turn };
}

/** Where the visitor's room stands in the photograph's space, whose origin is the photograph's viewpoint. */
export class Walker {
  readonly position = new Vector3();
  private yaw = 0;
  private mayTurn = true;

  /** Back to the photograph's viewpoint. */
  reset(): void {
    this.position.set(0, 0, 0);
    this.yaw = 0;
  }

  /**
   * Go on by some seconds.
   *
   * @param head where the head is in the visitor's room, and where it looks
   * @param free whether a head may go from one place of the photograph's space to another
   */
  advance(seconds: number, sticks: Sticks, head: Head, free: Free = () => true): void {
    const before = this.placeOf(head.position);
    if (this.mayTurn && Math.abs(sticks.turn) > TURN_FROM) {
      this.yaw -= Math.sign(sticks.turn) * TURN;
      this.mayTurn = false;
    } else if (Math.abs(sticks.turn) < TURN_AGAIN) {
      this.mayTurn = true;
    }
    // Turning is about the head, not about the middle of the room.
    const turned = this.placeOf(head.position);
    this.position.add(before).sub(turned);
    const [right, back] = sticks.walk;
    if (right === 0 && back === 0) return;
    const gaze = new Euler().setFromQuaternion(head.rotation, "YXZ").y + this.yaw;
    const step = new Vector3(right, 0, back).clampLength(0, 1).multiplyScalar(SPEED_M_PER_S * seconds);
    step.applyAxisAngle(UP, gaze);
    const here = this.placeOf(head.position);
    // Where all of a step is not free, one of its sides may be: a wall is slid along.
    for (const part of [step, step.clone().setZ(0), step.clone().setX(0)]) {
      if (!free(here, here.clone().add(part))) continue;
      this.position.add(part);
      return;
    }
  }

  /** Where a place of the visitor's room is in the photograph's space. */
  placeOf(inRoom: Vector3): Vector3 {
    return inRoom.clone().applyAxisAngle(UP, this.yaw).add(this.position);
  }

  /** room_from_photograph. */
  matrix(): Matrix4 {
    const turn = new Quaternion().setFromAxisAngle(UP, this.yaw);
    return new Matrix4().compose(this.position, turn, new Vector3(1, 1, 1)).invert();
  }
}
