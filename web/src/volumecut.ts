// A plane that cuts surfaces and scan alike. What is cut open looks solid: wherever a closed surface is cut, its colour (or
// what the scan measured there) fills the plane.
//
// Caps by counting: along each line of sight the cut surface turns its back as often as its front, unless the plane is
// inside it. The stencil counts, tissue by tissue, from the largest to the smallest, so that what lies within is seen.
import {
  AlwaysStencilFunc, BackSide, DecrementWrapStencilOp, FrontSide, GLSL3, IncrementWrapStencilOp, KeepStencilOp, Matrix4, Mesh, MeshBasicMaterial, NotEqualStencilFunc,
  Plane, PlaneGeometry, Quaternion, RawShaderMaterial, ReplaceStencilOp, Vector2, Vector3,
} from "three";
import type { Material, Side, Texture } from "three";
import { SOLID, sizeOf } from "./volumemodel";
import type { Model, Tissue } from "./volumemodel";

const CAP_VERTEX = /* glsl */ `
  in vec3 position;
  uniform mat4 modelMatrix;
  uniform mat4 viewMatrix;
  uniform mat4 projectionMatrix;
  out vec3 place;
  void main() {
    vec4 world = modelMatrix * vec4(position, 1.0);
    place = world.xyz;
    gl_Position = projectionMatrix * viewMatrix * world;
  }`;

const CAP_FRAGMENT = /* glsl */ `
  precision highp float;
  precision highp sampler3D;
  uniform vec3 color;
  uniform float opacity;
  uniform bool grey;
  uniform bool whole;
  uniform sampler3D scan;
  uniform mat4 texFromWorld;
  uniform vec3 offset;
  uniform vec2 window;
  in vec3 place;
  out vec4 texel;
  void main() {
    texel = vec4(color, opacity);
    if (!grey) return;
    vec3 at = (texFromWorld * vec4(place - offset, 1.0)).xyz;
    bool inside = all(greaterThanEqual(at, vec3(0.0))) && all(lessThanEqual(at, vec3(1.0)));
    if (!inside) {
      if (whole) discard;
      return;
    }
    float level = clamp((texture(scan, at).r - window.x) / max(window.y - window.x, 1e-6), 0.0, 1.0);
    // What is darker than the grey scale, mostly air, is not filled where no part is cut.
    if (whole && level <= 0.0) discard;
    float linear = level <= 0.04045 ? level / 12.92 : pow((level + 0.055) / 1.055, 2.4);
    texel = vec4(whole ? vec3(linear) : mix(vec3(linear), linear * color * 1.4, 0.3), 1.0);
  }`;

/** What the scan gives to the cut. */
export interface CutScan {
  readonly texture: Texture;
  readonly texFromWorld: Matrix4;
  /** Both ends of the grey scale, in the numbers of the texture. */
  readonly window: Vector2;
}

interface Cap {
  readonly tissue: Tissue;
  readonly counters: readonly Mesh[];
  readonly lid: Mesh;
  readonly paint: RawShaderMaterial;
}

/** Ways to cut: the part that is taken away is the first of the two. */
export type CutWay = "front" | "side" | "above" | "free";
const NORMALS: Readonly<Record<Exclude<CutWay, "free">, Vector3>> = { front: new Vector3(0, 0, -1), side: new Vector3(-1, 0, 0), above: new Vector3(0, -1, 0) };

export class Cut {
  /** What is on its positive side stays. */
  readonly plane = new Plane(new Vector3(0, 0, -1), 0);
  on = false;
  /** The scan, rather than the colours, lies on the cut. */
  grey = false;
  way: CutWay = "front";
  private readonly caps: Cap[];
  private readonly sheet: Cap | null;
  private readonly clipping: Plane[];

  constructor(private readonly model: Model, private readonly scan: CutScan | null) {
    this.clipping = [this.plane];
    const lidShape = new PlaneGeometry(8 * model.radius, 8 * model.radius);
    const bySize = model.tissues.filter(({ surface }) => surface).sort((a, b) => sizeOf(b) - sizeOf(a));
    this.caps = bySize.map((tissue, at) => this.cap(tissue, 10 + 2 * at, lidShape));
    this.sheet = scan ? this.wholeSheet(lidShape) : null;
    this.choose("front");
  }

  /** Cut the other way; the cut goes through the middle of the model. */
  choose(way: CutWay): void {
    this.way = way;
    if (way !== "free") this.plane.normal.copy(NORMALS[way]);
    this.place = 0;
  }

  flip(): void {
    this.plane.negate();
  }

  /** Cut across the way one looks. */
  face(ahead: Vector3): void {
    this.way = "free";
    this.plane.normal.copy(ahead);
    this.place = 0;
  }

  /** Turn the plane about the point of it that is nearest to the middle. */
  turn(normal: Vector3): void {
    const held = this.middle;
    this.way = "free";
    this.plane.setFromNormalAndCoplanarPoint(normal.clone().normalize(), held);
  }

  /** Where the plane is, -1..1 through the model; grows with what is taken away. */
  get place(): number {
    return this.plane.distanceToPoint(this.model.middle) / -this.reach;
  }

  set place(share: number) {
    this.plane.constant = -this.plane.normal.dot(this.model.middle) - share * this.reach;
  }

  /** The point of the plane that is nearest to the middle of the model. */
  get middle(): Vector3 {
    return this.plane.projectPoint(this.model.middle, new Vector3());
  }

  /** From the middle to the farthest place of the plane: half of the box along the normal. */
  get reach(): number {
    const size = this.model.tissues.reduce((box, tissue) => box.max(tissue.box.max.clone().sub(tissue.box.min)), new Vector3());
    const { normal } = this.plane;
    const along = 0.5 * (Math.abs(normal.x) * size.x + Math.abs(normal.y) * size.y + Math.abs(normal.z) * size.z);
    return Math.max(along * 1.02, 1e-9);
  }

  /** Whether a place is cut away. */
  takes(point: Vector3): boolean {
    return this.on && this.plane.distanceToPoint(point) < 0;
  }

  /** Bring all that is drawn up to date. */
  settle(): void {
    const turn = new Quaternion().setFromUnitVectors(new Vector3(0, 0, 1), this.plane.normal);
    for (const tissue of this.model.tissues) {
      for (const paint of [tissue.paint, tissue.veil?.material as Material | undefined]) {
        if (!paint || (paint.clippingPlanes?.length ?? 0) === (this.on ? 1 : 0)) continue;
        paint.clippingPlanes = this.on ? this.clipping : [];
        paint.needsUpdate = true;
      }
    }
    for (const cap of [...this.caps, ...(this.sheet ? [this.sheet] : [])]) this.settleCap(cap, turn);
  }

  private settleCap(cap: Cap, turn: Quaternion): void {
    const { tissue, counters, lid, paint } = cap;
    const whole = cap === this.sheet;
    const shown = this.on && (whole ? this.grey : tissue.shown && tissue.paint.opacity > 0.005);
    for (const mesh of [...counters, lid]) mesh.visible = shown;
    if (!shown) return;
    lid.position.copy(this.middle);
    lid.quaternion.copy(turn);
    const { color, opacity, grey, offset } = paint.uniforms;
    if (color && !whole) color.value = tissue.plain ? tissue.paint.color : tissue.paint.color.clone().multiplyScalar(0.6);
    if (opacity) opacity.value = whole ? 1 : Math.min(1, tissue.paint.opacity * 1.25);
    if (grey) grey.value = this.grey && this.scan !== null;
    if (offset && !whole) offset.value = tissue.holder.position;
  }

  private cap(tissue: Tissue, order: number, lidShape: PlaneGeometry): Cap {
    const counters = ([[BackSide, IncrementWrapStencilOp], [FrontSide, DecrementWrapStencilOp]] as const).map(([side, op]) => {
      const mesh = new Mesh(tissue.object.geometry, this.counter(side, op));
      mesh.renderOrder = order;
      mesh.raycast = (): void => undefined;
      tissue.holder.add(mesh);
      return mesh;
    });
    const paint = this.paint(false);
    Object.assign(paint, { stencilWrite: true, stencilRef: 0, stencilFunc: NotEqualStencilFunc, stencilFail: ReplaceStencilOp, stencilZFail: ReplaceStencilOp, stencilZPass: ReplaceStencilOp });
    return { tissue, counters, lid: this.lid(lidShape, paint, order + 1, true), paint };
  }

  private wholeSheet(lidShape: PlaneGeometry): Cap {
    const paint = this.paint(true);
    const tissue = this.model.tissues[0] as Tissue;
    return { tissue, counters: [], lid: this.lid(lidShape, paint, 5, false), paint };
  }

  private lid(shape: PlaneGeometry, paint: RawShaderMaterial, order: number, clears: boolean): Mesh {
    const lid = new Mesh(shape, paint);
    lid.renderOrder = order;
    lid.frustumCulled = false;
    lid.raycast = (): void => undefined;
    lid.layers.set(SOLID);
    if (clears) lid.onAfterRender = (renderer): void => renderer.clearStencil();
    this.model.root.add(lid);
    return lid;
  }

  private counter(side: Side, op: typeof IncrementWrapStencilOp | typeof DecrementWrapStencilOp): MeshBasicMaterial {
    return new MeshBasicMaterial({
      side,
      // Drawn in the order of caps, which is that of what is transparent.
      transparent: true,
      colorWrite: false,
      depthWrite: false,
      depthTest: false,
      clippingPlanes: this.clipping,
      stencilWrite: true,
      stencilFunc: AlwaysStencilFunc,
      stencilFail: KeepStencilOp,
      stencilZFail: op,
      stencilZPass: op,
    });
  }

  private paint(whole: boolean): RawShaderMaterial {
    const { scan } = this;
    const uniforms = {
      color: { value: new Vector3(1, 1, 1) as unknown },
      opacity: { value: 1 },
      grey: { value: whole },
      whole: { value: whole },
      scan: { value: scan?.texture ?? null },
      texFromWorld: { value: scan?.texFromWorld ?? new Matrix4() },
      offset: { value: new Vector3() },
      window: { value: scan?.window ?? new Vector2() },
    };
    return new RawShaderMaterial({ glslVersion: GLSL3, vertexShader: CAP_VERTEX, fragmentShader: CAP_FRAGMENT, uniforms, side: 2, transparent: true, depthWrite: true });
  }
}
