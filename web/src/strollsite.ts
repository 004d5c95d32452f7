// A scan as one walks through it: what is drawn, where its pictures were taken, the way between them, how sure its
// metres are.
import { Box3, Vector3 } from "three";
import type { Object3D, PerspectiveCamera } from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { photoCamera, placeOf, positive, record, toldBy } from "./place";
import type { PhotoCamera, Piece, Place } from "./types";

/** A place where a picture was taken. */
export interface Stand {
  readonly name: string;
  readonly camera: PhotoCamera;
}

/** How well the metres are known: true lengths are `low` to `high` times those of the file. */
export interface Known {
  readonly low: number;
  readonly high: number;
  readonly assumed: boolean;
}

/** One scan, opened. */
export interface Site {
  readonly place: Place;
  readonly stands: readonly Stand[];
  /** The way from picture to picture; of a film, all of its way. */
  readonly path: readonly Vector3[];
  readonly known: Known;
  /** True if the floor is at the height 0. */
  readonly level: boolean;
  /** What stops a visitor. */
  readonly solid: readonly Piece[];
  /** The part of the space that one walks in. */
  readonly region: Box3;
  /** How tall the visitor is, as a multiple of somebody whose eyes are 1.6 m above the ground. */
  readonly size: number;
}

/** Eyes above the ground, metres. */
export const EYE = 1.6;
/** So far around the cameras one may walk, metres, and as a share of how far the cameras are apart. */
const AROUND = 12;
const AROUND_SHARE = 1;
/** How far what people photograph is away from them, metres. */
const USUAL_DEPTH = 5;
/** Pictures of places nearer to each other than both are not all marked. */
const APART_M = 0.25;
const APART_RADIANS = 0.5;
const MOST_STANDS = 120;

function nameOf(object: Object3D): string {
  const told = record(object.userData)["name"] ?? record(object.parent?.userData)["name"];
  return typeof told === "string" && told ? told : object.name || "picture";
}

/** Cameras that animations move stand nowhere. */
function stillCameras(gltf: GLTF): Object3D[] {
  const moved = new Set(gltf.animations.flatMap((clip) => clip.tracks.map((track) => track.name.split(".")[0])));
  return gltf.cameras.filter((camera) => ![camera, camera.parent].some((each) => each && (moved.has(each.name) || moved.has(each.uuid))));
}

/** The places that the first animated camera goes through. */
function wayOf(gltf: GLTF): Vector3[] {
  for (const clip of gltf.animations) {
    const track = clip.tracks.find((each) => each.name.endsWith(".position"));
    if (!track) continue;
    const values = Array.from(track.values);
    return track.times.length < 2 ? [] : Array.from(track.times, (_, at) => new Vector3().fromArray(values, 3 * at));
  }
  return [];
}

function knownBy(gltf: GLTF): Known {
  const scale = record(toldBy(gltf)["scale"]);
  const assumed = scale["assumed"] === true || scale["basis"] === "assumed" || scale["basis"] === undefined;
  return { low: positive(scale["low"]) ?? 1, high: positive(scale["high"]) ?? 1, assumed };
}

/** Of places that are near each other and look the same way one stands for all: films have hundreds. */
function spread(stands: readonly Stand[], size: number): Stand[] {
  const kept: Stand[] = [];
  const alike = (a: PhotoCamera, b: PhotoCamera): boolean =>
    a.position.distanceTo(b.position) < APART_M * size && a.rotation.angleTo(b.rotation) < APART_RADIANS;
  for (const stand of stands) if (!kept.some(({ camera }) => alike(camera, stand.camera))) kept.push(stand);
  const step = Math.ceil(kept.length / MOST_STANDS);
  return kept.filter((_, at) => at % step === 0);
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}

/**
 * How tall the visitor is where nothing told the metres: as tall as whoever took the pictures, or, where the floor is not
 * known, so tall that things are as far away as they are from people.
 */
function sizeOf(stands: readonly Stand[], level: boolean, depth: number): number {
  const height = median(stands.map((stand) => stand.camera.position.y));
  const size = level && height > 0 ? height / EYE : depth / USUAL_DEPTH;
  return Math.min(20, Math.max(0.02, size));
}

/** Where one walks: around the cameras, and no farther than there is something. */
function regionOf(stands: readonly Stand[], solid: readonly Piece[], size: number): Box3 {
  const all = new Box3();
  for (const { object } of solid) all.expandByObject(object);
  const seen = new Box3().setFromPoints(stands.map((stand) => stand.camera.position));
  const reach = Math.max(AROUND * size, AROUND_SHARE * seen.getSize(new Vector3()).length());
  return all.union(seen).intersect(seen.clone().expandByScalar(reach));
}

/** Take over an opened file; one without cameras is entered where `placeOf` would look at it from. */
export function siteOf(gltf: GLTF): Site {
  const place = placeOf(gltf);
  const stands: Stand[] = [];
  for (const object of stillCameras(gltf)) {
    const camera = photoCamera(object as PerspectiveCamera);
    if (camera) stands.push({ name: nameOf(object), camera });
  }
  if (stands.length === 0) stands.push({ name: "start", camera: place.camera });
  const way = wayOf(gltf);
  const known = knownBy(gltf);
  const level = toldBy(gltf)["frame"] === "level-rdf";
  const solid = place.pieces.filter((piece) => piece.role === "surface" || piece.role === "hidden");
  const size = known.assumed ? sizeOf(stands, level, place.depths.pivot) : 1;
  return {
    place,
    stands: spread(stands, size),
    path: way.length > 1 ? way : stands.map((stand) => stand.camera.position),
    known,
    level,
    solid,
    region: regionOf(stands, solid, size),
    size,
  };
}
