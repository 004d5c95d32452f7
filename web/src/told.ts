// What a clip's page says of its film: how a frame is packed, the camera, and the depths of every shot.
import { Quaternion, Vector3 } from "three";
import { ruledRadius } from "./place";
import type { PhotoCamera, Place, Spot } from "./types";

/** Metres to the middle of a shot whose size nobody knows. */
const ASSUMED = 2.5;

/** A shot as the page has it: when it begins (seconds), inverse depths, and the metres of a depth of 1 or null. */
type Shot = readonly [start: number, near: number, far: number, metres: number | null];

/** Written by formats/clip_page.py. Sizes are [width, height] in pixels; the rows count from the top. */
export interface Told {
  readonly colour: readonly [number, number];
  readonly depth: readonly [number, number];
  readonly frame: readonly [number, number];
  /** The row where the depth begins. */
  readonly top: number;
  /** The row where the strip with the range begins, and the side of its cells. */
  readonly strip: number;
  readonly cell: number;
  /** The levels of grey of the strip's first cells, 0..1. */
  readonly ruler: readonly number[];
  /** Periods of the waves. */
  readonly waves: number;
  /** Horizontal angle of view, degrees. */
  readonly fov: number;
  readonly fps: number;
  /** How long pictures are shown; the sound may go on. */
  readonly seconds: number;
  readonly sound: boolean;
  /** The share of the longer side that a safe view may uncover. */
  readonly share: number;
  readonly shots: readonly Shot[];
}

/** A shot to stand in: its place, and how its numbers become metres. */
export interface Scene extends Spot, Pick<Place, "scaleAssumed" | "hasSky"> {
  readonly start: number;
  /** Metres of a depth of 1. */
  readonly metres: number;
}

function cameraOf(told: Told): PhotoCamera {
  const [width, height] = told.colour;
  const focal = width / 2 / Math.tan((told.fov * Math.PI) / 360);
  const [cx, cy] = [width / 2, height / 2];
  return { fx: focal, fy: focal, cx, cy, width, height, position: new Vector3(), rotation: new Quaternion(), around: false };
}

/** The shots, in order of time. */
export function scenesOf(told: Told): Scene[] {
  const camera = cameraOf(told);
  return told.shots.map(([start, near, far, metres]) => {
    // What is halfway in parallax stays where it is while one moves; sky has no depth that could count.
    const middle = 2 / (near + far);
    const unit = metres ?? ASSUMED / middle;
    const inverse = { near: near / unit, far: Math.min(far, 0.999 * near) / unit };
    const radius = ruledRadius(camera, inverse, told.share);
    const farthest = 1 / Math.max(inverse.far, inverse.near / 1000);
    return {
      start,
      metres: unit,
      camera,
      depths: { near: 1 / inverse.near, far: farthest, pivot: unit * middle, nearest: 0.5 / inverse.near, farthest: 1.5 * farthest },
      photographed: true,
      scaleAssumed: metres === null,
      hasSky: false,
      safe: { left: radius, right: radius, up: radius, down: radius, nearer: radius, back: radius },
      safeRadius: radius,
    };
  });
}

/** Which shot is shown at a time of the film. */
export function sceneAt(scenes: readonly Scene[], time: number): Scene {
  // A frame's own time may be rounded either way; no shot is shorter than a frame.
  const begun = scenes.filter((scene) => scene.start <= time + 1e-3);
  const found = begun[begun.length - 1] ?? scenes[0];
  if (!found) throw new Error("the page tells of no shot");
  return found;
}
