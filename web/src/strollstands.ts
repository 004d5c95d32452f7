// The places where pictures were taken: small cameras in the scene to click on, and a list with what each of them sees.
import { BufferGeometry, Color, Float32BufferAttribute, LineBasicMaterial, LineSegments, Vector3 } from "three";
import type { Stand } from "./strollsite";
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
  private readonly lines: LineSegments[] = [];

  constructor(private readonly view: StrollView) {
    for (const stand of view.site.stands) {
      const geometry = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(outline(stand, LENGTH * view.site.size), 3));
      const lines = new LineSegments(geometry, new LineBasicMaterial({ color: new Color("#ffd166"), transparent: true, opacity: 0.6 }));
      lines.raycast = () => undefined;
      this.lines.push(lines);
      view.add(lines);
    }
  }

  /** The camera that the visitor stands in is not drawn around the eyes. */
  draw(): void {
    const { site, camera } = this.view;
    site.stands.forEach((stand, at) => {
      const lines = this.lines[at];
      if (lines) lines.visible = stand.camera.position.distanceTo(camera.position) > 1.6 * LENGTH * site.size;
    });
  }

  /** The picture whose camera is under a place of the window; null: none is. */
  under(x: number, y: number): Stand | null {
    const { view } = this;
    let best: Stand | null = null;
    let least = NEAR;
    view.site.stands.forEach((stand, at) => {
      const place = this.lines[at]?.visible ? view.project(stand.camera.position) : null;
      const away = place ? Math.hypot(place[0] - x, place[1] - y) : Infinity;
      if (away >= least || !place) return;
      const wall = view.touch(...place);
      const eyes = view.camera.position;
      if (wall && wall.point.distanceTo(eyes) < stand.camera.position.distanceTo(eyes) - THIN * view.site.size) return;
      [best, least] = [stand, away];
    });
    return best;
  }

  /** The picture after (1) or before (-1) the one that the visitor is nearest to. */
  next(step: number): void {
    const { stands } = this.view.site;
    const here = this.view.bound ? stands.indexOf(this.view.bound) : this.nearest();
    const stand = stands[(here + step + stands.length) % stands.length];
    if (stand) this.view.visit(stand);
  }

  private nearest(): number {
    const away = this.view.site.stands.map((stand) => stand.camera.position.distanceTo(this.view.camera.position));
    return away.indexOf(Math.min(...away));
  }

  /** Fill the list, with a small view of each place; `chosen` is told which one was clicked. */
  async list(into: HTMLElement, chosen: (stand: Stand) => void): Promise<void> {
    if (into.childElementCount > 0) return;
    const pictures: [HTMLCanvasElement, Stand][] = [];
    for (const stand of this.view.site.stands) {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      const picture = document.createElement("canvas");
      picture.width = WIDTH;
      picture.height = Math.round((WIDTH * stand.camera.height) / stand.camera.width);
      const name = Object.assign(document.createElement("span"), { textContent: stand.name });
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
