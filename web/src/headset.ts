// Stepping in with a headset: the visitor's head starts at the photograph's camera, metres are metres.
import { Matrix4, Vector3 } from "three";
import type { Viewer } from "./viewer";

/** True if this browser and device offer immersive VR now. */
export async function hasHeadset(): Promise<boolean> {
  const xr = navigator.xr;
  if (!xr) return false;
  return xr.isSessionSupported("immersive-vr").catch(() => false);
}

/** Enters and leaves VR. */
export class Headset {
  private session: XRSession | null = null;

  constructor(private readonly viewer: Viewer, private readonly changed: (inside: boolean) => void) {}

  async toggle(): Promise<void> {
    if (this.session) {
      await this.session.end();
      return;
    }
    const session = await navigator.xr?.requestSession("immersive-vr");
    if (!session) return;
    const { renderer, place, world } = this.viewer;
    const { position, rotation } = place.camera;
    const worldFromPhoto = new Matrix4().compose(position, rotation, new Vector3(1, 1, 1));
    world.applyMatrix4(worldFromPhoto.invert());
    this.viewer.rig.reset();
    renderer.xr.enabled = true;
    renderer.xr.setReferenceSpaceType("local");
    session.addEventListener("end", () => {
      this.session = null;
      renderer.setAnimationLoop(null);
      renderer.xr.enabled = false;
      world.position.set(0, 0, 0);
      world.quaternion.identity();
      this.viewer.resize();
      this.changed(false);
    });
    await renderer.xr.setSession(session);
    this.session = session;
    renderer.setAnimationLoop(() => this.viewer.draw());
    this.changed(true);
  }
}
