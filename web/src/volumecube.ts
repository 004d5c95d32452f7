// Which way is which: a cube whose sides are named, which turns with the model, and letters at the rims of the window.
import { Matrix4, Vector3 } from "three";
import { part } from "./page";
import { lettersOf, waysOf } from "./volumeorbit";
import type { ModelView } from "./volumeview";

/** How each side of the cube is turned into place, CSS. */
const SIDES: readonly (readonly [axis: number, sign: number, turn: string])[] = [
  [2, 1, ""],
  [2, -1, "rotateY(180deg)"],
  [0, 1, "rotateY(90deg)"],
  [0, -1, "rotateY(-90deg)"],
  [1, 1, "rotateX(90deg)"],
  [1, -1, "rotateX(-90deg)"],
];
/** A direction counts at a rim from this share of it on. */
const ALONG = 0.42;

export class Cube {
  private readonly body: HTMLElement;
  private readonly rims: readonly HTMLElement[];

  constructor(private readonly view: ModelView) {
    const { patient } = view.model;
    const letters = lettersOf(patient);
    const ways = waysOf(patient);
    this.body = part("cube").firstElementChild as HTMLElement;
    for (const [axis, sign, turn] of SIDES) {
      const letter = (sign > 0 ? letters.plus : letters.minus)[axis] ?? "";
      const face = Object.assign(document.createElement("i"), { textContent: letter });
      face.style.transform = `${turn} translateZ(21px)`;
      face.addEventListener("click", () => {
        const way = ways.find((each) => each.letter === letter);
        if (way) view.orbit.go(way, false);
        view.request();
      });
      this.body.append(face);
    }
    this.rims = ["left", "right", "top", "bottom"].map((side) => part("sides").querySelector(`.${side}`) as HTMLElement);
    view.drawn.push(() => this.draw());
  }

  private draw(): void {
    const turned = new Matrix4().makeRotationFromQuaternion(this.view.orbit.camera.quaternion).transpose();
    // CSS has y downwards.
    const flip = new Matrix4().makeScale(1, -1, 1);
    const css = flip.clone().multiply(turned).multiply(flip);
    this.body.style.transform = `matrix3d(${css.elements.map((each) => each.toFixed(5)).join(",")})`;
    const right = new Vector3(1, 0, 0).applyQuaternion(this.view.orbit.camera.quaternion);
    const up = new Vector3(0, 1, 0).applyQuaternion(this.view.orbit.camera.quaternion);
    [right.clone().negate(), right, up, up.clone().negate()].forEach((way, at) => {
      const rim = this.rims[at];
      if (rim) rim.textContent = this.words(way);
    });
  }

  /** The letters of a direction, the strongest first: "L", or "LA" where it is between two. */
  private words(way: Vector3): string {
    const letters = lettersOf(this.view.model.patient);
    const parts = way.toArray().map((share, axis) => ({ share: Math.abs(share), letter: (share > 0 ? letters.plus : letters.minus)[axis] ?? "" }));
    return parts.filter(({ share }) => share > ALONG).sort((a, b) => b.share - a.share).map(({ letter }) => letter).join("");
  }
}
