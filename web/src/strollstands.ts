// The places where pictures were taken: small cameras in the scene to click on, and a list with what each of them sees.
import { BufferGeometry, Color, Float32BufferAttribute, LineBasicMaterial, LineSegments, Vector3 } from "three";
import type { Stand } from "./strollsite";
import { calledBy } from "./strollwords";
import type { StrollView } from "./strollview";

/** How long a drawn camera is, metres. */
const LENGTH = 0.16;
/** So near, pixels of the screen, a click meets a camera. */
const NEAR = 18;
/** A camera that is hidden by less than this is seen, metres. */
const THIN = 0.25;
const WIDTH = 168;

/** The edges of a camera's pyramid, and a tick on its upper side. */
function outline({ camera }: Stand, length: number): number[] {
  const { width, height, fx, fy, cx, cy, position, rotation } = camera;
  const corner = (u: number, v: number): Vector3 =>
    new Vector3((u - cx) / fx, -(v - cy) / fy, -1).multiplyScalar(length).applyQuaternion(rotation).add(position);
  const around = [corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)];
  const edges = around.flatMap((from, at) => [from, around[(at + 1) % 4] ?? from, position, from]);
  edges.push(corner(0.3 * width, 0), corner(0.5 * width, -0.2 * height), corner(0.5 * width, -0.2 * height), corner(0.7 * width, 0));
  return edges.flatMap((point) => point.toArray());
}

export class Stands {
  private readonly lines = new Map<Stand, LineSegments>();

  constructor(private readonly view: StrollView) {
    for (const [stand, size] of view.sites.flatMap((site) => site.stands.map((each) => [each, site.size] as const))) {
      const geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(outline(stand, LENGTH * size), 3));
      const lines = new LineSegments(geometry, new LineBasicMaterial({ color: new Color("#ffd166"), transparent: true, opacity: 0.6 }));
      lines.raycast = () => undefined;
      this.lines.set(stand, lines);
      view.add(lines);
    }
  }

  /** The camera that the visitor stands in is not drawn around the eyes, nor are those of other parts. */
  draw(): void {
    const { site, camera } = this.view;
    for (const [stand, lines] of this.lines) {
      const away = stand.camera.position.distanceTo(camera.position);
      lines.visible = site.stands.includes(stand) && away > 1.6 * LENGTH * site.size;
    }
  }

  /** The picture whose camera is under a place of the window; null: none is. */
  under(x: number, y: number): Stand | null {
    const { view } = this;
    let best: Stand | null = null;
    let least = NEAR;
    view.site.stands.forEach((stand) => {
      const place = this.lines.get(stand)?.visible ? view.project(stand.camera.position) : null;
      const away = place ? Math.hypot(place[0] - x, place[1] - y) : Infinity;
      if (away >= least || !place) return;
      const wall = view.touch(...place);
      const eyes = view.camera.position;
      if (wall && wall.point.distanceTo(eyes) < stand.camera.position.distanceTo(eyes) - THIN * view.site.size) return;
      [best, least] = [stand, away];
    });
    return best;
  }

  /** The picture after (1) or before (-1) the one that the visitor is nearest to; in a tour, in another part, too. */
  next(step: number): void {
    const { stands } = this.view;
    const here = stands.indexOf(this.view.bound ?? this.nearest());
    const stand = stands[(here + step + stands.length) % stands.length];
    if (stand) this.view.visit(stand);
  }

  private nearest(): Stand {
    const { camera, site } = this.view;
    const away = (stand: Stand): number => stand.camera.position.distanceTo(camera.position);
    return site.stands.reduce((best, stand) => (away(stand) < away(best) ? stand : best));
  }

  /** Fill the list, with a small view of each place; `chosen` is told which one was clicked. */
  async list(into: HTMLElement, chosen: (stand: Stand) => void): Promise<void> {
    if (into.childElementCount > 0) return;
    const pictures: [HTMLCanvasElement, Stand][] = [];
    for (const stand of this.view.stands) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      const picture = document.createElement("canvas");
      picture.width = WIDTH;
      picture.height = Math.round((WIDTH * stand.camera.height) / stand.camera.width);
      const name = Object.assign(document.createElement("span"), { textContent: calledBy(stand) });
      button.append(picture, name);
      button.addEventListener("click", () => chosen(stand));
      into.append(button);
      pictures.push([picture, stand]);
    }
    for (const [picture, stand] of pictures) {
      this.view.picture(stand, picture);
      await new Promise((done) => setTimeout(done));
    }
  }
}
