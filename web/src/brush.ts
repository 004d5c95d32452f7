// The depth brush: one stroke moves what it passes over nearer or farther, most along its middle.
import { FARTHEST, NEAREST } from "./codes";
import type { DepthField } from "./codes";
import { cutOut } from "./history";
import type { Box, Change } from "./history";
import { between, boxAround, union } from "./region";
import type { Spot } from "./region";

/** How a stroke is made. */
export interface Bristles {
  /** Pixels of the depth map. */
  readonly radius: number;
  /** Natural logarithm of the factor of the nearness along the middle: positive is nearer. */
  readonly push: number;
  /** (4 · width · height) sRGB bytes of the picture: the brush stays on what it began on; null: it takes all. */
  readonly colours: Uint8ClampedArray | null;
}

const FULL = 65535;
/** Colours (0..255 per channel) and logarithms of the nearness that are this far apart are half alike. */
const COLOUR_SIGMA = 32;
const NEARNESS_SIGMA = 0.12;

/** How much a brush takes at a share 0..1 of its radius: flat in the middle, smooth at the rim. */
export function softness(share: number): number {
  return share >= 1 ? 0 : (1 - share * share) ** 2;
}

/**
 * One stroke. A pixel moves by the greatest weight that passed over it, so it does not matter how often or how fast
 * the brush came by.
 */
export class Stroke {
  private readonly before: Uint16Array;
  private readonly weights: Uint16Array;
  private readonly alike: (at: number) => number;
  private last: Spot;
  private box: Box | null = null;

  constructor(private readonly field: DepthField, private readonly bristles: Bristles, start: Spot) {
    this.before = field.codes.slice();
    this.weights = new Uint16Array(field.codes.length);
    this.alike = this.likeness(start);
    this.last = start;
    this.dab(start);
  }

  /** Go on to a spot; the box that changed, or null. */
  to(spot: Spot): Box | null {
    let box: Box | null = null;
    for (const each of between(this.last, spot, Math.max(1, this.bristles.radius / 5))) box = union(box, this.dab(each));
    this.last = spot;
    return box;
  }

  /** What was changed so far, or null. */
  get touched(): Box | null {
    return this.box;
  }

  /** The change, for the history; null if nothing was touched. */
  change(): Change | null {
    return this.box && { box: this.box, codes: cutOut(this.before, this.field.width, this.box) };
  }

  /** Put everything back. */
  takeBack(): void {
    this.field.codes.set(this.before);
  }

  private dab(spot: Spot): Box | null {
    const { field, before, weights } = this;
    const { radius, push } = this.bristles;
    const box = boxAround(field, spot, radius);
    if (!box) return null;
    for (let y = box.top; y < box.bottom; y++) {
      for (let x = box.left; x < box.right; x++) {
        const at = y * field.width + x;
        const code = before[at] ?? 0;
        if (code < FARTHEST) continue;
        const weight = softness(Math.hypot(x + 0.5 - spot[0], y + 0.5 - spot[1]) / radius) * this.alike(at) * FULL;
        if (weight <= (weights[at] ?? 0)) continue;
        weights[at] = weight;
        const moved = 1 + (code - 1) * Math.exp((push * weight) / FULL);
        field.codes[at] = Math.min(NEAREST, Math.max(FARTHEST, Math.round(moved)));
      }
    }
    this.box = union(this.box, box);
    return box;
  }

  /** How far a pixel belongs to what lies under the start: 0..1. */
  private likeness([x, y]: Spot): (at: number) => number {
    const { colours } = this.bristles;
    const { width, height } = this.field;
    const start = Math.min(height - 1, Math.max(0, Math.floor(y))) * width + Math.min(width - 1, Math.max(0, Math.floor(x)));
    const code = this.before[start] ?? 0;
    if (!colours || code < FARTHEST) return () => 1;
    const nearness = Math.log(code - 1);
    const [r, g, b] = [0, 1, 2].map((i) => colours[4 * start + i] ?? 0) as [number, number, number];
    return (at) => {
      const apart = (((colours[4 * at] ?? 0) - r) ** 2 + ((colours[4 * at + 1] ?? 0) - g) ** 2 + ((colours[4 * at + 2] ?? 0) - b) ** 2) / 3;
      const step = Math.log(Math.max(1, (this.before[at] ?? 0) - 1)) - nearness;
      return Math.exp(-apart / (2 * COLOUR_SIGMA ** 2) - step ** 2 / (2 * NEARNESS_SIGMA ** 2));
    };
  }
}
