// How deep the picture is, weighted by the area that each triangle takes up in the photograph.
import { Matrix4, Vector3 } from "three";
import type { BufferAttribute, InterleavedBufferAttribute } from "three";
import type { Depths, PhotoCamera, Piece } from "./types";

const BINS = 1024;
const NEAREST = 1e-3;
const FARTHEST = 1e5;

/** A histogram of depths, evenly spaced in their logarithm. */
class DepthHistogram {
  private readonly weights = new Float64Array(BINS);

  add(depth: number, weight: number): void {
    const at = (Math.log(depth / NEAREST) / Math.log(FARTHEST / NEAREST)) * BINS;
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(at)));
    this.weights[bin] = (this.weights[bin] ?? 0) + weight;
  }

  /** The depth below which `share` of the weight lies, or null if nothing was added. */
  quantile(share: number): number | null {
    const total = this.weights.reduce((sum, weight) => sum + weight, 0);
    if (total <= 0) return null;
    let below = 0;
    for (let bin = 0; bin < BINS; bin++) {
      below += this.weights[bin] ?? 0;
      if (below >= share * total) return NEAREST * (FARTHEST / NEAREST) ** ((bin + 0.5) / BINS);
    }
    return FARTHEST;
  }
}

/**
 * Pixel x, pixel y and depth of every vertex as the photograph saw it: three numbers a vertex, depth <= 0 is behind.
 * Of a panorama: distance, and a place on a map of all directions that keeps areas.
 */
export function seen(camera: PhotoCamera, piece: Piece): Float32Array {
  const position = piece.object.geometry.getAttribute("position") as BufferAttribute | InterleavedBufferAttribute;
  const cameraFromWorld = new Matrix4().compose(camera.position, camera.rotation, new Vector3(1, 1, 1)).invert();
  const cameraFromPiece = cameraFromWorld.multiply(piece.object.matrixWorld);
  const out = new Float32Array(position.count * 3);
  const point = new Vector3();
  for (let i = 0; i < position.count; i++) {
    point.fromBufferAttribute(position, i).applyMatrix4(cameraFromPiece);
    if (camera.around) {
      const distance = Math.max(point.length(), 1e-9);
      out[3 * i] = (Math.atan2(point.x, -point.z) / (2 * Math.PI) + 0.5) * camera.width;
      out[3 * i + 1] = (0.5 - point.y / distance / 2) * camera.height;
      out[3 * i + 2] = distance;
      continue;
    }
    const depth = -point.z;
    out[3 * i] = camera.cx + (camera.fx * point.x) / depth;
    out[3 * i + 1] = camera.cy - (camera.fy * point.y) / depth;
    out[3 * i + 2] = depth;
  }
  return out;
}

function isCentral(camera: PhotoCamera, x: number, y: number): boolean {
  return Math.abs(x / camera.width - 0.5) < 1 / 6 && Math.abs(y / camera.height - 0.5) < 1 / 6;
}

/** Measure the depths of a place; a place with nothing in front of the camera gets depths around one metre. */
export function measureDepths(camera: PhotoCamera, pieces: readonly Piece[]): Depths {
  const all = new DepthHistogram();
  const middle = new DepthHistogram();
  let nearest = Infinity;
  let farthest = 0;
  for (const piece of pieces) {
    const vertices = seen(camera, piece);
    for (let i = 2; i < vertices.length; i += 3) {
      const depth = vertices[i] ?? 0;
      if (depth <= 0) continue;
      nearest = Math.min(nearest, depth);
      farthest = Math.max(farthest, depth);
    }
    if (piece.role !== "surface") continue;
    const index = "isPoints" in piece.object ? null : piece.object.geometry.index;
    const corners = "isPoints" in piece.object ? 1 : 3;
    const count = index ? index.count : vertices.length / 3;
    for (let f = 0; f + corners <= count; f += corners) {
      const a = 3 * (index ? index.getX(f) : f);
      const b = corners === 1 ? a : 3 * (index ? index.getX(f + 1) : f + 1);
      const c = corners === 1 ? a : 3 * (index ? index.getX(f + 2) : f + 2);
      const [ax, ay, az] = [vertices[a] ?? 0, vertices[a + 1] ?? 0, vertices[a + 2] ?? 0];
      const [bx, by, bz] = [vertices[b] ?? 0, vertices[b + 1] ?? 0, vertices[b + 2] ?? 0];
      const [dx, dy, dz] = [vertices[c] ?? 0, vertices[c + 1] ?? 0, vertices[c + 2] ?? 0];
      if (az <= 0 || bz <= 0 || dz <= 0) continue;
      if (camera.around && Math.max(ax, bx, dx) - Math.min(ax, bx, dx) > camera.width / 2) continue; // across the back
      const area = corners === 1 ? 1 : Math.abs((bx - ax) * (dy - ay) - (dx - ax) * (by - ay)) / 2;
      const depth = (az + bz + dz) / 3;
      all.add(depth, area);
      if (isCentral(camera, (ax + bx + dx) / 3, (ay + by + dy) / 3)) middle.add(depth, area);
    }
  }
  const near = all.quantile(0.05) ?? 1;
  return {
    near,
    far: Math.max(all.quantile(0.98) ?? 1, near * 1.05),
    pivot: middle.quantile(0.5) ?? all.quantile(0.5) ?? 1,
    nearest: Number.isFinite(nearest) ? nearest : near,
    farthest: Math.max(farthest, near),
  };
}
