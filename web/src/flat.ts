// "This is flat" and "this is sky".
//
// A plane of the world is a straight function of the pixel in inverse depth: 1/z = a·x + b·y + c (for a camera without
// distortion), and codes count in inverse depth from infinity. So a plane is fitted to codes.
import { FARTHEST, NEAREST, SKY } from "./codes";
import type { DepthField } from "./codes";
import type { Region } from "./region";

type Plane = readonly [a: number, b: number, c: number];

const SAMPLES = 900;
const TRIALS = 300;
const ROUNDS = 12;
/** Tukey's biweight counts nothing beyond so many standard deviations: 95 % efficient for normal errors. */
const TUKEY = 4.685;
/** A median absolute deviation is this much smaller than the standard deviation of normal errors. */
const DEVIATIONS = 1.4826;

interface Samples {
  readonly x: number[];
  readonly y: number[];
  readonly nearness: number[];
  /** What a deviation is measured in: errors of estimated depth grow with the nearness. */
  readonly unit: number[];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function sampled(field: DepthField, region: Region): Samples {
  const seen = region.pixels.filter((at) => field.isSurface(at));
  const step = Math.max(1, seen.length / SAMPLES);
  const out: Samples = { x: [], y: [], nearness: [], unit: [] };
  for (let i = 0; i < seen.length; i += step) {
    const at = seen[Math.floor(i)] ?? 0;
    out.x.push((at % field.width) + 0.5);
    out.y.push(Math.floor(at / field.width) + 0.5);
    out.nearness.push((field.codes[at] ?? 0) - 1);
  }
  const middle = median(out.nearness);
  for (const nearness of out.nearness) out.unit.push(nearness + middle);
  return out;
}

function deviations(samples: Samples, [a, b, c]: Plane): number[] {
  const { x, y, nearness, unit } = samples;
  return nearness.map((value, i) => Math.abs(a * (x[i] ?? 0) + b * (y[i] ?? 0) + c - value) / (unit[i] ?? 1));
}

/** The plane of least weighted squares; null if the points lie on a line. */
function leastSquares(samples: Samples, weights: readonly number[]): Plane | null {
  const { x, y, nearness } = samples;
  let [w, wx, wy, wv] = [0, 0, 0, 0];
  weights.forEach((each, i) => {
    w += each;
    wx += each * (x[i] ?? 0);
    wy += each * (y[i] ?? 0);
    wv += each * (nearness[i] ?? 0);
  });
  const [mx, my, mv] = [wx / w, wy / w, wv / w];
  let [xx, xy, yy, xv, yv] = [0, 0, 0, 0, 0];
  weights.forEach((each, i) => {
    const [dx, dy, dv] = [(x[i] ?? 0) - mx, (y[i] ?? 0) - my, (nearness[i] ?? 0) - mv];
    xx += each * dx * dx;
    xy += each * dx * dy;
    yy += each * dy * dy;
    xv += each * dx * dv;
    yv += each * dy * dv;
  });
  const determinant = xx * yy - xy * xy;
  if (!(determinant > 1e-9 * (xx + yy) ** 2)) return null;
  const [a, b] = [(yy * xv - xy * yv) / determinant, (xx * yv - xy * xv) / determinant];
  return [a, b, mv - a * mx - b * my];
}

/** The plane through three random samples that leaves the least median deviation: P. Rousseeuw, JASA 79 (1984). */
function leastMedian(samples: Samples): Plane {
  const count = samples.x.length;
  let best: Plane = [0, 0, median(samples.nearness)];
  let least = median(deviations(samples, best));
  let seed = 1;
  // Always the same "chance", so that the same stroke gives the same plane (the low halves of D. Knuth's MMIX generator).
  const random = (): number => (seed = (Math.imul(seed, 1284865837) + 4150755663) >>> 0) / 2 ** 32;
  for (let trial = 0; trial < TRIALS; trial++) {
    const three = [0, 1, 2].map(() => Math.floor(random() * count));
    const only = new Array<number>(count).fill(0);
    for (const i of three) only[i] = 1;
    const plane = leastSquares(samples, only);
    if (!plane) continue;
    const spread = median(deviations(samples, plane));
    if (spread < least) [best, least] = [plane, spread];
  }
  return best;
}

/** The plane that most of the region lies on; null where the region holds no surface at all. */
export function planeUnder(field: DepthField, region: Region): Plane | null {
  const samples = sampled(field, region);
  if (samples.x.length === 0) return null;
  let plane = leastMedian(samples);
  for (let round = 0; round < ROUNDS; round++) {
    const apart = deviations(samples, plane);
    const limit = TUKEY * Math.max(DEVIATIONS * median(apart), 1e-5);
    const weights = apart.map((each, i) => (each < limit ? (1 - (each / limit) ** 2) ** 2 / (samples.unit[i] ?? 1) ** 2 : 0));
    plane = leastSquares(samples, weights) ?? plane;
  }
  return plane;
}

/** Make the region one plane; false if there is nothing to fit one to. Sky and gaps in it become part of the plane. */
export function layFlat(field: DepthField, region: Region): boolean {
  const plane = planeUnder(field, region);
  if (!plane) return false;
  const [a, b, c] = plane;
  for (const at of region.pixels) {
    const nearness = a * ((at % field.width) + 0.5) + b * (Math.floor(at / field.width) + 0.5) + c;
    field.codes[at] = Math.min(NEAREST, Math.max(FARTHEST, Math.round(1 + nearness)));
  }
  return true;
}

/** Let the region be sky. */
export function makeSky(field: DepthField, region: Region): void {
  for (const at of region.pixels) field.codes[at] = SKY;
}
