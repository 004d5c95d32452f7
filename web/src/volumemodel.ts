// A model as a visitor handles it: its tissues (or parts), the pins on it, and which frame it is in.
import { Box3, DoubleSide, Group, Mesh as ThreeMesh, MeshBasicMaterial, MeshStandardMaterial, PointsMaterial, Vector3 } from "three";
import type { BufferAttribute, BufferGeometry, Color, Material, Mesh, Object3D, Points } from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { record, toldBy } from "./place";

/** What has a colour, an opacity and a map to draw with. */
type Paint = MeshStandardMaterial | MeshBasicMaterial | PointsMaterial;

/** One named part of the model. */
export interface Tissue {
  readonly name: string;
  /** What is drawn; its parent moves it apart. */
  readonly object: Mesh | Points;
  readonly holder: Group;
  readonly paint: Paint;
  /** Its depth alone, drawn before it where it is half transparent: one sees its nearest side, and not its far one. */
  readonly veil: Mesh | null;
  /** Where it is when nothing is moved apart. */
  readonly box: Box3;
  readonly middle: Vector3;
  /** True if its colour is that of its finish, not of a picture or of its corners. */
  readonly plain: boolean;
  /** True if it is made of triangles. */
  readonly surface: boolean;
  shown: boolean;
}

/** A text that points at a place of the model. */
export interface PinSpot {
  readonly text: string;
  readonly detail: string;
  readonly tissue: Tissue | null;
  readonly at: Vector3;
}

export interface Model {
  readonly tissues: readonly Tissue[];
  readonly pins: readonly PinSpot[];
  /** All tissues, in groups that move apart. */
  readonly root: Group;
  /** True if it is a patient: x to the patient's left, y to the head, z to the front. */
  readonly patient: boolean;
  readonly middle: Vector3;
  readonly radius: number;
  /** True if nothing told how large it is. */
  readonly assumed: boolean;
}

/** Drawn first, and with depth; and what is half transparent, after it. */
export const SOLID = 0;
export const SHEER = 1;

function nameOf(object: Object3D): string {
  for (const each of [object, object.parent]) {
    const told = record(each?.userData)["name"];
    if (typeof told === "string" && told) return told;
  }
  return object.name || "part";
}

function paintOf(object: Mesh | Points): { paint: Paint; plain: boolean } {
  const first = (Array.isArray(object.material) ? object.material[0] : object.material) as Material & { map?: unknown; vertexColors?: boolean };
  const plain = !first.map && !first.vertexColors;
  if (first instanceof MeshStandardMaterial || first instanceof MeshBasicMaterial || first instanceof PointsMaterial) {
    // Every part gets a paint of its own: files share them.
    const paint = first.clone();
    paint.side = DoubleSide;
    return { paint, plain };
  }
  return { paint: new MeshStandardMaterial({ color: 0x999999, side: DoubleSide }), plain };
}

function tissueOf(object: Mesh | Points, root: Group): Tissue {
  const { paint, plain } = paintOf(object);
  const geometry = object.geometry as BufferGeometry;
  geometry.applyMatrix4(object.matrixWorld);
  if ("isMesh" in object && !geometry.hasAttribute("normal")) geometry.computeVertexNormals();
  const name = nameOf(object);
  object.removeFromParent();
  object.matrix.identity().decompose(object.position, object.quaternion, object.scale);
  object.material = paint;
  const holder = new Group().add(object);
  root.add(holder);
  geometry.computeBoundingBox();
  const box = geometry.boundingBox?.clone() ?? new Box3();
  const surface = "isMesh" in object;
  const veil = surface ? new ThreeMesh(geometry, new MeshBasicMaterial({ colorWrite: false, side: DoubleSide, transparent: true })) : null;
  if (veil) {
    veil.layers.set(SHEER);
    veil.visible = false;
    veil.raycast = (): void => undefined;
    holder.add(veil);
  }
  return { name, object, holder, paint, veil, box, middle: box.getCenter(new Vector3()), plain, surface, shown: true };
}

function pinOf(object: Object3D, tissues: readonly Tissue[]): PinSpot | null {
  const told = record(record(object.userData)["pin"]);
  const { text, detail, node } = told;
  if (typeof text !== "string") return null;
  const tissue = tissues.find(({ name }) => name === node) ?? null;
  return { text, detail: typeof detail === "string" ? detail : "", tissue, at: object.getWorldPosition(new Vector3()) };
}

/** How far the farthest corner is from the middle. */
function radiusOf(tissues: readonly Tissue[], middle: Vector3): number {
  const place = new Vector3();
  let far = 1e-6;
  for (const { object } of tissues) {
    const places = object.geometry.getAttribute("position") as BufferAttribute;
    for (let at = 0; at < places.count; at++) far = Math.max(far, place.fromBufferAttribute(places, at).distanceTo(middle));
  }
  return far;
}

/** Take over an opened file. */
export function modelOf(gltf: GLTF): Model {
  const found: (Mesh | Points)[] = [];
  const objects: Object3D[] = [];
  gltf.scene.traverse((object) => {
    objects.push(object);
    if ("isMesh" in object || "isPoints" in object) found.push(object as Mesh | Points);
  });
  if (found.length === 0) throw new Error("the file holds nothing that can be drawn");
  const root = new Group();
  const places = objects.filter((object) => "pin" in object.userData);
  const tissues = found.map((object) => tissueOf(object, root));
  // What is small lies within what is large, and half transparent things are drawn from the inside out.
  [...tissues].sort((a, b) => sizeOf(a) - sizeOf(b)).forEach((tissue, at) => {
    tissue.object.renderOrder = 2 * at + 1;
    if (tissue.veil) tissue.veil.renderOrder = 2 * at;
  });
  const pins = places.flatMap((object) => pinOf(object, tissues) ?? []);
  const told = toldBy(gltf);
  const all = tissues.reduce((box, tissue) => box.union(tissue.box), new Box3());
  const scale = record(told["scale"]);
  const assumed = scale["basis"] === "assumed" || scale["assumed"] === true || scale["basis"] === undefined;
  const middle = all.getCenter(new Vector3());
  return { tissues, pins, root, patient: told["frame"] === "patient-lps", middle, radius: radiusOf(tissues, middle), assumed };
}

/** How much of what is behind a tissue it hides, 0..1; decides in which pass it is drawn. */
export function setOpacity(tissue: Tissue, opacity: number): void {
  const { paint, object } = tissue;
  const sheer = opacity < 0.995;
  if (paint.transparent !== sheer) paint.needsUpdate = true;
  paint.opacity = opacity;
  paint.transparent = sheer;
  object.layers.set(sheer ? SHEER : SOLID);
  if (tissue.veil) tissue.veil.visible = sheer && opacity > 0.005;
}

/** How large a tissue is, by its box. */
export function sizeOf({ box }: Tissue): number {
  const size = box.getSize(new Vector3());
  return size.x * size.y * size.z;
}

/** A colour as CSS and inputs have it. */
export function hexOf(color: Color): string {
  return `#${color.getHexString()}`;
}

/** How far a tissue was moved. */
export function offsetOf(tissue: Tissue | null): Vector3 {
  return tissue ? tissue.holder.position : new Vector3();
}
