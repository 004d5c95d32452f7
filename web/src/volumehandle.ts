// The handle of the cut: its foot moves the cut, its tip turns it.
import { Vector3 } from "three";
import type { Cut } from "./volumecut";
import type { ModelView } from "./volumeview";

const SVG = "http://www.w3.org/2000/svg";
/** How long the handle is, and as a share of the model's radius. */
const LENGTH = 0.42;

export class CutHandle {
  private readonly group: SVGGElement;
  private readonly line: SVGLineElement;
  private readonly foot: SVGCircleElement;
  private readonly tip: SVGCircleElement;

  /** @param changed told when the cut was moved by hand */
  constructor(private readonly view: ModelView, private readonly cut: Cut, sheet: SVGSVGElement, private readonly changed: () => void) {
    this.group = document.createElementNS(SVG, "g");
    this.line = document.createElementNS(SVG, "line");
    this.foot = document.createElementNS(SVG, "circle");
    this.tip = document.createElementNS(SVG, "circle");
    this.group.setAttribute("class", "handle");
    this.foot.setAttribute("r", "9");
    this.tip.setAttribute("r", "7");
    this.tip.setAttribute("class", "tip");
    this.group.append(this.line, this.foot, this.tip);
    sheet.append(this.group);
    this.connect(this.foot, (dx, dy) => this.move(dx, dy));
    this.connect(this.tip, (dx, dy) => this.turn(dx, dy));
    view.drawn.push(() => this.draw());
  }

  /** What is taken away lies in this direction. */
  private get away(): Vector3 {
    return this.cut.plane.normal.clone().negate();
  }

  private get tipPlace(): Vector3 {
    return this.cut.middle.addScaledVector(this.away, LENGTH * this.view.model.radius);
  }

  private connect(dot: SVGCircleElement, drag: (dx: number, dy: number) => void): void {
    let [x, y] = [0, 0];
    dot.addEventListener("pointerdown", (event) => {
      dot.setPointerCapture(event.pointerId);
      [x, y] = [event.clientX, event.clientY];
      event.preventDefault();
    });
    dot.addEventListener("pointermove", (event) => {
      if (!dot.hasPointerCapture(event.pointerId)) return;
      drag(event.clientX - x, event.clientY - y);
      [x, y] = [event.clientX, event.clientY];
      this.changed();
    });
  }

  /** Along the handle, as far as the pointer went along it in the window. */
  private move(dx: number, dy: number): void {
    const [foot, tip] = [this.view.project(this.cut.middle), this.view.project(this.tipPlace)];
    if (!foot || !tip) return;
    const [wx, wy] = [tip[0] - foot[0], tip[1] - foot[1]];
    const long = wx * wx + wy * wy;
    // Looked at from its end the handle has no length: then up and down moves it.
    const share = long > 300 ? (dx * wx + dy * wy) / long : -dy / 200;
    this.cut.place = Math.min(1, Math.max(-1, this.cut.place - (share * LENGTH * this.view.model.radius) / this.cut.reach));
  }

  /** The tip goes with the pointer on a ball about the foot. */
  private turn(dx: number, dy: number): void {
    const { orbit, height } = this.view;
    const metres = (2 * orbit.distance * Math.tan((orbit.camera.fov * Math.PI) / 360)) / height;
    const moved = new Vector3(dx * metres, -dy * metres, 0).applyQuaternion(orbit.camera.quaternion);
    const tip = this.away.multiplyScalar(LENGTH * this.view.model.radius).add(moved);
    this.cut.turn(tip.negate());
  }

  private draw(): void {
    const [foot, tip] = this.cut.on ? [this.view.project(this.cut.middle), this.view.project(this.tipPlace)] : [null, null];
    this.group.setAttribute("visibility", foot && tip ? "inherit" : "hidden");
    if (!foot || !tip) return;
    const pairs = [[this.foot, foot], [this.tip, tip]] as const;
    for (const [dot, [x, y]] of pairs) {
      dot.setAttribute("cx", x.toFixed(1));
      dot.setAttribute("cy", y.toFixed(1));
    }
    [foot, tip].forEach(([x, y], at) => {
      this.line.setAttribute(`x${at + 1}`, x.toFixed(1));
      this.line.setAttribute(`y${at + 1}`, y.toFixed(1));
    });
  }
}
