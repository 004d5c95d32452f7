// Distances between two points that were clicked, in metres, and how sure they are.
import type { Vector3 } from "three";
import type { Known } from "./strollsite";
import type { StrollView } from "./strollview";

const SVG = "http://www.w3.org/2000/svg";

/** Metres with as many digits as tell something. */
function digits(length: number): string {
  return length.toFixed(length >= 100 ? 1 : length >= 1 ? 2 : 3);
}

/** A length in words: metres, and what it may be in truth. */
export function lengthInWords(length: number, known: Known): string {
  if (known.assumed) return `${digits(length)} m (size assumed)`;
  const [low, high] = [length * known.low, length * known.high];
  if (high - low < 0.002) return `${digits(length)} m`;
  const [less, more] = [length - low, high - length];
  if (less > 0 && more > 0 && Math.max(less, more) < 1.5 * Math.min(less, more)) return `${digits(length)} m ± ${Math.max(less, more).toFixed(2)}`;
  return `${digits(length)} m (${digits(low)} to ${digits(high)})`;
}

function element<K extends keyof SVGElementTagNameMap>(name: K, parent: Element, kind: string): SVGElementTagNameMap[K] {
  const made = document.createElementNS(SVG, name);
  made.setAttribute("class", kind);
  parent.append(made);
  return made;
}

/** One distance, or the first point of one. */
class Measure {
  private readonly dots: SVGCircleElement[];
  private readonly line: SVGLineElement;
  private readonly label: SVGTextElement;
  private readonly group: SVGGElement;
  private second: Vector3 | null = null;

  constructor(private readonly first: Vector3, sheet: SVGSVGElement) {
    this.group = element("g", sheet, "measure");
    this.line = element("line", this.group, "line");
    this.dots = [element("circle", this.group, "dot"), element("circle", this.group, "dot")];
    for (const dot of this.dots) dot.setAttribute("r", "4.5");
    this.label = element("text", this.group, "label");
  }

  get open(): boolean {
    return this.second === null;
  }

  /** The second point; the length in metres. */
  close(second: Vector3, known: Known): number {
    this.second = second;
    const length = this.first.distanceTo(second);
    this.label.textContent = lengthInWords(length, known);
    return length;
  }

  draw(view: StrollView): void {
    const ends = [this.first, this.second ?? this.first].map((point) => view.project(point));
    this.group.setAttribute("visibility", ends.includes(null) ? "hidden" : "visible");
    const [from, to] = ends;
    if (!from || !to) return;
    [from, to].forEach(([x, y], at) => {
      this.dots[at]?.setAttribute("cx", `${x}`);
      this.dots[at]?.setAttribute("cy", `${y}`);
      this.line.setAttribute(`x${at + 1}`, `${x}`);
      this.line.setAttribute(`y${at + 1}`, `${y}`);
    });
    this.label.setAttribute("x", `${(from[0] + to[0]) / 2}`);
    this.label.setAttribute("y", `${(from[1] + to[1]) / 2 - 10}`);
  }

  remove(): void {
    this.group.remove();
  }
}

export class Ruler {
  private measures: Measure[] = [];
  /** True while clicks measure. */
  on = false;

  constructor(private readonly view: StrollView, private readonly sheet: SVGSVGElement) {}

  /** Take a point; gives the length once there are two, else null. */
  take(point: Vector3): number | null {
    const last = this.measures[this.measures.length - 1];
    const length = last?.open ? last.close(point, this.view.site.known) : null;
    if (length === null) this.measures.push(new Measure(point, this.sheet));
    this.view.canvas.dataset["length"] = length === null ? "" : length.toFixed(5);
    this.view.request();
    return length;
  }

  /** Take all distances away. */
  clear(): void {
    for (const measure of this.measures) measure.remove();
    this.measures = [];
    this.view.request();
  }

  get empty(): boolean {
    return this.measures.length === 0;
  }

  draw(): void {
    for (const measure of this.measures) measure.draw(this.view);
  }
}
