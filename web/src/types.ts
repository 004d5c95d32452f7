// What the parts of the viewer tell each other. Lengths are metres; the axes are glTF's: x right, y up, z towards you.
import type { Group, Points, Mesh, Quaternion, Vector3, WebGLRenderer } from "three";
import type { Rig } from "./rig";

export type Mode = "picture" | "depth" | "confidence";

/** The camera that took the photograph. Pixels count from the top left corner of the picture. */
export interface PhotoCamera {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly width: number;
  readonly height: number;
  readonly position: Vector3;
  readonly rotation: Quaternion;
  /** True if the picture looks all around (or far around) from where it stands; the rest is a window into it. */
  readonly around: boolean;
}

/** What a piece is: seen, the sky, continued behind outlines, a half transparent seam, or beyond the picture's border. */
export type Role = "surface" | "sky" | "hidden" | "soft" | "beyond";

/** Something that is drawn, and what it is. */
export interface Piece {
  readonly object: Mesh | Points;
  readonly role: Role;
}

/** Depths (metres along the photograph's view) that the rules of the viewer stand on. */
export interface Depths {
  /** Five per cent of the picture's surface is nearer than this. */
  readonly near: number;
  /** Two per cent of the picture's surface is farther than this. */
  readonly far: number;
  /** The median in the middle third of the picture: the point that an orbit turns about. */
  readonly pivot: number;
  /** The nearest and the farthest vertex, sky included. */
  readonly nearest: number;
  readonly farthest: number;
}

/** One file, opened. */
export interface Place {
  readonly root: Group;
  readonly pieces: readonly Piece[];
  readonly camera: PhotoCamera;
  readonly depths: Depths;
  /** True if the file holds the camera of a photograph; then the viewpoint is limited. */
  readonly photographed: boolean;
  readonly hasConfidence: boolean;
  readonly hasSky: boolean;
  readonly hasTriangles: boolean;
  readonly scaleAssumed: boolean;
  /** How far the viewpoint may leave the photograph's before the guess begins. */
  readonly safe: SafeReach;
  /** The least of its sides: how far the viewpoint may go whichever way aside, metres. */
  readonly safeRadius: number;
}

/** What moving about has to know of a place. */
export type Spot = Pick<Place, "camera" | "depths" | "safe" | "safeRadius" | "photographed">;

/** What hands and senses move. */
export interface Movable {
  readonly canvas: HTMLCanvasElement;
  readonly rig: Rig;
  /** True if the visitor asked for little motion. */
  readonly still: boolean;
  /** Draw soon. */
  request(): void;
}

/** What a headset steps into. */
export interface Enterable {
  readonly canvas: HTMLCanvasElement;
  readonly rig: Pick<Rig, "reset">;
  readonly renderer: WebGLRenderer;
  /** All that is drawn. */
  readonly world: Group;
  readonly place: { readonly camera: PhotoCamera };
  /** Whether a head may go from one place of the world to another; where it is missing, it may go anywhere. */
  free?(from: Vector3, to: Vector3): boolean;
  draw(): void;
  resize(): void;
}

/** Half axes, in metres, of the ellipsoid of places that are safe: the photograph's viewpoint is in its middle. */
export interface SafeReach {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
  readonly nearer: number;
  readonly back: number;
}

/** Where the visitor has gone from the photograph's viewpoint; all zero but the zoom is the photograph itself. */
export interface Going {
  /** Radians about the pivot: the viewpoint goes right, and down. */
  yaw: number;
  pitch: number;
  /** Halvings of the distance to the pivot. */
  dolly: number;
  /** Metres of the pivot along the picture's right and up. */
  right: number;
  up: number;
}

/** How the picture lies in the window. */
export interface Framing {
  zoom: number;
  /** CSS pixels that the picture is moved right and down. */
  shiftX: number;
  shiftY: number;
}
