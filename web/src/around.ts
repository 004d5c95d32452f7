// Standing in a panorama: hands turn the head rather than the scene, and steps go where the visitor looks.
import { Quaternion, Vector3 } from "three";
import { REST, RIGHT, Rig, UP, clamp } from "./rig";
import type { Going } from "./types";

const STEEPEST = 1.55;
const WIDEST = 0.6;
const LARGEST_ZOOM = 12;
/** So many shares of a step make the safe radius. */
const STEPS = 5;
/** Pointer and tilt move the head by this share of the safe radius. */
const LEAN = 0.5;

/** Yaw and pitch turn the head; right, up and dolly (here: ahead) are metres from the middle, along the first view. */
export class Around extends Rig {
  override orbit(dx: number, dy: number): void {
    const turn = 1 / (this.place.camera.fx * this.scale);
    this.wanted.yaw += dx * turn;
    this.wanted.pitch = clamp(this.wanted.pitch + dy * turn, -STEEPEST, STEEPEST);
  }

  override pan(dx: number, dy: number): void {
    const metres = this.stride() / 100;
    this.step(-dx * metres, 0);
    this.wanted.up += dy * metres;
  }

  override zoomAt(factor: number, _x: number, _y: number): void {
    this.wantedFraming.zoom = clamp(this.wantedFraming.zoom * factor, WIDEST, LARGEST_ZOOM);
  }

  override dolly(amount: number): void {
    this.step(0, amount * STEPS * this.stride());
  }

  override leanTo(x: number, y: number): void {
    if (this.steady) return;
    const far = LEAN * this.place.safeRadius;
    const { yaw } = this.shown;
    this.lean = { ...REST, right: x * far * Math.cos(yaw), dolly: x * far * Math.sin(yaw), up: -y * far };
  }

  protected override nearer(going: Readonly<Going>, share: number): Going {
    return { ...going, right: going.right * share, up: going.up * share, dolly: going.dolly * share };
  }

  protected override pose(going: Readonly<Going>): { position: Vector3; rotation: Quaternion } {
    const { position, rotation } = this.place.camera;
    const turned = rotation
      .clone()
      .multiply(new Quaternion().setFromAxisAngle(UP, going.yaw))
      .multiply(new Quaternion().setFromAxisAngle(RIGHT, going.pitch));
    const gone = new Vector3(going.right, going.up, -going.dolly).applyQuaternion(rotation);
    return { position: gone.add(position), rotation: turned };
  }

  /** Metres that a long step takes. */
  private stride(): number {
    return this.limited ? this.place.safeRadius : this.place.depths.near / 2;
  }

  /** Go so many metres to the right and ahead of where the visitor looks. */
  private step(right: number, ahead: number): void {
    const { yaw } = this.wanted;
    this.wanted.right += right * Math.cos(yaw) - ahead * Math.sin(yaw);
    this.wanted.dolly += right * Math.sin(yaw) + ahead * Math.cos(yaw);
  }
}
