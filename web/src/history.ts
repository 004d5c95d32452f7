// What was changed and can be taken back. Memory is bounded: the oldest changes are forgotten first.
import type { DepthField } from "./codes";

/** A rectangle of the depth map, in its pixels; right and bottom are outside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The codes that a rectangle does not hold now: the earlier ones, or, once taken back, the later ones. */
export interface Change {
  readonly box: Box;
  readonly codes: Uint16Array;
}

const LARGEST_BYTES = 64 * 2 ** 20;

/** Copy the codes of a box out of a whole map. */
export function cutOut(codes: Uint16Array, width: number, box: Box): Uint16Array {
  const wide = box.right - box.left;
  const out = new Uint16Array(wide * (box.bottom - box.top));
  for (let y = box.top; y < box.bottom; y++) {
    out.set(codes.subarray(y * width + box.left, y * width + box.right), (y - box.top) * wide);
  }
  return out;
}

export class History {
  private past: Change[] = [];
  private future: Change[] = [];

  constructor(private readonly field: DepthField, private readonly largest = LARGEST_BYTES) {}

  get canUndo(): boolean {
    return this.past.length > 0;
  }

  get canRedo(): boolean {
    return this.future.length > 0;
  }

  /** Note what a box held before it was changed. */
  did(change: Change): void {
    this.past.push(change);
    this.future = [];
    let bytes = this.past.reduce((sum, { codes }) => sum + codes.byteLength, 0);
    while (bytes > this.largest && this.past.length > 1) bytes -= this.past.shift()?.codes.byteLength ?? 0;
  }

  /** Take the last change back; the box that is other now, or null. */
  undo(): Box | null {
    return this.swap(this.past, this.future);
  }

  redo(): Box | null {
    return this.swap(this.future, this.past);
  }

  private swap(from: Change[], to: Change[]): Box | null {
    const change = from.pop();
    if (!change) return null;
    const { box, codes } = change;
    const { width } = this.field;
    to.push({ box, codes: cutOut(this.field.codes, width, box) });
    const wide = box.right - box.left;
    for (let y = box.top; y < box.bottom; y++) {
      this.field.codes.set(codes.subarray((y - box.top) * wide, (y - box.top + 1) * wide), y * width + box.left);
    }
    return box;
  }
}
