// A scan or a tour as one walks through it: what is drawn, where its pictures were taken, the way between them, how sure
// its metres are. A tour may have parts that share no frame: each of them is a site of its own.
import { Box3, Group, Vector3 } from "three";
import type { Object3D, PerspectiveCamera } from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import { measureDepths } from "./depths";
import { photoCamera, placeOf, positive, record, toldBy } from "./place";
import type { PhotoCamera, Piece, Place } from "./types";

/** A place where a picture was taken. */
export interface Stand {
  readonly name: string;
  readonly camera: PhotoCamera;
  /** What the picture shows and when it was made, where the file tells. */
  readonly title: string | null;
  readonly date: string | null;
  /** Pictures of the same part stand truly to each other. */
  readonly part: number;
}

/** A way from one picture to another; `at` is its foot. */
export interface Doorway {
  readonly name: string;
  readonly from: Stand;
  readonly to: Stand;
  readonly at: Vector3;
}

/** What is made of the same pictures, and drawn together. */
export interface Layer {
  /** The pictures; none where the file does not tell. */
  readonly stands: readonly Stand[];
  readonly pieces: readonly Piece[];
  /** Its surfaces, and what is only drawn for who looks at these very pictures: their sky, their seams. */
  readonly firm: Group;
  readonly own: Group;
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
  readonly layers: readonly Layer[];
  readonly doors: readonly Doorway[];
  /** The way from picture to picture; of a film, all of its way. */
  readonly path: readonly Vector3[];
  /** Other ways that are free: from pictures to what they see, and to doors. */
  readonly ways: readonly (readonly Vector3[])[];
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
function regionOf(stands: readonly Stand[], doors: readonly Doorway[], solid: readonly Piece[], size: number): Box3 {
  const all = new Box3();
  for (const { object } of solid) all.expandByObject(object);
  const seen = new Box3().setFromPoints(stands.map((stand) => stand.camera.position));
  const reach = Math.max(AROUND * size, AROUND_SHARE * seen.getSize(new Vector3()).length());
  for (const { at } of doors) seen.expandByPoint(at);
  return all.union(seen).intersect(seen.clone().expandByScalar(reach));
}

function textIn(extras: Readonly<Record<string, unknown>>, word: string): string | null {
  const text = extras[word];
  return typeof text === "string" && text ? text : null;
}

function standOf(object: Object3D): Stand | null {
  const camera = photoCamera(object as PerspectiveCamera);
  const extras = { ...record(object.parent?.userData), ...record(object.userData) };
  const part = typeof extras["part"] === "number" ? extras["part"] : 0;
  return camera && { name: nameOf(object), camera, title: textIn(extras, "title"), date: textIn(extras, "date"), part };
}

/** The doors of a file, between pictures that it has. */
function doorsOf(root: Object3D, stands: readonly Stand[]): Doorway[] {
  const doors: Doorway[] = [];
  root.traverse((object) => {
    const door = record(record(object.userData)["door"]);
    const [from, to] = [door["from"], door["to"]].map((name) => stands.find((stand) => stand.name === name));
    if (from && to) doors.push({ name: nameOf(object), from, to, at: object.getWorldPosition(new Vector3()) });
  });
  return doors;
}

/** The pictures that a surface is made of, by its own word or that of the node it hangs on. */
function picturesOf({ object }: Piece): string[] {
  const told = record(object.userData)["pictures"] ?? record(object.parent?.userData)["pictures"];
  return Array.isArray(told) ? told.filter((name): name is string => typeof name === "string") : [];
}

function isGlassy({ object, role }: Piece): boolean {
  const { material } = object;
  return role === "soft" || (Array.isArray(material) ? material : [material]).some(({ transparent }) => transparent);
}

/** Pieces of the same pictures in groups of their own, below the root that they had. */
function layersOf(root: Object3D, pieces: readonly Piece[], stands: readonly Stand[]): Layer[] {
  const found = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const key = JSON.stringify(picturesOf(piece));
    found.set(key, [...(found.get(key) ?? []), piece]);
  }
  return [...found].map(([key, its]) => {
    const names = JSON.parse(key) as string[];
    const [firm, own] = [new Group(), new Group()];
    root.add(firm, own);
    for (const piece of its) (piece.role === "sky" || isGlassy(piece) ? own : firm).attach(piece.object);
    return { stands: stands.filter((stand) => names.includes(stand.name)), pieces: its, firm, own };
  });
}

/** Who stands in a picture may walk towards what is near in it, and to the doors that it shows. */
function waysOf(stands: readonly Stand[], doors: readonly Doorway[], layers: readonly Layer[]): Vector3[][] {
  const ahead = stands.flatMap((stand) => {
    const layer = layers.find((each) => each.stands.length === 1 && each.stands[0] === stand);
    if (!layer) return [];
    const { position, rotation } = stand.camera;
    const reach = measureDepths(stand.camera, layer.pieces).near;
    return [[position, new Vector3(0, 0, -reach).applyQuaternion(rotation).add(position)]];
  });
  return [...ahead, ...doors.map((door) => [door.from.camera.position, door.at])];
}

/** Take over an opened file, part by part; one without cameras is entered where `placeOf` would look at it from. */
export function sitesOf(gltf: GLTF): Site[] {
  const whole = placeOf(gltf);
  const stands = stillCameras(gltf).flatMap((object) => standOf(object) ?? []);
  if (stands.length === 0) stands.push({ name: "start", camera: whole.camera, title: null, date: null, part: 0 });
  const doors = doorsOf(whole.root, stands);
  const parts = [...new Set(stands.map((stand) => stand.part))];
  const partOf = new Map(stands.map((stand) => [stand.name, stand.part]));
  return parts.map((part) => {
    const pieces = whole.pieces.filter((piece) => (partOf.get(picturesOf(piece)[0] ?? "") ?? parts[0]) === part);
    const here = stands.filter((stand) => stand.part === part);
    const camera = here[0]?.camera ?? whole.camera;
    const hasSky = pieces.some((piece) => piece.role === "sky");
    const depths = parts.length > 1 ? measureDepths(camera, pieces) : whole.depths;
    return siteOf(gltf, { ...whole, pieces, camera, depths, hasSky }, here, doors.filter((door) => door.from.part === part));
  });
}

function siteOf(gltf: GLTF, place: Place, stands: Stand[], doors: Doorway[]): Site {
  const way = wayOf(gltf);
  const known = knownBy(gltf);
  const level = toldBy(gltf)["frame"] === "level-rdf";
  const solid = place.pieces.filter((piece) => piece.role === "surface" || piece.role === "hidden");
  const size = known.assumed ? sizeOf(stands, level, place.depths.pivot) : 1;
  const layers = layersOf(place.root, place.pieces, stands);
  return {
    place,
    stands: spread(stands, size),
    layers,
    doors,
    path: way.length > 1 ? way : stands.map((stand) => stand.camera.position),
    ways: waysOf(stands, doors, layers),
    known,
    level,
    solid,
    region: regionOf(stands, doors, solid, size),
    size,
  };
}
