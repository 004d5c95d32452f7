// Opens the GLB inside the page and reads what it says of itself.
import { Box3, Matrix4, Quaternion, Vector3 } from "three";
import type { Mesh, Object3D, PerspectiveCamera, Points, Texture } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { measureDepths } from "./depths";
import type { Depths, PhotoCamera, Piece, Place, Role, SafeReach } from "./types";

/** The share of the picture's longer side that near things may uncover. */
const UNCOVERED = 0.05;
/** No end of what is safe is nearer than this share of the middle depth, so that there is always some depth to see. */
const LEAST = 0.002;
/** The share of the near depth that the viewpoint moves at most, however flat the place is. */
const CLOSEST = 0.25;

export type Extras = Readonly<Record<string, unknown>>;

export function record(value: unknown): Extras {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Extras) : {};
}

export function positive(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : null;
}

/** Decode base64 in slices, so that no string of the whole file is made twice. */
export function bytesFromBase64(text: string): ArrayBuffer {
  const clean = text.trim();
  const padding = clean.endsWith("==") ? 2 : clean.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((clean.length / 4) * 3 - padding);
  const slice = 1 << 20;
  let at = 0;
  for (let start = 0; start < clean.length; start += slice) {
    const part = atob(clean.slice(start, start + slice));
    for (let i = 0; i < part.length; i++) bytes[at++] = part.charCodeAt(i);
  }
  return bytes.buffer;
}

const ROLES: readonly Role[] = ["surface", "sky", "hidden", "soft", "beyond"];

function piecesOf(root: Object3D): Piece[] {
  const pieces: Piece[] = [];
  const visit = (object: Object3D, inherited: Piece["role"]): void => {
    const own = record(object.userData)["role"];
    const role = ROLES.find((each) => each === own) ?? inherited;
    if ("isMesh" in object || "isPoints" in object) pieces.push({ object: object as Mesh | Points, role });
    for (const child of object.children) visit(child, role);
  };
  visit(root, "surface");
  return pieces;
}

/** A camera of the file, with its pixels in extras or with an angle of view alone; null if it is of no known kind. */
export function photoCamera(seeing: Object3D): PhotoCamera | null {
  seeing.updateWorldMatrix(true, false);
  const position = new Vector3();
  const rotation = new Quaternion();
  seeing.matrixWorld.decompose(position, rotation, new Vector3());
  const extras = { ...record(seeing.parent?.userData), ...record(seeing.userData) };
  const [fx, fy] = [positive(extras["fx"]), positive(extras["fy"])];
  const [width, height] = [positive(extras["width"]), positive(extras["height"])];
  const [cx, cy] = [extras["cx"], extras["cy"]];
  if (fx && fy && width && height && typeof cx === "number" && typeof cy === "number") {
    const around = Array.isArray(extras["panorama"]);
    return { fx, fy, cx, cy, width, height, position, rotation, around };
  }
  if (!("isPerspectiveCamera" in seeing)) return null;
  const { fov, aspect } = seeing as PerspectiveCamera;
  const tall = 1000;
  const focal = tall / 2 / Math.tan((fov * Math.PI) / 360);
  const wide = tall * (aspect || 4 / 3);
  return { fx: focal, fy: focal, cx: wide / 2, cy: tall / 2, width: wide, height: tall, position, rotation, around: false };
}

/** A camera for files without one: in front of the thing, far enough to see all of it. */
function cameraBefore(root: Object3D): PhotoCamera {
  const box = new Box3().setFromObject(root);
  const centre = box.isEmpty() ? new Vector3() : box.getCenter(new Vector3());
  const radius = box.isEmpty() ? 1 : Math.max(box.getSize(new Vector3()).length() / 2, 1e-3);
  const [width, height, focal] = [1200, 900, 1200];
  const position = centre.add(new Vector3(0, 0, (radius * focal) / (height / 2) + radius * 0.2));
  const rotation = new Quaternion();
  return { fx: focal, fy: focal, cx: 600, cy: 450, width, height, position, rotation, around: false };
}

/**
 * How far the viewpoint may go. The file's own `extras.unflat.safe_view` holds. Without it, the rule: a step aside by r moves what is z away by focal · r / z pixels, so near things (nearer than 95 % of the picture)
 * uncover focal · r · (1 / near − 1 / far) pixels of what lies behind them. That may be 5 % of the picture's longer
 * side; and r is at most a quarter of the near depth. A sky is infinitely far.
 */
function safeReach(unflat: Extras, camera: PhotoCamera, depths: Depths, hasSky: boolean): SafeReach {
  const stated = record(unflat["safe_view"]);
  const [left, right, up, down, nearer] = ["left", "right", "up", "down", "nearer"].map((side) => {
    const value = stated[side];
    return typeof value === "number" && value >= 0 ? Math.max(value, LEAST * depths.pivot) : null;
  });
  if (left && right && up && down && nearer) return { left, right, up, down, nearer, back: Math.max(left, right, nearer) };
  const ends = { near: 1 / depths.near, far: hasSky ? 0 : 1 / depths.far };
  const radius = positive(stated["radius"]) ?? ruledRadius(camera, ends, UNCOVERED);
  return { left: radius, right: radius, up: radius, down: radius, nearer: radius, back: radius };
}

/** The rule itself, for the inverse depths of what is near and far, and the share of the longer side to uncover. */
export function ruledRadius(camera: PhotoCamera, inverse: { readonly near: number; readonly far: number }, share: number): number {
  const apart = Math.max(camera.fx, camera.fy) * (inverse.near - inverse.far);
  return Math.min((share * Math.max(camera.width, camera.height)) / apart, CLOSEST / inverse.near);
}

/** Open the GLB in `bytes`. Anything it refers to outside itself is refused by the page's security policy. */
export async function openFile(bytes: ArrayBuffer): Promise<GLTF> {
  const gltf = await new GLTFLoader().parseAsync(bytes, "");
  gltf.scene.updateMatrixWorld(true);
  return gltf;
}

/** What the file says of itself: `asset.extras.unflat`. */
export function toldBy(gltf: GLTF): Extras {
  return record(record((gltf.asset as unknown as Extras)["extras"])["unflat"]);
}

/** What an open file holds, as its first camera saw it. */
export function placeOf(gltf: GLTF): Place {
  const pieces = piecesOf(gltf.scene);
  if (pieces.length === 0) throw new Error("the file holds nothing that can be drawn");
  const first = gltf.cameras[0];
  const found = first ? photoCamera(first) : null;
  const camera = found ?? cameraBefore(gltf.scene);
  const depths = measureDepths(camera, pieces);
  const unflat = toldBy(gltf);
  const scale = record(unflat["scale"]);
  const hasSky = pieces.some((piece) => piece.role === "sky");
  const safe = safeReach(unflat, camera, depths, hasSky);
  const has = (name: string): boolean => pieces.some((piece) => piece.object.geometry.hasAttribute(name));
  return {
    root: gltf.scene,
    pieces,
    camera,
    depths,
    photographed: found !== null,
    hasConfidence: has("_confidence"),
    hasSky,
    hasTriangles: pieces.some((piece) => "isMesh" in piece.object),
    scaleAssumed: scale["basis"] === "assumed" || scale["assumed"] === true || scale["basis"] === undefined,
    safe,
    safeRadius: Math.min(safe.left, safe.right, safe.up, safe.down),
  };
}

/** Open the GLB in `bytes` as a place. */
export async function openPlace(bytes: ArrayBuffer): Promise<Place> {
  return placeOf(await openFile(bytes));
}

/** The picture itself, for the colour of the room around it; null if nothing has a texture. */
export function pictureOf(place: Place): Texture | null {
  for (const piece of place.pieces) {
    const material = piece.object.material;
    const map = Array.isArray(material) ? null : (material as { map?: Texture | null }).map;
    if (map && piece.role === "surface") return map;
  }
  return null;
}

/** camera_from_world of the photograph. */
export function photoView(camera: PhotoCamera): Matrix4 {
  return new Matrix4().compose(camera.position, camera.rotation, new Vector3(1, 1, 1)).invert();
}
