// One slice through the patient: grey values, outlines of tissues, lines where the other slices are, letters for sides.
import { Vector3 } from "three";
import { Outlines } from "./volumeoutline";
import { hexOf } from "./volumemodel";
import { lengthWords } from "./volumeruler";
import type { Scan } from "./volumescan";

/** A plane of the body. Axes are those of the world: x to the patient's left, y to the head, z to the front. */
export interface Kind {
  readonly name: string;
  readonly axis: 0 | 1 | 2;
  /** To the right and upwards in the picture. */
  readonly right: Vector3;
  readonly up: Vector3;
  /** Left, right, top, bottom. */
  readonly letters: readonly [string, string, string, string];
  readonly color: string;
}

export const KINDS: readonly Kind[] = [
  { name: "Axial", axis: 1, right: new Vector3(1, 0, 0), up: new Vector3(0, 0, 1), letters: ["R", "L", "A", "P"], color: "#5aa9ff" },
  { name: "Coronal", axis: 2, right: new Vector3(1, 0, 0), up: new Vector3(0, 1, 0), letters: ["R", "L", "S", "I"], color: "#5fd08a" },
  { name: "Sagittal", axis: 0, right: new Vector3(0, 0, -1), up: new Vector3(0, 1, 0), letters: ["A", "P", "S", "I"], color: "#ff8f70" },
];

/** What all three slices share. */
export interface Shared {
  readonly scan: Scan;
  /** Where they meet. */
  readonly cross: Vector3;
  readonly outlines: readonly Outlines[];
  low: number;
  high: number;
  /** Grows whenever outlines may look different. */
  version: number;
  /** Ends of lengths, in pairs. */
  lengths(): readonly (readonly [Vector3, Vector3 | null])[];
}

const SVG = "http://www.w3.org/2000/svg";

export class Slice {
  readonly tile: HTMLElement;
  readonly slider: HTMLInputElement;
  readonly big: HTMLButtonElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly told: HTMLElement;
  private readonly lines: SVGSVGElement;
  /** Metres that a CSS pixel is wide, and what is in the middle of the tile. */
  private scale = 0.001;
  private readonly middle = new Vector3();
  private zoom = 1;
  /** What the picture was drawn of. */
  private drawn = "";
  private readonly ends: readonly [number, number];
  private readonly stepM: number;
  private readonly span: readonly [number, number];

  constructor(readonly kind: Kind, readonly shared: Shared, parent: HTMLElement) {
    const { scan } = shared;
    const { corners } = scan;
    const along = (axis: Vector3): [number, number] => {
      const all = corners.map((corner) => corner.dot(axis));
      return [Math.min(...all), Math.max(...all)];
    };
    const normal = new Vector3().setComponent(kind.axis, 1);
    this.ends = along(normal);
    const [x, y] = [along(kind.right), along(kind.up)];
    this.span = [x[1] - x[0], y[1] - y[0]];
    this.middle.addScaledVector(kind.right, (x[0] + x[1]) / 2).addScaledVector(kind.up, (y[0] + y[1]) / 2);
    this.stepM = stepOf(scan, kind.axis);
    this.tile = document.createElement("div");
    this.tile.className = "slice";
    this.tile.tabIndex = 0;
    this.tile.setAttribute("role", "group");
    this.tile.setAttribute("aria-label", `${kind.name} slice`);
    this.tile.dataset["kind"] = kind.name.toLowerCase();
    this.canvas = document.createElement("canvas");
    this.lines = document.createElementNS(SVG, "svg");
    this.told = document.createElement("output");
    this.slider = Object.assign(document.createElement("input"), { type: "range", min: "0", max: `${this.count - 1}`, step: "1" });
    this.slider.setAttribute("aria-label", `${kind.name} slice`);
    this.big = Object.assign(document.createElement("button"), { type: "button", className: "big", title: "Larger, smaller", textContent: "⤢" });
    this.big.setAttribute("aria-label", `${kind.name}: larger, smaller`);
    const letters = kind.letters.map((letter, at) => Object.assign(document.createElement("span"), { className: `letter ${["left", "right", "top", "bottom"][at]}`, textContent: letter }));
    const name = Object.assign(document.createElement("b"), { textContent: kind.name });
    name.style.color = kind.color;
    this.tile.append(this.canvas, this.lines as unknown as Node, ...letters, name, this.big, this.told, this.slider);
    parent.append(this.tile);
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value)));
  }

  /** How many slices there are. */
  get count(): number {
    return Math.max(1, Math.round((this.ends[1] - this.ends[0]) / this.stepM));
  }

  get number(): number {
    const at = (this.shared.cross.getComponent(this.kind.axis) - this.ends[0]) / this.stepM - 0.5;
    return Math.min(this.count - 1, Math.max(0, Math.round(at)));
  }

  goTo(number: number): void {
    const at = Math.min(this.count - 1, Math.max(0, number));
    this.shared.cross.setComponent(this.kind.axis, this.ends[0] + (at + 0.5) * this.stepM);
  }

  zoomBy(factor: number, x: number, y: number): void {
    const held = this.placeOf(x, y);
    this.zoom = Math.min(16, Math.max(1, this.zoom * factor));
    this.measure();
    if (this.zoom > 1) this.middle.add(held.sub(this.placeOf(x, y)));
  }

  panBy(dx: number, dy: number): void {
    this.middle.addScaledVector(this.kind.right, -dx * this.scale).addScaledVector(this.kind.up, dy * this.scale);
  }

  /** The place in the world under a CSS pixel of the tile. */
  placeOf(x: number, y: number): Vector3 {
    const { kind, scale, canvas } = this;
    const place = this.middle.clone().addScaledVector(kind.right, (x - canvas.clientWidth / 2) * scale).addScaledVector(kind.up, (canvas.clientHeight / 2 - y) * scale);
    return place.setComponent(kind.axis, this.shared.cross.getComponent(kind.axis));
  }

  /** Where a place of the world is in the tile, CSS pixels. */
  pixelOf(place: Vector3): readonly [number, number] {
    const { kind, scale, canvas, middle } = this;
    const away = place.clone().sub(middle);
    return [canvas.clientWidth / 2 + away.dot(kind.right) / scale, canvas.clientHeight / 2 - away.dot(kind.up) / scale];
  }

  /** Say what is under the pointer. */
  tell(x: number, y: number): void {
    const place = this.placeOf(x, y);
    const value = this.shared.scan.nearest(place);
    this.told.textContent = value === null ? "" : `${wordsOf(value)}${this.shared.scan.hounsfield ? " HU" : ""}`;
    this.told.dataset["value"] = value === null ? "" : `${value}`;
  }

  draw(): void {
    const { canvas, kind } = this;
    this.slider.value = `${this.number}`;
    if (canvas.clientWidth === 0) return;
    this.measure();
    const ratio = Math.min(devicePixelRatio || 1, 1.5);
    const [wide, high] = [Math.max(1, Math.round(canvas.clientWidth * ratio)), Math.max(1, Math.round(canvas.clientHeight * ratio))];
    if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
    const { low, high: top, version } = this.shared;
    const drawn = [wide, high, this.number, low, top, version, this.zoom, ...this.middle.toArray()].join(" ");
    if (drawn !== this.drawn) this.paint(wide, high, ratio);
    this.drawn = drawn;
    this.drawLines();
    this.tile.dataset["number"] = `${this.number}`;
    this.tile.dataset["at"] = this.shared.cross.getComponent(kind.axis).toFixed(6);
  }

  private paint(wide: number, high: number, ratio: number): void {
    const { canvas } = this;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const picture = pen.createImageData(wide, high);
    this.fill(new Uint32Array(picture.data.buffer), wide, high, canvas.clientWidth / wide);
    pen.putImageData(picture, 0, 0);
    pen.scale(ratio, ratio);
    this.outline(pen);
    pen.setTransform(1, 0, 0, 1, 0, 0);
  }

  private measure(): void {
    const { canvas, span } = this;
    this.scale = Math.max(span[0] / Math.max(canvas.clientWidth, 1), span[1] / Math.max(canvas.clientHeight, 1)) / this.zoom;
  }

  /** Grey values, a voxel step at a time. */
  private fill(pixels: Uint32Array, wide: number, high: number, step: number): void {
    const { scan } = this.shared;
    const start = this.placeOf(step / 2, step / 2).applyMatrix4(scan.voxelFromWorld);
    const right = this.placeOf(1.5 * step, step / 2).applyMatrix4(scan.voxelFromWorld).sub(start);
    const down = this.placeOf(step / 2, 1.5 * step).applyMatrix4(scan.voxelFromWorld).sub(start);
    const [low, scale] = [scan.codeOf(this.shared.low), 255 / Math.max(1e-9, scan.codeOf(this.shared.high) - scan.codeOf(this.shared.low))];
    for (let row = 0, at = 0; row < high; row++) {
      let [x, y, z] = [start.x + row * down.x, start.y + row * down.y, start.z + row * down.z];
      for (let column = 0; column < wide; column++, at++) {
        const code = scan.between(x, y, z);
        const grey = code < 0 ? 0 : Math.min(255, Math.max(0, (code - low) * scale)) | 0;
        pixels[at] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
        x += right.x;
        y += right.y;
        z += right.z;
      }
    }
  }

  private outline(pen: CanvasRenderingContext2D): void {
    const { kind, shared } = this;
    const height = shared.cross.getComponent(kind.axis);
    pen.lineWidth = 1.3;
    for (const outlines of shared.outlines) {
      const { tissue } = outlines;
      if (!tissue.shown || tissue.paint.opacity < 0.005) continue;
      pen.strokeStyle = hexOf(tissue.paint.color);
      pen.beginPath();
      outlines.each(kind.axis, height, (a, b) => {
        pen.moveTo(...this.pixelOf(new Vector3().fromArray(a)));
        pen.lineTo(...this.pixelOf(new Vector3().fromArray(b)));
      });
      pen.stroke();
    }
  }

  /** The lines of the other two slices, and lengths that lie in this one. */
  private drawLines(): void {
    const { kind, shared, canvas } = this;
    const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
    const [x, y] = this.pixelOf(shared.cross);
    const colorOf = (along: Vector3): string => KINDS.find((each) => Math.abs(along.getComponent(each.axis)) > 0.5)?.color ?? "#fff";
    const gap = 9;
    const line = (from: readonly [number, number], to: readonly [number, number], stroke: string, kindOf: string): SVGLineElement => {
      const made = document.createElementNS(SVG, "line");
      const ends = { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
      for (const [name, value] of Object.entries(ends)) made.setAttribute(name, value.toFixed(2));
      made.setAttribute("stroke", stroke);
      made.setAttribute("class", kindOf);
      return made;
    };
    const across = colorOf(kind.up);
    const upright = colorOf(kind.right);
    const parts: Element[] = [
      line([0, y], [x - gap, y], across, "cross"), line([x + gap, y], [wide, y], across, "cross"),
      line([x, 0], [x, y - gap], upright, "cross"), line([x, y + gap], [x, high], upright, "cross"),
    ];
    const height = shared.cross.getComponent(kind.axis);
    for (const [a, b] of shared.lengths()) {
      const near = [a, b ?? a].every((end) => Math.abs(end.getComponent(kind.axis) - height) <= 0.75 * this.stepM);
      if (!near) continue;
      const [from, to] = [this.pixelOf(a), this.pixelOf(b ?? a)];
      parts.push(line(from, to, "#ffd166", "length"), ...[from, ...(b ? [to] : [])].map(([cx, cy]) => dotAt(cx, cy)));
      if (b) parts.push(wordsAt(lengthWords(1000 * a.distanceTo(b), false), (from[0] + to[0]) / 2, (from[1] + to[1]) / 2 - 7));
    }
    this.lines.replaceChildren(...parts);
  }
}

function dotAt(x: number, y: number): SVGElement {
  const dot = document.createElementNS(SVG, "circle");
  for (const [name, value] of [["cx", x], ["cy", y], ["r", 3.2]] as const) dot.setAttribute(name, value.toFixed(2));
  dot.setAttribute("fill", "#ffd166");
  return dot;
}

function wordsAt(words: string, x: number, y: number): SVGElement {
  const text = document.createElementNS(SVG, "text");
  text.textContent = words;
  text.setAttribute("x", x.toFixed(1));
  text.setAttribute("y", y.toFixed(1));
  return text;
}

/** Metres from one slice to the next: those of the voxels where they lie along the axis, else the finest. */
export function stepOf(scan: Scan, axis: 0 | 1 | 2): number {
  const matrix = scan.worldFromVoxel;
  for (let at = 0; at < 3; at++) {
    const column = new Vector3().setFromMatrixColumn(matrix, at);
    const length = column.length();
    const others = [0, 1, 2].filter((each) => each !== at).map((each) => new Vector3().setFromMatrixColumn(matrix, each));
    // Voxels are along the axis, and the others do not move along it: no tilt.
    if (Math.abs(column.getComponent(axis)) > 0.9999 * length && others.every((each) => Math.abs(each.getComponent(axis)) < 1e-4 * each.length())) return length;
  }
  return Math.min(...scan.spacing);
}

/** A value with as many digits as it has, four after the point at most. */
export function wordsOf(value: number): string {
  return `${Math.round(value * 1e4) / 1e4}`.replace("-", "−");
}
