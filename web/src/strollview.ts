// Draws a site from the visitor's eyes, flies from place to place, and knows what is under the pointer. Of a tour it draws
// one part at a time: whose picture the visitor is in lies over what other pictures show of the same place.
import { AmbientLight, Euler, Group, PerspectiveCamera, Quaternion, Raycaster, Scene, SRGBColorSpace, Vector2, Vector3, WebGLRenderTarget, WebGLRenderer } from "three";
import type { Camera, Object3D } from "three";
import { Appearance } from "./materials";
import { Body } from "./strollbody";
import { Layers } from "./strolllayers";
import { EYE } from "./strollsite";
import type { Site, Stand } from "./strollsite";
import { Solid } from "./strollsolid";
import type { Mode, PhotoCamera, Place } from "./types";

/** The side of a cell of what is solid, metres. */
const CELL = 0.05;
/** So far beyond what was scanned one may walk, metres. */
const BEYOND = 1;
const LARGEST_ZOOM = 4;
/** So long the page fades out, and in again, where one comes to another part, ms; as in stroll.css. */
const FADE = 240;

/** Where the eyes are, and how they see. */
interface Seeing {
  readonly eyes: Vector3;
  readonly rotation: Quaternion;
  readonly lens: Lens;
}

/** Where the flight begins and ends, and how far it is: 0..1. */
interface Flight {
  readonly from: Seeing;
  readonly to: Seeing;
  readonly seconds: number;
  readonly stand: Stand | null;
  readonly arrived: () => void;
  done: number;
}

/** How the window sees: focal length in its pixels, pixels that are not square, and where its axis is off its middle. */
interface Lens {
  readonly focal: number;
  readonly aspect: number;
  readonly x: number;
  readonly y: number;
}

/** What is under a place of the window. */
export interface Touched {
  readonly point: Vector3;
  readonly object: Object3D;
  /** The upward part of its normal, 0..1; 1 for points. */
  readonly flatness: number;
}

function between(a: Lens, b: Lens, share: number): Lens {
  const mix = (from: number, to: number): number => from + (to - from) * share;
  const focal = Math.exp(mix(Math.log(a.focal), Math.log(b.focal)));
  return { focal, aspect: mix(a.aspect, b.aspect), x: mix(a.x, b.x), y: mix(a.y, b.y) };
}

export class StrollView {
  readonly renderer: WebGLRenderer;
  readonly camera = new PerspectiveCamera();
  readonly world = new Group();
  private readonly marks = new Group();
  readonly layers: Layers;
  /** The part that one is in, what is in its way, and the visitor there. */
  site: Site;
  solid: Solid;
  body: Body;
  mode: Mode = "picture";
  /** Enlargement by the visitor's hand. */
  private zoom = 1;
  /** The picture that the visitor stands in, as long as anything is left of it. */
  standing: Stand | null = null;
  /** Moves the visitor; true as long as there is more to do. */
  stir: (seconds: number) => boolean = () => false;
  /** Told before every frame, when it is settled where the eyes are. */
  before: () => void = () => undefined;
  /** Told after every frame. */
  drawn: () => void = () => undefined;
  /** Told when another part was entered. */
  entered: () => void = () => undefined;
  private readonly scene = new Scene();
  private readonly appearance: Appearance;
  private readonly raycaster = new Raycaster();
  private readonly motion = matchMedia("(prefers-reduced-motion: reduce)");
  private readonly grounds = new Map<Site, Solid>();
  private flight: Flight | null = null;
  /** On the way to another part. */
  private passing = false;
  private waiting = false;
  private last = 0;
  private width = 1;
  private height = 1;

  /** @param sites the parts of a tour, or the one place of a scan */
  constructor(readonly canvas: HTMLCanvasElement, readonly sites: readonly [Site, ...Site[]]) {
    const [site] = sites;
    const whole = { ...site.place, pieces: sites.flatMap((each) => each.place.pieces) };
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, powerPreference: "high-performance" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.setClearColor(0x000000, 0);
    this.appearance = new Appearance(whole, Math.min(8, this.renderer.capabilities.getMaxAnisotropy()));
    this.world.add(site.place.root, this.marks);
    this.scene.add(this.world, new AmbientLight(0xffffff, Math.PI));
    this.layers = new Layers(sites, this.world);
    this.site = site;
    this.solid = this.ground(site);
    this.body = new Body(this.solid, site.size, EYE * site.size, site.level);
    this.layers.enter(site);
    this.resize();
    const first = site.stands[0];
    if (first) this.arrive(first);
  }

  /** What is in the way in a part; looked at once. */
  private ground(site: Site): Solid {
    const made = this.grounds.get(site);
    if (made) return made;
    const beyond = BEYOND * site.size;
    const solid = new Solid(site.solid, site.region.clone().expandByVector(new Vector3(beyond, 0, beyond)), CELL * site.size);
    solid.open([site.path, ...site.ways], beyond);
    this.grounds.set(site, solid);
    return solid;
  }

  /** All pictures of all parts. */
  get stands(): readonly Stand[] {
    return this.sites.flatMap((site) => site.stands);
  }

  /** True while one is flying somewhere. */
  get busy(): boolean {
    return this.flight !== null || this.passing;
  }

  private siteOf(stand: Stand): Site {
    return this.sites.find((site) => site.stands[0]?.part === stand.part) ?? this.site;
  }

  private enter(site: Site): void {
    if (site === this.site) return;
    const { ghost } = this.body;
    this.site = site;
    this.solid = this.ground(site);
    this.body = new Body(this.solid, site.size, EYE * site.size, site.level);
    this.body.ghost = ghost;
    this.standing = null;
    this.layers.enter(site);
    this.entered();
  }

  /** True if the visitor asked for little motion. */
  get still(): boolean {
    return this.motion.matches;
  }

  /** What a headset begins from: level eyes where the visitor is. */
  get place(): Pick<Place, "photographed" | "scaleAssumed"> & { readonly camera: PhotoCamera } {
    const rotation = new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), this.body.gaze.yaw);
    const camera = { ...this.site.place.camera, position: this.body.eyes, rotation };
    return { photographed: true, scaleAssumed: this.site.known.assumed, camera };
  }

  /** What a headset sets back when it begins. */
  get rig(): { reset(): void } {
    return { reset: () => this.body.look(0, -this.body.gaze.pitch) };
  }

  /** Walls stop a headset, too. */
  free(from: Vector3, to: Vector3): boolean {
    return this.body.free(from, to);
  }

  resize(): void {
    if (this.renderer.xr.isPresenting) return;
    this.width = Math.max(innerWidth, 1);
    this.height = Math.max(innerHeight, 1);
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.renderer.setSize(this.width, this.height, false);
    this.request();
  }

  show(mode: Mode): void {
    this.mode = mode;
    this.appearance.show(mode, false);
    this.request();
  }

  /** Something more to draw, which is not of the place itself: small pictures and the map do without. */
  add(object: Object3D): void {
    this.marks.add(object);
  }

  /** The picture that the visitor is in, or is on the way to; null: neither. */
  get bound(): Stand | null {
    return this.flight ? this.flight.stand : this.standing;
  }

  zoomBy(factor: number): void {
    this.zoom = Math.min(LARGEST_ZOOM, Math.max(0.7, this.zoom * factor));
    this.request();
  }

  /** Fly to where a picture was taken; to another part there is no way, so that the page fades over. */
  visit(stand: Stand): void {
    if (this.siteOf(stand) !== this.site) return this.pass(stand);
    const { position, rotation } = stand.camera;
    this.fly({ eyes: position, rotation, lens: this.lensOf(stand) }, stand, () => this.arrive(stand));
  }

  private pass(stand: Stand): void {
    this.flight = null;
    this.passing = true;
    this.canvas.dataset["moving"] = "true";
    this.canvas.classList.add("passing");
    const through = (): void => {
      this.enter(this.siteOf(stand));
      this.arrive(stand);
      this.draw();
      this.canvas.classList.remove("passing");
      this.passing = false;
      this.canvas.dataset["moving"] = "false";
      this.request();
    };
    if (this.still) through();
    else setTimeout(through, FADE);
  }

  /** Go to a place on the ground and look the same way. */
  goTo(ground: Vector3): void {
    const eyes = ground.clone().setY(ground.y + this.body.eye);
    const { yaw, pitch } = this.body.gaze;
    const rotation = new Quaternion().setFromEuler(new Euler(pitch, yaw, 0, "YXZ"));
    this.fly({ eyes, rotation, lens: this.wide() }, null, () => {
      this.body.land(ground);
      this.standing = null;
    });
  }

  /** Draw soon. */
  request(): void {
    if (this.waiting || this.passing || this.renderer.xr.isPresenting) return;
    this.waiting = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  /** Draw now. */
  draw(): void {
    this.aim();
    const height = (this.height * this.renderer.getPixelRatio()) / 200;
    this.appearance.sizePoints(Math.max(1.5, height));
    this.world.updateMatrixWorld();
    this.appearance.moved(this.world.matrixWorld);
    this.before();
    this.renderer.render(this.scene, this.camera);
    this.tell();
    this.drawn();
  }

  /** Draw what a picture's camera sees onto a small canvas. */
  picture(stand: Stand, into: HTMLCanvasElement): void {
    const { camera } = this;
    const { fx, fy, cx, cy, width, height, position, rotation } = stand.camera;
    camera.position.copy(position);
    camera.quaternion.copy(rotation);
    camera.fov = (2 * Math.atan(height / 2 / fy) * 180) / Math.PI;
    camera.setViewOffset(width, height, width / 2 - cx, height / 2 - cy, width, height);
    this.settle(width / fx / (height / fy));
    const target = new WebGLRenderTarget(into.width, into.height, { samples: 4 });
    const before = this.layers.shown;
    this.layers.enter(this.siteOf(stand), stand);
    const image = this.rendered(this.scene, camera, target);
    this.layers.enter(this.site);
    this.layers.show(before);
    into.getContext("2d")?.putImageData(image, 0, 0);
    this.aim();
  }

  /** What a camera sees, as a picture whose first row is the uppermost. */
  rendered(scene: Object3D, camera: Camera, target: WebGLRenderTarget): ImageData {
    const { renderer } = this;
    const { width, height } = target;
    target.texture.colorSpace = SRGBColorSpace;
    renderer.setRenderTarget(target);
    renderer.clear();
    this.marks.visible = false;
    renderer.render(scene, camera);
    this.marks.visible = true;
    const bytes = new Uint8Array(width * height * 4);
    renderer.readRenderTargetPixels(target, 0, 0, width, height, bytes);
    renderer.setRenderTarget(null);
    target.dispose();
    const image = new ImageData(width, height);
    for (let row = 0; row < height; row++) {
      image.data.set(bytes.subarray((height - 1 - row) * width * 4, (height - row) * width * 4), row * width * 4);
    }
    return image;
  }

  /** The nearest thing under a place of the window, CSS pixels; null: nothing is there. */
  touch(x: number, y: number): Touched | null {
    this.raycaster.setFromCamera(new Vector2((2 * x) / this.width - 1, 1 - (2 * y) / this.height), this.camera);
    this.raycaster.params.Points.threshold = 0.5 * this.solid.side;
    const hit = this.layers.touchable.map((things) => this.raycaster.intersectObjects(things, false)[0]).find((each) => each);
    if (!hit) return null;
    const flatness = hit.face ? Math.abs(hit.face.normal.clone().transformDirection(hit.object.matrixWorld).y) : 1;
    return { point: hit.point, object: hit.object, flatness };
  }

  /** Where a point of the world is in the window, CSS pixels; null if it is behind the eyes. */
  project(point: Vector3): readonly [x: number, y: number] | null {
    const seen = point.clone().applyMatrix4(this.camera.matrixWorldInverse);
    if (seen.z > -this.camera.near) return null;
    seen.applyMatrix4(this.camera.projectionMatrix);
    return [((seen.x + 1) / 2) * this.width, ((1 - seen.y) / 2) * this.height];
  }

  private arrive(stand: Stand): void {
    this.body.stand(stand.camera.position, stand.camera.rotation);
    this.standing = stand;
    this.layers.show(stand);
    this.zoom = 1;
  }

  private fly(to: Seeing, stand: Stand | null, arrived: () => void): void {
    const from = { eyes: this.camera.position.clone(), rotation: this.camera.quaternion.clone(), lens: this.lens() };
    const seconds = this.still ? 0 : Math.min(2.4, 0.7 + (0.25 * from.eyes.distanceTo(to.eyes)) / this.site.size);
    this.flight = { from, to, seconds, stand, arrived, done: 0 };
    this.request();
  }

  /** The window as it sees when nobody stands in a picture. */
  private wide(): Lens {
    const focal = Math.min(this.height / 2 / Math.tan(0.57), this.width / 2 / Math.tan(0.44));
    return { focal, aspect: 1, x: 0, y: 0 };
  }

  /** The window as it sees all of a picture, as its camera did. */
  private lensOf({ camera }: Stand): Lens {
    const scale = Math.min(this.width / camera.width, this.height / camera.height);
    const off = [camera.cx - camera.width / 2, camera.cy - camera.height / 2].map((each) => each * scale);
    return { focal: camera.fy * scale, aspect: camera.fy / camera.fx, x: off[0] ?? 0, y: off[1] ?? 0 };
  }

  private lens(): Lens {
    return this.standing ? between(this.wide(), this.lensOf(this.standing), this.body.own) : this.wide();
  }

  private aim(): void {
    const { camera, flight } = this;
    let lens = this.lens();
    camera.position.copy(this.body.eyes);
    camera.quaternion.copy(this.body.rotation);
    if (flight) {
      const share = flight.done * flight.done * (3 - 2 * flight.done);
      camera.position.lerpVectors(flight.from.eyes, flight.to.eyes, share);
      camera.quaternion.slerpQuaternions(flight.from.rotation, flight.to.rotation, share);
      lens = between(flight.from.lens, flight.to.lens, share);
    }
    camera.fov = (2 * Math.atan(this.height / 2 / (lens.focal * this.zoom)) * 180) / Math.PI;
    camera.near = 0.03 * this.site.size;
    camera.far = 20 * this.site.place.depths.farthest + 100 * this.site.size;
    camera.setViewOffset(this.width, this.height, -lens.x * this.zoom, -lens.y * this.zoom, this.width, this.height);
    this.settle((this.width / this.height) * lens.aspect);
  }

  /** The aspect comes last: `setViewOffset` takes pixels to be square. */
  private settle(aspect: number): void {
    this.camera.aspect = aspect;
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
  }

  private frame(now: number): void {
    this.waiting = false;
    const seconds = this.last === 0 ? 1 / 60 : Math.min((now - this.last) / 1000, 0.1);
    this.last = now;
    const more = this.flight ? this.advance(seconds) : this.stir(seconds);
    if (this.body.own === 0) this.standing = null;
    if (!this.flight && !this.standing) this.layers.follow(this.camera, this.site.size);
    this.draw();
    this.canvas.dataset["moving"] = String(more);
    if (more) this.request();
    else this.last = 0;
  }

  private advance(seconds: number): boolean {
    const { flight } = this;
    if (!flight) return false;
    flight.done = flight.seconds > 0 ? Math.min(1, flight.done + seconds / flight.seconds) : 1;
    if (flight.stand && flight.done > 0.5) this.layers.show(flight.stand);
    if (flight.done < 1) return true;
    this.flight = null;
    flight.arrived();
    return false;
  }

  private tell(): void {
    const { dataset } = this.canvas;
    dataset["at"] = this.camera.position.toArray().map((each) => each.toFixed(4)).join(" ");
    dataset["feet"] = this.body.feet.y.toFixed(4);
    dataset["yaw"] = this.body.gaze.yaw.toFixed(4);
    dataset["pitch"] = this.body.gaze.pitch.toFixed(4);
    dataset["blocked"] = String(this.body.blocked);
    dataset["shown"] = this.layers.shown?.name ?? "";
    dataset["stand"] = this.standing && this.body.own > 0.99 ? this.standing.name : "";
  }
}
