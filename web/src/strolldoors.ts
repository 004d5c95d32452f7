// The doors of a tour: frames that stand where they are seen, with a button on each, which keys, clicks and fingers press;
// who walks into one goes through.
import { BufferGeometry, DoubleSide, Float32BufferAttribute, Group, Mesh, MeshBasicMaterial } from "three";
import type { Doorway } from "./strollsite";
import { calledBy } from "./strollwords";
import type { StrollView } from "./strollview";

/** Metres of somebody whose eyes are 1.6 m above the ground. */
const WIDE = 1;
const HIGH = 2.1;
const THICK = 0.07;
/** The share of its picture's height that a door takes up there at most: nobody knows how large a painted door is. */
const LARGEST = 0.3;
/** So near to its foot one goes through a door, and from so far on it is open for who has just come through. */
const INTO = 0.75;
const AWAY = 1.3;
/** One does not go through a door that hangs higher above the feet, or lies deeper. */
const LEVEL = 1.2;
const COLOUR = "#7ee0a8";
/** The least distance of a button from the rim of the window, CSS pixels. */
const RIM = 14;
const [TOP, BOTTOM] = [112, 104];

interface Shown {
  readonly door: Doorway;
  readonly frame: Group;
  /** Metres. */
  readonly high: number;
  readonly button: HTMLButtonElement;
  /** True if one was far enough from it to come through. */
  open: boolean;
}

/** The outline of an arch: right foot, over the top, left foot; x and y of each corner in turn. */
function arch(half: number, high: number): [x: number, y: number][] {
  const round = Array.from({ length: 17 }, (_, at): [number, number] => [half * Math.cos((at / 16) * Math.PI), high - half + half * Math.sin((at / 16) * Math.PI)]);
  return [[half, 0], ...round, [-half, 0]];
}

/** Triangles between two outlines of as many corners, or from an outline to its foot. */
function between(outer: readonly (readonly [number, number])[], inner: readonly (readonly [number, number])[]): BufferGeometry {
  const xyz: number[] = [];
  for (let at = 0; at + 1 < outer.length; at++) {
    const [a, b, c, d] = [outer[at], outer[at + 1], inner[at + 1], inner[at]];
    if (a && b && c && d) xyz.push(...[a, b, c, a, c, d].flatMap(([x, y]) => [x, y, 0]));
  }
  return new BufferGeometry().setAttribute("position", new Float32BufferAttribute(xyz, 3));
}

/** An upright frame that faces whoever took its picture; and how high it is. */
function frameOf(door: Doorway, size: number): readonly [Group, number] {
  const { camera } = door.from;
  const tall = (LARGEST * door.at.distanceTo(camera.position) * camera.height) / camera.fy;
  const shrink = Math.min(1, tall / (HIGH * size));
  const [half, high, thick] = [WIDE / 2, HIGH, THICK].map((metres) => metres * size * shrink) as [number, number, number];
  const [outer, inner] = [arch(half, high), arch(half - thick, high - thick)];
  const look = (opacity: number): MeshBasicMaterial =>
    new MeshBasicMaterial({ transparent: true, depthTest: false, depthWrite: false, color: COLOUR, side: DoubleSide, opacity });
  const frame = new Group();
  frame.renderOrder = 3;
  frame.add(new Mesh(between(inner, inner.map(([x]) => [x, 0] as const)), look(0.2)), new Mesh(between(outer, inner), look(0.95)));
  for (const part of frame.children) part.raycast = () => undefined;
  frame.position.copy(door.at);
  const { x, z } = door.from.camera.position.clone().sub(door.at);
  frame.rotation.y = Math.atan2(x, z);
  return [frame, high];
}

export class StrollDoors {
  private readonly shown: Shown[] = [];

  constructor(private readonly view: StrollView, into: HTMLElement) {
    for (const site of view.sites) {
      for (const door of site.doors) {
        const [frame, high] = frameOf(door, site.size);
        view.add(frame);
        const button = Object.assign(document.createElement("button"), { type: "button", className: "door" });
        const behind = calledBy(door.to);
        const named = !behind.startsWith(door.name);
        button.append(Object.assign(document.createElement("b"), { textContent: named ? door.name : behind }));
        if (named) button.append(Object.assign(document.createElement("span"), { textContent: behind }));
        button.setAttribute("aria-label", named ? `Go through: ${door.name}, to ${behind}` : `Go to ${behind}`);
        button.addEventListener("click", () => this.go(door));
        into.append(button);
        this.shown.push({ door, frame, high, button, open: false });
      }
    }
  }

  /** Before a frame: the doors of other parts are not there. */
  settle(): void {
    for (const { door, frame } of this.shown) frame.visible = this.view.site.doors.includes(door);
  }

  /** After a frame: the buttons are where the doors are, and who walked into a door goes through. */
  draw(): void {
    const { view } = this;
    for (const each of this.shown) {
      const here = view.site.doors.includes(each.door) && !view.renderer.xr.isPresenting;
      each.button.hidden = !here;
      if (!here) {
        each.open = false;
        continue;
      }
      this.put(each);
      const { at } = each.door;
      const { x, y, z } = view.body.feet;
      const away = Math.hypot(x - at.x, z - at.z) / view.site.size;
      if (away > AWAY) each.open = !view.busy;
      else if (away < INTO && Math.abs(y - at.y) < LEVEL * view.site.size && each.open && !view.busy) {
        each.open = false;
        this.go(each.door);
      }
    }
  }

  /** The door that is seen nearest to the middle of the window. */
  enter(): void {
    const middle = (each: Shown): number => {
      const at = this.view.project(each.door.at.clone().setY(each.door.at.y + 0.5 * each.high));
      return at ? Math.hypot(at[0] - innerWidth / 2, at[1] - innerHeight / 2) : Infinity;
    };
    const [best] = this.shown.filter((each) => !each.button.hidden).sort((a, b) => middle(a) - middle(b));
    if (best) this.go(best.door);
  }

  private go(door: Doorway): void {
    if (!this.view.busy) this.view.visit(door.to);
  }

  /** A button stands on its door; where that is not in the window, at the rim that is nearer to turn to. */
  private put({ door, button, high: tall }: Shown): void {
    const { view } = this;
    const head = door.at.clone().setY(door.at.y + tall);
    const at = view.project(head);
    const [half, high] = [button.offsetWidth / 2, button.offsetHeight];
    const inside = at !== null && at[0] > 0 && at[0] < innerWidth;
    const seen = head.clone().applyMatrix4(view.camera.matrixWorldInverse);
    const left = seen.x < 0;
    const x = inside ? at[0] : left ? 0 : innerWidth;
    const y = inside ? at[1] : innerHeight / 2;
    button.classList.toggle("left", !inside && left);
    button.classList.toggle("right", !inside && !left);
    const [u, v] = [Math.min(innerWidth - half - RIM, Math.max(half + RIM, x)), Math.min(innerHeight - BOTTOM, Math.max(TOP + high, y))];
    button.style.transform = `translate(${(u - half).toFixed(1)}px, ${(v - high).toFixed(1)}px)`;
  }
}
