// Lengths between two points of the model or of its slices, in millimetres. They are lengths of the whole model: parts that
// are moved apart are measured as if they were not.
import { Vector3 } from "three";
import { part } from "./page";
import { offsetOf } from "./volumemodel";
import type { Tissue } from "./volumemodel";
import type { ModelView } from "./volumeview";

const SVG = "http://www.w3.org/2000/svg";

interface End {
  readonly rest: Vector3;
  readonly tissue: Tissue | null;
}

class Length {
  second: End | null = null;
  readonly group: SVGGElement;
  readonly line: SVGLineElement;
  readonly dots: readonly SVGCircleElement[];
  readonly label: SVGTextElement;

  constructor(readonly first: End, sheet: SVGSVGElement) {
    this.group = document.createElementNS(SVG, "g");
    this.line = document.createElementNS(SVG, "line");
    this.dots = [0, 1].map(() => document.createElementNS(SVG, "circle"));
    this.label = document.createElementNS(SVG, "text");
    for (const dot of this.dots) dot.setAttribute("r", "4.5");
    this.group.append(this.line, ...this.dots, this.label);
    this.group.setAttribute("class", "length");
    sheet.append(this.group);
  }

  /** Millimetres; null as long as there is one end. */
  get mm(): number | null {
    return this.second ? 1000 * this.first.rest.distanceTo(this.second.rest) : null;
  }
}

/** A length in words; small things have finer units. */
export function lengthWords(mm: number, assumed: boolean): string {
  const [value, unit] = mm >= 1000 ? [mm / 1000, "m"] : mm >= 0.1 ? [mm, "mm"] : [1000 * mm, "µm"];
  const digits = value >= 100 ? 1 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${unit}${assumed ? " (size assumed)" : ""}`;
}

export class Ruler {
  /** True while clicks measure. */
  on = false;
  /** Told when there are more or fewer. */
  changed: () => void = () => undefined;
  private lengths: Length[] = [];

  constructor(private readonly view: ModelView, private readonly sheet: SVGSVGElement) {
    view.drawn.push(() => this.draw());
  }

  /** Take an end; gives the words for the length once there are two, else null. */
  take(rest: Vector3, tissue: Tissue | null): string | null {
    const last = this.lengths[this.lengths.length - 1];
    const end = { rest: rest.clone(), tissue };
    const open = last && !last.second ? last : null;
    if (open) open.second = end;
    else this.lengths.push(new Length(end, this.sheet));
    this.told();
    return open?.mm === null || !open ? null : lengthWords(open.mm ?? 0, this.view.model.assumed);
  }

  /** Take away the last one, or one of them. */
  remove(at = this.lengths.length - 1): void {
    const [gone] = this.lengths.splice(at, 1);
    gone?.group.remove();
    this.told();
  }

  get empty(): boolean {
    return this.lengths.length === 0;
  }

  /** The ends of all, where they are when nothing is moved apart. */
  ends(): (readonly [Vector3, Vector3 | null])[] {
    return this.lengths.map(({ first, second }) => [first.rest, second?.rest ?? null] as const);
  }

  private told(): void {
    const { assumed } = this.view.model;
    part("lengths-box").hidden = this.empty;
    part("lengths").replaceChildren(
      ...this.lengths.flatMap((length, at) => {
        const { mm } = length;
        if (mm === null) return [];
        const row = document.createElement("li");
        const remove = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: "×", title: "Remove" });
        remove.setAttribute("aria-label", `Remove ${lengthWords(mm, assumed)}`);
        remove.addEventListener("click", () => this.remove(at));
        row.append(Object.assign(document.createElement("span"), { textContent: lengthWords(mm, assumed) }), remove);
        row.dataset["mm"] = mm.toFixed(4);
        return [row];
      }),
    );
    this.changed();
    this.view.request();
  }

  private draw(): void {
    for (const { first, second, group, line, dots, label, mm } of this.lengths) {
      const ends = [first, second ?? first].map(({ rest, tissue }: End) => this.view.project(rest.clone().add(offsetOf(tissue))));
      const [from, to] = ends;
      group.setAttribute("visibility", from && to ? "inherit" : "hidden");
      if (!from || !to) continue;
      [from, to].forEach(([x, y], at) => {
        dots[at]?.setAttribute("cx", `${x}`);
        dots[at]?.setAttribute("cy", `${y}`);
        line.setAttribute(`x${at + 1}`, `${x}`);
        line.setAttribute(`y${at + 1}`, `${y}`);
      });
      dots[1]?.setAttribute("visibility", second ? "inherit" : "hidden");
      label.textContent = mm === null ? "" : lengthWords(mm, this.view.model.assumed);
      label.setAttribute("x", `${(from[0] + to[0]) / 2}`);
      label.setAttribute("y", `${(from[1] + to[1]) / 2 - 10}`);
    }
  }
}
