// Where the visitor stands. Everything is measured from the photograph's own viewpoint, and a limit brings the
// viewpoint back towards it before the guess begins: before near things uncover what no camera saw.
import { PerspectiveCamera, Quaternion, Vector3 } from "three";
import type { Framing, Going, PhotoCamera, Spot } from "./types";

/** The part of the window that the picture is fitted into, CSS pixels. */
export interface Room {
  readonly width: number;
  readonly height: number;
  readonly top: number;
  readonly bottom: number;
  /** Taken away on the left and on the right alike. */
  readonly aside: number;
}

export const REST: Readonly<Going> = { yaw: 0, pitch: 0, dolly: 0, right: 0, up: 0 };
const KEYS = ["yaw", "pitch", "dolly", "right", "up"] as const;
export const RIGHT = new Vector3(1, 0, 0);
export const UP = new Vector3(0, 1, 0);
/** While a hand pulls, the viewpoint gives by at most this share of what is safe. */
const GIVE = 0.25;
/** Pointer and tilt lean the view over this share of what is safe. */
const LEAN = 0.7;
const LARGEST_ZOOM = 12;
const STEEPEST = 1.5;

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function sum(a: Readonly<Going>, b: Readonly<Going>): Going {
  const out = { ...REST };
  for (const key of KEYS) out[key] = a[key] + b[key];
  return out;
}

function scaled(a: Readonly<Going>, by: number): Going {
  const out = { ...REST };
  for (const key of KEYS) out[key] = a[key] * by;
  return out;
}

/** The viewer's camera: what is wanted, what is allowed, and what is shown on the way there. */
export class Rig {
  readonly camera = new PerspectiveCamera();
  private limit: boolean;
  /** True while a hand pulls. */
  held = false;
  /** True while somebody draws: pointer and tilt do not lean the view. */
  steady = false;
  protected wanted: Going = { ...REST };
  protected lean: Going = { ...REST };
  protected shown: Going = { ...REST };
  protected wantedFraming: Framing = { zoom: 1, shiftX: 0, shiftY: 0 };
  private framing: Framing = { zoom: 1, shiftX: 0, shiftY: 0 };
  private readonly pivot = new Vector3();

  constructor(protected place: Spot, private room: Room) {
    this.limit = place.photographed;
    this.settle();
  }

  /** Another place is shown from now on, as after a cut: the visitor stands in it where he stood, as shares of what is safe. */
  enter(place: Spot): void {
    const before = this.turnOf(this.place.safeRadius);
    this.place = place;
    const share = this.turnOf(place.safeRadius) / before;
    for (const going of [this.wanted, this.lean, this.shown]) {
      going.yaw *= share;
      going.pitch *= share;
    }
    this.settle();
  }

  /** Metres between the shown viewpoint and the photograph's. */
  get offset(): number {
    return this.offsetOf(this.shown);
  }

  /** How much of what is safe is used up where the visitor stands: 0 at the photograph, 1 where the guess begins. */
  get strain(): number {
    return this.strainOf(this.shown);
  }

  /** False once the visitor has switched the limit off. */
  get limited(): boolean {
    return this.limit;
  }

  set limited(on: boolean) {
    this.limit = on;
    this.release();
    if (on) this.wantedFraming.zoom = Math.max(this.wantedFraming.zoom, 1);
    this.keepInside();
  }

  /** CSS pixels of the window for one pixel of the photograph. */
  get scale(): number {
    return this.fit() * this.framing.zoom;
  }

  get zoom(): number {
    return this.framing.zoom;
  }

  resize(room: Room): void {
    this.room = room;
    this.place3d();
  }

  /** Turn about the pivot; the arguments are CSS pixels that the hand moved. */
  orbit(dx: number, dy: number): void {
    const { left, right, up, down } = this.place.safe;
    const reach = this.turnOf((left + right + up + down) / 4);
    const turn = this.limited ? reach / (0.22 * this.room.width) : 3.5 / this.room.width;
    this.wanted.yaw -= dx * turn;
    this.wanted.pitch = clamp(this.wanted.pitch - dy * turn, -STEEPEST, STEEPEST);
  }

  /** Move the picture in the window; without the limit the visitor moves instead. */
  pan(dx: number, dy: number): void {
    if (this.limited) {
      this.wantedFraming.shiftX += dx;
      this.wantedFraming.shiftY += dy;
      this.keepInside();
      return;
    }
    const metres = (this.place.depths.pivot * 2 ** -this.wanted.dolly) / (this.place.camera.fx * this.scale);
    this.wanted.right -= dx * metres;
    this.wanted.up += dy * metres;
  }

  /** Enlarge about a point of the window. */
  zoomAt(factor: number, x: number, y: number): void {
    const before = this.wantedFraming.zoom;
    const after = clamp(before * factor, this.limited ? 1 : 0.2, LARGEST_ZOOM);
    const [middleX, middleY] = [this.room.width / 2, this.middle()];
    const grow = after / before;
    this.wantedFraming.shiftX = (this.wantedFraming.shiftX + middleX - x) * grow - middleX + x;
    this.wantedFraming.shiftY = (this.wantedFraming.shiftY + middleY - y) * grow - middleY + y;
    this.wantedFraming.zoom = after;
    this.keepInside();
  }

  /** Go nearer (positive) or farther by shares of the way to the pivot. */
  dolly(amount: number): void {
    this.wanted.dolly = clamp(this.wanted.dolly + amount, -3, 4);
  }

  /** A small turn that comes and goes with the pointer, the tilt of the device or the first greeting: -1..1, right and down. */
  leanTo(x: number, y: number): void {
    if (this.steady) return;
    const { left, right, up, down } = this.place.safe;
    const [across, along] = [this.turnOf(x > 0 ? right : left), this.turnOf(y > 0 ? down : up)];
    this.lean = { ...REST, yaw: LEAN * x * across, pitch: LEAN * y * along };
  }

  /** To where the photograph was taken, at once; the framing stays. */
  comeHome(): void {
    this.wanted = { ...REST };
    this.lean = { ...REST };
    this.shown = { ...REST };
    this.place3d();
  }

  /** The point of the photograph, in its pixels, that a point of the window shows from the photograph's viewpoint. */
  pixelAt(x: number, y: number): [x: number, y: number] {
    const { width, height } = this.place.camera;
    const left = this.room.width / 2 + this.framing.shiftX - (width * this.scale) / 2;
    const top = this.middle() + this.framing.shiftY - (height * this.scale) / 2;
    return [(x - left) / this.scale, (y - top) / this.scale];
  }

  /** Back to the photograph. */
  reset(): void {
    this.wanted = { ...REST };
    this.lean = { ...REST };
    this.wantedFraming = { zoom: 1, shiftX: 0, shiftY: 0 };
  }

  /** The hand lets go: what was pulled beyond the limit springs back. */
  release(): void {
    this.held = false;
    if (this.limited) this.wanted = this.nearer(this.wanted, this.shareWithin(this.wanted, 1));
  }

  /** Move on by some seconds; true while there is still a way to go. `still` arrives at once. */
  advance(seconds: number, still: boolean): boolean {
    const goal = this.allowed();
    const part = still ? 1 : 1 - Math.exp(-seconds / (this.held ? 0.06 : 0.16));
    let way = 0;
    for (const key of KEYS) {
      const step = goal[key] - this.shown[key];
      this.shown[key] += step * part;
      way = Math.max(way, Math.abs(step));
    }
    for (const key of ["zoom", "shiftX", "shiftY"] as const) {
      const step = this.wantedFraming[key] - this.framing[key];
      this.framing[key] += step * part;
      way = Math.max(way, key === "zoom" ? Math.abs(step) : Math.abs(step) / 1000);
    }
    const arrived = way < 2e-5;
    if (arrived) {
      this.shown = goal;
      this.framing = { ...this.wantedFraming };
    }
    this.place3d();
    return !arrived && !still;
  }

  private settle(): void {
    const { camera, depths } = this.place;
    const forward = new Vector3(0, 0, -1).applyQuaternion(camera.rotation);
    this.pivot.copy(camera.position).addScaledVector(forward, depths.pivot);
    this.camera.near = Math.max(Math.min(depths.nearest, depths.near) * 0.05, depths.farthest * 1e-5);
    this.camera.far = depths.farthest * 3 + 1;
    this.place3d();
  }

  /** The turn about the pivot that moves the viewpoint so many metres aside. */
  private turnOf(metres: number): number {
    return Math.min(metres / this.place.depths.pivot, 0.5);
  }

  private allowed(): Going {
    const going = sum(this.wanted, this.lean);
    if (!this.limited) return going;
    const strain = this.strainOf(going);
    if (strain <= 1) return going;
    const give = this.held ? GIVE * (1 - Math.exp(1 - strain)) : 0;
    return this.nearer(going, this.shareWithin(going, 1 + give));
  }

  /** The largest share of `going` whose strain stays within `most`; it grows with the share. */
  private shareWithin(going: Readonly<Going>, most: number): number {
    if (this.strainOf(going) <= most) return 1;
    let [low, high] = [0, 1];
    for (let i = 0; i < 30; i++) {
      const share = (low + high) / 2;
      if (this.strainOf(this.nearer(going, share)) <= most) low = share;
      else high = share;
    }
    return low;
  }

  /** Only a share of the way from the photograph's viewpoint. */
  protected nearer(going: Readonly<Going>, share: number): Going {
    return scaled(going, share);
  }

  private offsetOf(going: Readonly<Going>): number {
    return this.pose(going).position.distanceTo(this.place.camera.position);
  }

  private strainOf(going: Readonly<Going>): number {
    const { safe, camera } = this.place;
    const away = this.pose(going).position.sub(camera.position).applyQuaternion(camera.rotation.clone().invert());
    const across = away.x / (away.x > 0 ? safe.right : safe.left);
    const along = away.y / (away.y > 0 ? safe.up : safe.down);
    return Math.hypot(across, along, away.z / (away.z > 0 ? safe.back : safe.nearer));
  }

  protected pose(going: Readonly<Going>): { position: Vector3; rotation: Quaternion } {
    const base = this.place.camera.rotation;
    const rotation = base
      .clone()
      .multiply(new Quaternion().setFromAxisAngle(UP, going.yaw))
      .multiply(new Quaternion().setFromAxisAngle(RIGHT, going.pitch));
    const away = new Vector3(0, 0, this.place.depths.pivot * 2 ** -going.dolly).applyQuaternion(rotation);
    const aside = new Vector3(going.right, going.up, 0).applyQuaternion(base);
    return { position: away.add(aside).add(this.pivot), rotation };
  }

  private middle(): number {
    return (this.room.top + this.room.height - this.room.bottom) / 2;
  }

  /** The scale at which the whole photograph is seen. */
  private fit(): number {
    const { width, height } = this.place.camera;
    const free = Math.max(this.room.height - this.room.top - this.room.bottom, 1);
    return Math.min(Math.max(this.room.width - 2 * this.room.aside, 1) / width, free / height);
  }

  /** The middle of the window never leaves the picture. */
  private keepInside(): void {
    const { width, height } = this.place.camera;
    const { zoom } = this.wantedFraming;
    const spare = Math.max(zoom - 1, 0) / Math.max(zoom, 1);
    const [halfX, halfY] = [(width * this.fit() * zoom * spare) / 2, (height * this.fit() * zoom * spare) / 2];
    this.wantedFraming.shiftX = clamp(this.wantedFraming.shiftX, -halfX, halfX);
    this.wantedFraming.shiftY = clamp(this.wantedFraming.shiftY, -halfY, halfY);
  }

  /** CSS pixels for one pixel of the photograph at the pivot, as seen from where the visitor stands. */
  get pivotScale(): number {
    return this.scale * 2 ** this.shown.dolly;
  }

  private place3d(): void {
    const { position, rotation } = this.pose(this.shown);
    this.camera.position.copy(position);
    this.camera.quaternion.copy(rotation);
    this.camera.updateMatrixWorld(true);
    this.project(this.place.camera);
  }

  /** The photograph's own projection, its principal point included, widened to the window. */
  private project(photo: PhotoCamera): void {
    const scale = this.scale;
    const left = this.room.width / 2 + this.framing.shiftX - (photo.width * scale) / 2 + photo.cx * scale;
    const top = this.middle() + this.framing.shiftY - (photo.height * scale) / 2 + photo.cy * scale;
    const { near, far } = this.camera;
    const [kx, ky] = [near / (photo.fx * scale), near / (photo.fy * scale)];
    this.camera.projectionMatrix.makePerspective(
      -left * kx,
      (this.room.width - left) * kx,
      top * ky,
      (top - this.room.height) * ky,
      near,
      far,
    );
    this.camera.projectionMatrixInverse.copy(this.camera.projectionMatrix).invert();
  }
}
