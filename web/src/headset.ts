// Stepping in with a headset: the visitor's head starts at the photograph's camera, metres are metres. The sticks of
// the controllers walk and turn, the grip goes back to the photograph. The safe view does not hold a head back.
import { Quaternion, Vector3 } from "three";
import { photoView } from "./place";
import type { Enterable } from "./types";
import { Walker, readSticks } from "./walk";

/** By the mapping "xr-standard". */
const GRIP_BUTTON = 1;

/** True if this browser and device offer immersive VR now. */
export async function hasHeadset(): Promise<boolean> {
  const xr = navigator.xr;
  if (!xr) return false;
  return xr.isSessionSupported("immersive-vr").catch(() => false);
}

/** Enters and leaves VR. */
export class Headset {
  private session: XRSession | null = null;
  private readonly walker = new Walker();
  private readonly gripped = new Set<XRHandedness>();
  private last = 0;

  /** `changed` is told whether the visitor is inside, `selected` that a trigger was pulled. */
  constructor(
    private readonly viewer: Enterable,
    private readonly changed: (inside: boolean) => void,
    private readonly selected: () => void = () => undefined,
  ) {
    // The session's own "end" comes before three.js has put the renderer back.
    viewer.renderer.xr.addEventListener("sessionend", () => this.ended());
  }

  async toggle(): Promise<void> {
    if (this.session) {
      await this.session.end();
      return;
    }
    const session = await navigator.xr?.requestSession("immersive-vr");
    if (!session) return;
    const { renderer } = this.viewer;
    this.viewer.rig.reset();
    this.walker.reset();
    this.last = 0;
    renderer.xr.enabled = true;
    renderer.xr.setReferenceSpaceType("local");
    // Set before the session: after it three.js would go on drawing the window, too.
    renderer.setAnimationLoop((now, frame) => this.frame(now, frame));
    this.session = session;
    session.addEventListener("select", () => this.selected());
    try {
      await renderer.xr.setSession(session);
    } catch (error) {
      this.ended();
      throw error;
    }
    this.changed(true);
  }

  private ended(): void {
    const { renderer, world } = this.viewer;
    this.session = null;
    renderer.setAnimationLoop(null);
    renderer.xr.enabled = false;
    world.position.set(0, 0, 0);
    world.quaternion.identity();
    delete this.viewer.canvas.dataset["walked"];
    this.viewer.resize();
    this.changed(false);
  }

  private frame(now: number, frame: XRFrame | undefined): void {
    const { viewer, walker, session } = this;
    const room = viewer.renderer.xr.getReferenceSpace();
    const pose = room && frame?.getViewerPose(room);
    if (!session || !pose) return;
    const seconds = this.last === 0 ? 0 : Math.min(Math.max(now - this.last, 0) / 1000, 0.1);
    this.last = now;
    const { position, orientation } = pose.transform;
    const head = {
      position: new Vector3(position.x, position.y, position.z),
      rotation: new Quaternion(orientation.x, orientation.y, orientation.z, orientation.w),
    };
    if (this.grips(session)) walker.reset();
    walker.advance(seconds, readSticks(session.inputSources), head, (from, to) => this.free(from, to));
    walker.matrix().multiply(photoView(viewer.place.camera)).decompose(viewer.world.position, viewer.world.quaternion, new Vector3());
    viewer.canvas.dataset["walked"] = walker.placeOf(head.position).toArray().map((each) => each.toFixed(3)).join(" ");
    viewer.draw();
  }

  /** The walker's places are of the photograph's space, those of the viewer are of the world. */
  private free(from: Vector3, to: Vector3): boolean {
    const { position, rotation } = this.viewer.place.camera;
    const inWorld = (place: Vector3): Vector3 => place.clone().applyQuaternion(rotation).add(position);
    return this.viewer.free?.(inWorld(from), inWorld(to)) ?? true;
  }

  /** True if the grip of a controller went down since the last frame. */
  private grips(session: XRSession): boolean {
    let fresh = false;
    for (const { gamepad, handedness } of session.inputSources) {
      const down = gamepad?.buttons[GRIP_BUTTON]?.pressed ?? false;
      if (down && !this.gripped.has(handedness)) fresh = true;
      if (down) this.gripped.add(handedness);
      else this.gripped.delete(handedness);
    }
    return fresh;
  }
}
