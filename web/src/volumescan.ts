// The scan inside the page: unpacked, with the way from its voxels to the world and back. formats/volume_page.py packs it.
import { Matrix4, Vector3 } from "three";
import { record } from "./place";

type Triple = readonly [number, number, number];

/** Patient axes (left, back, head) to those of the page (x right, y up, z towards you). */
const WORLD_FROM_LPS = new Matrix4().set(1, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1);

/** What a page says of its scan. */
export interface ScanNote {
  /** Slices, rows, columns. */
  readonly shape: Triple;
  readonly offset: number;
  readonly step: number;
  readonly hounsfield: boolean;
  readonly worldFromVoxel: Matrix4;
}

function isTriple(value: unknown): value is Triple {
  return Array.isArray(value) && value.length === 3 && value.every((each) => Number.isInteger(each) && each > 0);
}

/** What stands in the page, checked. */
export function noteOf(text: string): ScanNote {
  const told = record(JSON.parse(text));
  const { shape, offset, step, quantity } = told;
  const rows = told["lps_from_voxel"];
  if (!isTriple(shape) || typeof offset !== "number" || typeof step !== "number" || !Array.isArray(rows)) throw new Error("the scan inside this page is damaged");
  const lpsFromVoxel = new Matrix4().fromArray((rows as number[][]).flat()).transpose();
  return { shape, offset, step, hounsfield: quantity === "hu", worldFromVoxel: WORLD_FROM_LPS.clone().multiply(lpsFromVoxel) };
}

/** One slice: high bytes, then low bytes, of folded differences; into `out`. */
export function unfoldSlice(bytes: Uint8Array, rows: number, columns: number, out: Uint16Array): void {
  const size = rows * columns;
  let first = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    let last = first;
    for (let column = 0; column < columns; column++, at++) {
      const folded = ((bytes[at] ?? 0) << 8) | (bytes[size + at] ?? 0);
      last = (last + ((folded >> 1) ^ -(folded & 1))) & 65535;
      out[at] = last;
      if (column === 0) first = last;
    }
  }
}

/** The codes, slice by slice as they come out of the stream. */
export async function codesOf(packed: ArrayBuffer, [slices, rows, columns]: Triple): Promise<Uint16Array> {
  const size = rows * columns;
  const codes = new Uint16Array(slices * size);
  const slice = new Uint8Array(2 * size);
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let [done, filled] = [0, 0];
  for (;;) {
    const { value, done: ended } = await reader.read();
    if (ended) break;
    for (let at = 0; at < value.length && done < slices; ) {
      const taken = Math.min(2 * size - filled, value.length - at);
      slice.set(value.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < 2 * size) continue;
      unfoldSlice(slice, rows, columns, codes.subarray(done * size, (done + 1) * size));
      done++;
      filled = 0;
    }
  }
  if (done !== slices) throw new Error("the scan inside this page is damaged");
  return codes;
}

export class Scan {
  /** Columns, rows, slices. */
  readonly size: Triple;
  readonly voxelFromWorld: Matrix4;
  readonly worldFromVoxel: Matrix4;
  /** The place in a 3D texture of it, 0..1. */
  readonly texFromWorld: Matrix4;
  /** Metres from a voxel to the next along columns, rows, slices. */
  readonly spacing: Triple;
  readonly hounsfield: boolean;
  readonly least: number;
  readonly most: number;
  /** The largest code. */
  readonly topCode: number;
  private readonly counts: Uint32Array;

  constructor(readonly note: ScanNote, readonly codes: Uint16Array) {
    const [slices, rows, columns] = note.shape;
    this.size = [columns, rows, slices];
    this.worldFromVoxel = note.worldFromVoxel;
    this.voxelFromWorld = note.worldFromVoxel.clone().invert();
    const texFromVoxel = new Matrix4().makeScale(1 / columns, 1 / rows, 1 / slices).multiply(new Matrix4().makeTranslation(0.5, 0.5, 0.5));
    this.texFromWorld = texFromVoxel.multiply(this.voxelFromWorld);
    const axis = (at: number): number => new Vector3().setFromMatrixColumn(note.worldFromVoxel, at).length();
    this.spacing = [axis(0), axis(1), axis(2)];
    this.hounsfield = note.hounsfield;
    this.counts = new Uint32Array(65536);
    for (const code of codes) this.counts[code] = (this.counts[code] ?? 0) + 1;
    this.topCode = Math.max(1, this.counts.reduce((top, count, code) => (count > 0 ? code : top), 0));
    this.least = note.offset;
    this.most = this.valueOf(this.topCode);
  }

  valueOf(code: number): number {
    return this.note.offset + this.note.step * code;
  }

  codeOf(value: number): number {
    return (value - this.note.offset) / this.note.step;
  }

  /** The value that a share of all voxels is below; the smallest value, mostly outside, does not count. */
  quantile(share: number): number {
    const total = this.codes.length - (this.counts[0] ?? 0);
    let below = 0;
    for (let code = 1; code <= this.topCode; code++) {
      below += this.counts[code] ?? 0;
      if (below >= share * total) return this.valueOf(code);
    }
    return this.most;
  }

  /** The value of the voxel that a place lies in; null outside. */
  nearest(place: Vector3): number | null {
    const { x, y, z } = place.clone().applyMatrix4(this.voxelFromWorld);
    const [i, j, k] = [Math.round(x), Math.round(y), Math.round(z)];
    const [columns, rows, slices] = this.size;
    if (i < 0 || j < 0 || k < 0 || i >= columns || j >= rows || k >= slices) return null;
    return this.valueOf(this.codes[i + columns * (j + rows * k)] ?? 0);
  }

  /** The code between eight voxels, at voxel coordinates; -1 outside the outermost voxels' middles by more than half. */
  between(x: number, y: number, z: number): number {
    const [columns, rows, slices] = this.size;
    if (x < -0.5 || y < -0.5 || z < -0.5 || x > columns - 0.5 || y > rows - 0.5 || z > slices - 0.5) return -1;
    const cx = Math.min(Math.max(x, 0), columns - 1);
    const cy = Math.min(Math.max(y, 0), rows - 1);
    const cz = Math.min(Math.max(z, 0), slices - 1);
    const i = Math.min(cx | 0, Math.max(columns - 2, 0));
    const j = Math.min(cy | 0, Math.max(rows - 2, 0));
    const k = Math.min(cz | 0, Math.max(slices - 2, 0));
    const fx = cx - i;
    const fy = cy - j;
    const fz = cz - k;
    const right = columns > 1 ? 1 : 0;
    const down = rows > 1 ? columns : 0;
    const ahead = slices > 1 ? columns * rows : 0;
    const at = i + columns * (j + rows * k);
    const { codes } = this;
    const a = at + down;
    const b = at + ahead;
    const c = a + ahead;
    // Typed arrays give numbers for all places that are in them, and all of these are.
    const near = codes[at]! + (codes[at + right]! - codes[at]!) * fx;
    const nearDown = codes[a]! + (codes[a + right]! - codes[a]!) * fx;
    const far = codes[b]! + (codes[b + right]! - codes[b]!) * fx;
    const farDown = codes[c]! + (codes[c + right]! - codes[c]!) * fx;
    const front = near + (nearDown - near) * fy;
    return front + (far + (farDown - far) * fy - front) * fz;
  }

  /** The eight corners of the scan in the world. */
  get corners(): Vector3[] {
    const [columns, rows, slices] = this.size;
    return [0, 1, 2, 3, 4, 5, 6, 7].map((at) =>
      new Vector3((at & 1 ? columns : 0) - 0.5, (at & 2 ? rows : 0) - 0.5, (at & 4 ? slices : 0) - 0.5).applyMatrix4(this.worldFromVoxel),
    );
  }
}
