// What is in the way: the surfaces of a place in a grid of cells, so that a step costs the same in every scene, whether
// of triangles or of points. A cell knows the highest place of what is in it.
import { Vector3 } from "three";
import type { Box3, BufferAttribute, InterleavedBufferAttribute } from "three";
import type { Piece } from "./types";

/** The most cells that a grid may have, one byte each. */
const MOST_CELLS = 24e6;
/** The most samples along the side of one triangle; larger ones are halved. */
const MOST_STEPS = 64;

/** Cells of one size; x and z lie flat, y is up. */
export class Solid {
  readonly side: number;
  readonly columns: readonly [x: number, z: number];
  private readonly layers: number;
  private readonly cells: Uint8Array;
  private readonly known: Uint8Array;
  readonly least: Vector3;

  /**
   * @param pieces what is solid
   * @param region where one walks
   * @param side the wanted side of a cell, metres; larger where the grid would be too large
   */
  constructor(pieces: readonly Piece[], region: Box3, side: number) {
    const size = region.getSize(new Vector3()).addScalar(4 * side);
    this.side = Math.max(side, Math.cbrt((size.x * size.y * size.z) / MOST_CELLS));
    this.least = region.min.clone().addScalar(-2 * side);
    const count = (length: number): number => Math.max(1, Math.ceil(length / this.side));
    this.columns = [count(size.x), count(size.z)];
    this.layers = count(size.y);
    this.cells = new Uint8Array(this.columns[0] * this.columns[1] * this.layers);
    this.known = new Uint8Array(this.columns[0] * this.columns[1]);
    for (const piece of pieces) this.fill(piece);
  }

  /** Let the visitor go where something was seen above or below, along `paths`, and `reach` metres farther. */
  open(paths: readonly (readonly Vector3[])[], reach: number): void {
    for (let column = 0; column < this.known.length; column++) {
      const from = column * this.layers;
      for (let at = from; at < from + this.layers; at++) if (this.cells[at]) this.known[column] = 1;
    }
    for (const path of paths) path.forEach((from, at) => this.openTo(from, path[at + 1] ?? from));
    this.widen(Math.round(reach / this.side));
  }

  private openTo(from: Vector3, to: Vector3): void {
    const steps = Math.ceil(from.distanceTo(to) / this.side) + 1;
    for (let i = 0; i <= steps; i++) {
      const column = this.columnAt(from.x + ((to.x - from.x) * i) / steps, from.z + ((to.z - from.z) * i) / steps);
      if (column >= 0) this.known[column] = 1;
    }
  }

  /** True if the place above or below this one is part of what was scanned. */
  isKnown(x: number, z: number): boolean {
    const column = this.columnAt(x, z);
    return column >= 0 && this.known[column] === 1;
  }

  /** How many cells within an upright cylinder hold something. */
  filled(x: number, z: number, low: number, high: number, radius: number): number {
    let count = 0;
    this.around(x, z, radius, (from) => {
      count += this.within(from, low, high);
    });
    return count;
  }

  /** The level direction, of length 1, in which most of what an upright cylinder holds lies; null if it is empty. */
  towards(x: number, z: number, low: number, high: number, radius: number): Vector3 | null {
    const sum = new Vector3();
    this.around(x, z, radius, (from) => {
      const column = from / this.layers;
      const middle = (count: number): number => (count + 0.5) * this.side;
      const [dx, dz] = [this.least.x + middle(column % this.columns[0]) - x, this.least.z + middle(Math.floor(column / this.columns[0])) - z];
      sum.addScaledVector(new Vector3(dx, 0, dz), this.within(from, low, high));
    });
    return sum.length() > 0 ? sum.normalize() : null;
  }

  /** How many cells of a column hold something between two heights. */
  private within(from: number, low: number, high: number): number {
    let count = 0;
    const last = Math.min(this.layerOf(high), this.layers - 1);
    for (let layer = Math.max(0, this.layerOf(low)); layer <= last; layer++) if (this.cells[from + layer]) count++;
    return count;
  }

  /** Of the tops of things within an upright cylinder, the height that is nearest to a wish; null where there is none. */
  nearest(x: number, z: number, wish: number, low: number, high: number, radius: number): number | null {
    let best: number | null = null;
    const [first, last] = [Math.max(0, this.layerOf(low)), Math.min(this.layerOf(high), this.layers - 1)];
    this.around(x, z, radius, (from) => {
      for (let layer = first; layer <= last; layer++) {
        const height = this.cells[from + layer];
        if (!height || (layer + 1 < this.layers && this.cells[from + layer + 1])) continue;
        const y = this.least.y + (layer + (height - 1) / 254) * this.side;
        if (y >= low && y <= high && (best === null || Math.abs(y - wish) < Math.abs(best - wish))) best = y;
      }
    });
    return best;
  }

  /** Of a column, which share of the cells between two heights holds something. */
  share(column: number, low: number, high: number): number {
    const layers = Math.min(this.layerOf(high), this.layers - 1) - Math.max(0, this.layerOf(low)) + 1;
    return layers < 1 ? 0 : this.within(column * this.layers, low, high) / layers;
  }

  private layerOf(y: number): number {
    return Math.floor((y - this.least.y) / this.side);
  }

  private columnAt(x: number, z: number): number {
    const [i, k] = [Math.floor((x - this.least.x) / this.side), Math.floor((z - this.least.z) / this.side)];
    return i < 0 || k < 0 || i >= this.columns[0] || k >= this.columns[1] ? -1 : k * this.columns[0] + i;
  }

  /** Call `each` with the first cell of every column whose middle lies within `radius` of a place, the nearest at least. */
  private around(x: number, z: number, radius: number, each: (from: number) => void): void {
    const reach = Math.ceil(radius / this.side);
    for (let dk = -reach; dk <= reach; dk++) {
      for (let di = -reach; di <= reach; di++) {
        if (Math.hypot(di, dk) * this.side > radius && (di !== 0 || dk !== 0)) continue;
        const column = this.columnAt(x + di * this.side, z + dk * this.side);
        if (column >= 0) each(column * this.layers);
      }
    }
  }

  private mark(x: number, y: number, z: number): void {
    const column = this.columnAt(x, z);
    const height = (y - this.least.y) / this.side;
    const layer = Math.floor(height);
    if (column < 0 || layer < 0 || layer >= this.layers) return;
    const at = column * this.layers + layer;
    this.cells[at] = Math.max(this.cells[at] ?? 0, 1 + Math.floor((height - layer) * 254));
  }

  private fill({ object }: Piece): void {
    const { geometry, matrixWorld } = object;
    const position = geometry.getAttribute("position") as BufferAttribute | InterleavedBufferAttribute;
    const point = (at: number, into: Vector3): Vector3 => into.fromBufferAttribute(position, at).applyMatrix4(matrixWorld);
    const [a, b, c] = [new Vector3(), new Vector3(), new Vector3()];
    if ("isPoints" in object) {
      for (let at = 0; at < position.count; at++) this.mark(...point(at, a).toArray());
      return;
    }
    const count = geometry.index?.count ?? position.count;
    const corner = (at: number): number => geometry.index?.getX(at) ?? at;
    for (let at = 0; at + 2 < count; at += 3) this.triangle(point(corner(at), a), point(corner(at + 1), b), point(corner(at + 2), c));
  }

  /** Mark a triangle by samples half a cell apart; of a large one, as far horizons have, only what lies in the region. */
  private triangle(a: Vector3, b: Vector3, c: Vector3): void {
    if (this.isOutside(a, b, c)) return;
    const [ab, bc, ca] = [a.distanceTo(b), b.distanceTo(c), c.distanceTo(a)];
    const longest = Math.max(ab, bc, ca);
    const steps = Math.max(1, Math.ceil((2 * longest) / this.side));
    if (steps > MOST_STEPS) {
      const [tip, from, to] = longest === ab ? [c, a, b] : longest === bc ? [a, b, c] : [b, c, a];
      const middle = from.clone().lerp(to, 0.5);
      this.triangle(tip, from, middle);
      this.triangle(tip, middle, to);
      return;
    }
    for (let i = 0; i <= steps; i++) {
      for (let j = 0; j <= steps - i; j++) {
        const [s, t] = [i / steps, j / steps];
        this.mark(a.x + (b.x - a.x) * s + (c.x - a.x) * t, a.y + (b.y - a.y) * s + (c.y - a.y) * t, a.z + (b.z - a.z) * s + (c.z - a.z) * t);
      }
    }
  }

  /** Whether all of a triangle lies beyond one side of the grid. */
  private isOutside(a: Vector3, b: Vector3, c: Vector3): boolean {
    const { least, side, columns, layers } = this;
    const beyond = (u: number, v: number, w: number, from: number, count: number): boolean =>
      Math.max(u, v, w) < from || Math.min(u, v, w) > from + count * side;
    return (
      beyond(a.x, b.x, c.x, least.x, columns[0]) || beyond(a.y, b.y, c.y, least.y, layers) || beyond(a.z, b.z, c.z, least.z, columns[1])
    );
  }

  /** Widen what is known by so many cells, along x and then along z. */
  private widen(reach: number): void {
    const [nx, nz] = this.columns;
    const line = (start: number, stride: number, length: number): void => {
      let next = -Infinity;
      const before = Array.from({ length }, (_, at) => this.known[start + at * stride] === 1);
      for (let at = 0; at < length; at++) {
        if (before[at]) next = at;
        if (at - next <= reach) this.known[start + at * stride] = 1;
      }
      next = Infinity;
      for (let at = length - 1; at >= 0; at--) {
        if (before[at]) next = at;
        if (next - at <= reach) this.known[start + at * stride] = 1;
      }
    };
    for (let k = 0; k < nz; k++) line(k * nx, 1, nx);
    for (let i = 0; i < nx; i++) line(i, nx, nz);
  }
}
