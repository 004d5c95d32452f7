// Where planes along the axes of the world cut a tissue: outlines for slices. Triangles are kept in slabs, so that a plane
// meets few of them.
import type { BufferAttribute } from "three";
import type { Tissue } from "./volumemodel";

const SLABS = 192;

interface Slabs {
  readonly low: number;
  readonly width: number;
  /** Where the triangles of each slab begin in `list`. */
  readonly starts: Uint32Array;
  readonly list: Uint32Array;
}

export class Outlines {
  private readonly slabs: (Slabs | undefined)[] = [];
  private readonly at: Float32Array;
  private readonly corners: Uint32Array;

  constructor(readonly tissue: Tissue) {
    const { geometry } = tissue.object;
    const places = geometry.getAttribute("position") as BufferAttribute;
    this.at = places.array as Float32Array;
    const { index } = geometry;
    this.corners = index ? Uint32Array.from(index.array) : Uint32Array.from({ length: places.count }, (_, each) => each);
  }

  /** Tell the ends of every piece of the outline, world coordinates: x, y, z of one end and of the other. */
  each(axis: 0 | 1 | 2, height: number, told: (a: readonly number[], b: readonly number[]) => void): void {
    const { low, width, starts, list } = (this.slabs[axis] ??= this.sorted(axis));
    const slab = Math.floor((height - low) / width);
    if (slab < 0 || slab >= SLABS) return;
    const { at, corners } = this;
    const ends: number[][] = [];
    for (let each = starts[slab] as number; each < (starts[slab + 1] as number); each++) {
      const triangle = list[each] as number;
      ends.length = 0;
      for (let side = 0; side < 3; side++) {
        const p = 3 * (corners[3 * triangle + side] as number);
        const q = 3 * (corners[3 * triangle + ((side + 1) % 3)] as number);
        const [from, to] = [(at[p + axis] as number) - height, (at[q + axis] as number) - height];
        if (from < 0 === to < 0) continue;
        const share = from / (from - to);
        ends.push([0, 1, 2].map((e) => (at[p + e] as number) + ((at[q + e] as number) - (at[p + e] as number)) * share));
      }
      const [a, b] = ends;
      if (a && b) told(a, b);
    }
  }

  private sorted(axis: 0 | 1 | 2): Slabs {
    const { box } = this.tissue;
    const low = box.min.getComponent(axis);
    const width = Math.max((box.max.getComponent(axis) - low) / SLABS, 1e-12);
    const count = this.corners.length / 3;
    const slabOf = (value: number): number => Math.min(SLABS - 1, Math.max(0, Math.floor((value - low) / width)));
    const reach = (triangle: number): readonly [number, number] => {
      const [a, b, c] = [0, 1, 2].map((side) => this.at[3 * (this.corners[3 * triangle + side] as number) + axis] as number) as [number, number, number];
      return [slabOf(Math.min(a, b, c)), slabOf(Math.max(a, b, c))];
    };
    const starts = new Uint32Array(SLABS + 1);
    const spans = new Uint8Array(2 * count);
    for (let triangle = 0; triangle < count; triangle++) {
      const [first, last] = reach(triangle);
      spans.set([first, last], 2 * triangle);
      for (let slab = first; slab <= last; slab++) starts[slab + 1] = (starts[slab + 1] as number) + 1;
    }
    for (let slab = 0; slab < SLABS; slab++) starts[slab + 1] = (starts[slab + 1] as number) + (starts[slab] as number);
    const next = starts.slice();
    const list = new Uint32Array(starts[SLABS] as number);
    for (let triangle = 0; triangle < count; triangle++) {
      for (let slab = spans[2 * triangle] as number; slab <= (spans[2 * triangle + 1] as number); slab++) {
        list[next[slab] as number] = triangle;
        next[slab] = (next[slab] as number) + 1;
      }
    }
    return { low, width, starts, list };
  }
}
