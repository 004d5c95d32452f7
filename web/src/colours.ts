// Colour scales whose lightness rises evenly, made in OKLab (B. Ottosson, "A perceptual color space for image
// processing", 2020), so that equal steps of the value look like equal steps and print well in grey.
import { DataTexture, LinearFilter, RGBAFormat } from "three";

/** A stop of a scale: lightness 0..1, chroma, hue in degrees. */
export type Stop = readonly [lightness: number, chroma: number, hue: number];

/** Far (dark indigo) to near (pale yellow). */
export const DEPTH_STOPS: readonly Stop[] = [
  [0.24, 0.1, 288],
  [0.42, 0.11, 256],
  [0.6, 0.095, 205],
  [0.77, 0.12, 145],
  [0.95, 0.1, 100],
];

/** Not sure (dark red) to sure (pale green blue). */
export const CONFIDENCE_STOPS: readonly Stop[] = [
  [0.36, 0.13, 25],
  [0.5, 0.13, 45],
  [0.64, 0.1, 90],
  [0.78, 0.09, 160],
  [0.92, 0.06, 195],
];

function encoded(linear: number): number {
  const value = Math.min(1, Math.max(0, linear));
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}

/** OKLCh to sRGB bytes, clipped to what a screen shows. */
function rgb([lightness, chroma, hue]: Stop): [number, number, number] {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    Math.round(255 * encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)),
    Math.round(255 * encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)),
    Math.round(255 * encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s)),
  ];
}

/** The colour of a scale at 0..1; hue and chroma run smoothly through the stops, lightness straight. */
export function colourAt(stops: readonly Stop[], at: number): [number, number, number] {
  const along = Math.min(1, Math.max(0, at)) * (stops.length - 1);
  const from = Math.min(stops.length - 2, Math.floor(along));
  const part = along - from;
  const stop = (i: number): Stop => stops[Math.min(stops.length - 1, Math.max(0, i))] as Stop;
  const [a, b, c, d] = [stop(from - 1), stop(from), stop(from + 1), stop(from + 2)];
  const through = (i: 1 | 2): number => {
    // Catmull and Rom's spline, "A class of local interpolating splines", 1974.
    const [p, q, r, s] = [a[i], b[i], c[i], d[i]];
    return q + 0.5 * part * (r - p + part * (2 * p - 5 * q + 4 * r - s + part * (3 * (q - r) + s - p)));
  };
  const [first, last] = [stop(0)[0], stop(stops.length - 1)[0]];
  return rgb([first + (last - first) * (along / (stops.length - 1)), Math.max(0, through(1)), through(2)]);
}

/** A scale as a texture of 256 sRGB colours, to be drawn as it is. */
export function rampTexture(stops: readonly Stop[]): DataTexture {
  const pixels = new Uint8Array(256 * 4);
  for (let i = 0; i < 256; i++) pixels.set([...colourAt(stops, i / 255), 255], 4 * i);
  const texture = new DataTexture(pixels, 256, 1, RGBAFormat);
  texture.minFilter = texture.magFilter = LinearFilter;
  texture.needsUpdate = true;
  return texture;
}

/** The same scale as a CSS gradient from left (0) to right (1). */
export function rampGradient(stops: readonly Stop[]): string {
  const steps = Array.from({ length: 17 }, (_, i) => `rgb(${colourAt(stops, i / 16).join(" ")})`);
  return `linear-gradient(to right, ${steps.join(", ")})`;
}
