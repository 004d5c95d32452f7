// What the pen shows over the picture: the ring of the brush, and the part that is being marked. CSS pixels.
import { part } from "./page";

export type Place2d = readonly [x: number, y: number];

export class Marks {
  private readonly ring = part<HTMLElement>("pen-ring");
  private readonly trail = part<HTMLElement>("pen-trail");

  /** The brush hangs here; null: nowhere. */
  hang(at: Place2d | null, radius: number): void {
    this.ring.setAttribute("display", at ? "inline" : "none");
    if (!at) return;
    for (const [name, value] of Object.entries({ cx: at[0], cy: at[1], r: radius })) this.ring.setAttribute(name, value.toFixed(1));
  }

  /** A loop that is being drawn. */
  loop(path: readonly Place2d[]): void {
    this.draw(path, "loop", 0, "Z");
  }

  /** A part that is being brushed. */
  brushed(path: readonly Place2d[], radius: number): void {
    this.draw(path, "brushed", 2 * radius, "");
  }

  clear(): void {
    this.trail.setAttribute("d", "");
  }

  private draw(path: readonly Place2d[], look: string, width: number, end: string): void {
    const first = path[0];
    if (!first) return;
    // A lone point is a line of no length, which round caps make visible.
    const lines = (path.length > 1 ? path.slice(1) : [first]).map(([x, y]) => `L${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    this.trail.setAttribute("class", look);
    this.trail.setAttribute("stroke-width", width.toFixed(1));
    this.trail.setAttribute("d", `M${first[0].toFixed(1)} ${first[1].toFixed(1)}${lines}${end}`);
  }
}
