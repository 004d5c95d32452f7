// What shows of a scan, and in which colours: from numbers to colour and density, and the grey scales of slices.
import { Color, DataTexture, FloatType, RGBAFormat } from "three";
import type { Scan } from "./volumescan";

/** A value, its colour, and which share of the light a millimetre (or the 300th part of the scan) takes away. */
type Stop = readonly [value: number, color: number, density: number];

export interface Look {
  readonly name: string;
  readonly stops: readonly Stop[];
  /** The brightest along each line of sight, in grey. */
  readonly brightest: boolean;
}

/** Both ends of a grey scale. */
export interface Window {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

const SKIN = 0xe3b095;
const FLESH = 0xb5513f;
const IVORY = 0xf2e6cf;
const WHITE = 0xffffff;

const HU_LOOKS: readonly Look[] = [
  { name: "Bone", brightest: false, stops: [[150, 0x9a5a40, 0], [300, 0xd9b48a, 0.12], [700, IVORY, 0.6], [1800, WHITE, 0.9]] },
  { name: "Muscle and bone", brightest: false, stops: [[-40, 0x8c3b32, 0], [40, FLESH, 0.07], [110, 0xc76a55, 0.12], [200, 0xd9b48a, 0.2], [500, IVORY, 0.6], [1800, WHITE, 0.9]] },
  { name: "Skin", brightest: false, stops: [[-420, SKIN, 0], [-260, SKIN, 0.55], [200, 0xeac2a8, 0.8], [1800, WHITE, 0.9]] },
  { name: "Lungs", brightest: false, stops: [[-930, 0x304a66, 0], [-870, 0x5d88b0, 0.012], [-700, 0x9fc1dd, 0.03], [-520, 0xe5b7a0, 0.05], [-420, 0xe5b7a0, 0], [180, IVORY, 0], [420, IVORY, 0.12], [1500, WHITE, 0.4]] },
  { name: "Vessels with contrast", brightest: false, stops: [[110, 0x7d1a16, 0], [170, 0xc42f24, 0.2], [320, 0xe4604a, 0.5], [480, IVORY, 0.5], [1800, WHITE, 0.8]] },
  { name: "Brightest (MIP)", brightest: true, stops: [[-150, WHITE, 0], [900, WHITE, 1]] },
];

/** Of values that only compare within a scan: shares between its dark and its bright end. */
const SHARE_LOOKS: readonly Look[] = [
  { name: "Soft", brightest: false, stops: [[0.12, 0x39465c, 0], [0.3, 0x8d6f6a, 0.02], [0.55, 0xd9ad93, 0.08], [0.85, IVORY, 0.3], [1.1, WHITE, 0.5]] },
  { name: "Surface", brightest: false, stops: [[0.1, SKIN, 0], [0.2, SKIN, 0.5], [0.8, 0xf0d3bf, 0.8], [1.1, WHITE, 0.9]] },
  { name: "Bright parts", brightest: false, stops: [[0.6, FLESH, 0], [0.78, 0xd99a75, 0.15], [1, IVORY, 0.5], [1.2, WHITE, 0.8]] },
  { name: "Brightest (MIP)", brightest: true, stops: [[0, WHITE, 0], [1, WHITE, 1]] },
];

const HU_WINDOWS: readonly Window[] = [
  { name: "Soft tissue", low: -160, high: 240 },
  { name: "Bone", low: -500, high: 1500 },
  { name: "Lungs", low: -1350, high: 150 },
  { name: "Brain", low: 0, high: 80 },
  { name: "Everything", low: -1024, high: 2000 },
];

/** The looks that fit a scan. */
export function looksOf(scan: Scan): Look[] {
  if (scan.hounsfield) return [...HU_LOOKS];
  const [low, high] = [scan.quantile(0.02), scan.quantile(0.995)];
  const spread = Math.max(high - low, 1e-9);
  return SHARE_LOOKS.map((look) => ({ ...look, stops: look.stops.map(([share, color, density]) => [low + share * spread, color, density] as const) }));
}

/** The grey scales that fit a scan. */
export function windowsOf(scan: Scan): Window[] {
  if (scan.hounsfield) return [...HU_WINDOWS];
  const all = { name: "Everything", low: scan.least, high: scan.most };
  return [{ name: "Usual", low: scan.quantile(0.01), high: scan.quantile(0.998) }, all];
}

/** The same greys over a shorter or longer range about its middle. */
function narrowed(look: Look, factor: number): Look {
  const ends = look.stops.map(([value]) => value);
  const middle = (Math.min(...ends) + Math.max(...ends)) / 2;
  return { ...look, stops: look.stops.map(([value, color, density]) => [middle + (value - middle) / factor, color, density] as const) };
}

/** How many steps a table of colours has. */
export const STEPS = 2048;

/** Colour (linear) and density for each code of a scan, 0..1 in `STEPS`. */
export class Table {
  readonly texture: DataTexture;
  /** How many entries below each have any density. */
  private readonly dense = new Uint32Array(STEPS + 1);
  private readonly data = new Float32Array(4 * STEPS);

  constructor() {
    this.texture = new DataTexture(this.data, STEPS, 1, RGBAFormat, FloatType);
  }

  /**
   * @param shift moves the stops, in values
   * @param density multiplies how dense everything is; of greys, their contrast
   */
  fill(scan: Scan, told: Look, shift: number, density: number): void {
    const look = told.brightest ? narrowed(told, density) : told;
    const color = new Color();
    const other = new Color();
    for (let at = 0; at < STEPS; at++) {
      const value = scan.valueOf((at / (STEPS - 1)) * scan.topCode) - shift;
      const next = look.stops.findIndex(([stop]) => stop > value);
      const after = look.stops[next < 0 ? look.stops.length - 1 : next] as Stop;
      const before = look.stops[Math.max(0, (next < 0 ? look.stops.length : next) - 1)] as Stop;
      const share = after === before ? 0 : (value - before[0]) / (after[0] - before[0]);
      color.setHex(before[1]).lerp(other.setHex(after[1]), Math.min(1, Math.max(0, share)));
      const taken = next === 0 ? 0 : before[2] + (after[2] - before[2]) * share;
      const strength = look.brightest ? taken : 1 - (1 - Math.min(0.995, taken)) ** density;
      this.data.set([color.r, color.g, color.b, strength], 4 * at);
      this.dense[at + 1] = (this.dense[at] ?? 0) + (strength > 1e-4 ? 1 : 0);
    }
    this.texture.needsUpdate = true;
  }

  /** Which share of the light a millimetre of this takes away; `share` is of the largest code. */
  density(share: number): number {
    return this.data[4 * Math.round(Math.min(1, Math.max(0, share)) * (STEPS - 1)) + 3] ?? 0;
  }

  /** Whether anything between two codes, as shares of the largest, is seen. */
  shows(low: number, high: number): boolean {
    const [from, to] = [Math.floor(low * (STEPS - 1)), Math.min(STEPS, Math.ceil(high * (STEPS - 1)) + 1)];
    return (this.dense[to] ?? 0) > (this.dense[Math.max(0, from)] ?? 0);
  }
}
