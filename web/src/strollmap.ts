// The place from above: what lies below head height, the walls, the pictures, and the visitor. A click goes there.
import { OrthographicCamera, Vector3, WebGLRenderTarget } from "three";
import { say } from "./page";
import type { Stand } from "./strollsite";
import type { StrollView } from "./strollview";

/** The side of the drawing, pixels. */
const SIDE = 384;
/** Between these heights above the ground, metres, what stands there is drawn as a wall if it fills half of it. */
const WALL = [0.4, 1.7] as const;
const WALL_SHARE = 0.5;
/** What is higher above the ground is not drawn, metres. */
const CUT = 1.9;
/** The ground is another one when the visitor is so much higher or lower, metres. */
const STOREY = 1.2;
/** A click so near to a picture goes into it, pixels of the screen. */
const NEAR = 9;

export class StrollMap {
  private readonly pen: CanvasRenderingContext2D;
  private readonly plan = document.createElement("canvas");
  /** The middle of what is shown, and metres across. */
  private readonly middle = new Vector3();
  private across = 1;
  private ground = NaN;

  constructor(private readonly view: StrollView, private readonly canvas: HTMLCanvasElement) {
    const pen = canvas.getContext("2d");
    if (!pen) throw new Error("the browser gives no canvas to draw a map on");
    this.pen = pen;
    canvas.width = canvas.height = this.plan.width = this.plan.height = SIDE;
    this.unfold();
    canvas.addEventListener("click", (event) => this.clicked(event));
  }

  /** Show the part that the visitor is in. */
  unfold(): void {
    const { region, size } = this.view.site;
    region.getCenter(this.middle);
    const { x, z } = region.getSize(new Vector3());
    this.across = 1.06 * Math.max(x, z, size);
    this.ground = NaN;
  }

  /** Where a place is on the screen's drawing, in its own pixels. */
  private on(point: { readonly x: number; readonly z: number }): [x: number, y: number] {
    return [((point.x - this.middle.x) / this.across + 0.5) * SIDE, ((point.z - this.middle.z) / this.across + 0.5) * SIDE];
  }

  draw(): void {
    const { view, pen } = this;
    if (this.canvas.hidden || view.renderer.xr.isPresenting) return;
    const { body } = view;
    if (!(Math.abs(body.feet.y - this.ground) < STOREY * view.site.size)) this.survey(body.feet.y);
    pen.clearRect(0, 0, SIDE, SIDE);
    pen.drawImage(this.plan, 0, 0);
    pen.lineWidth = 2;
    pen.strokeStyle = "rgb(255 255 255 / 0.6)";
    pen.beginPath();
    for (const point of view.site.path) pen.lineTo(...this.on(point));
    pen.stroke();
    for (const door of view.site.doors) this.dot(door.at, 5.5, "#7ee0a8");
    for (const { camera } of view.site.stands) this.dot(camera.position, 4.5, "#ffd166");
    this.visitor();
  }

  private dot(point: Vector3, radius: number, colour: string): void {
    const { pen } = this;
    pen.beginPath();
    pen.arc(...this.on(point), radius, 0, 2 * Math.PI);
    pen.fillStyle = colour;
    pen.strokeStyle = "#1b1c22";
    pen.lineWidth = 1.5;
    pen.fill();
    pen.stroke();
  }

  /** Eyes and what they look at. */
  private visitor(): void {
    const { pen, view } = this;
    const [x, y] = this.on(view.camera.position);
    const ahead = new Vector3(0, 0, -1).applyQuaternion(view.camera.quaternion);
    const heading = Math.atan2(ahead.z, ahead.x);
    const half = Math.atan(Math.tan((view.camera.fov * Math.PI) / 360) * view.camera.aspect);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.arc(x, y, 46, heading - half, heading + half);
    pen.closePath();
    pen.fillStyle = "rgb(90 130 255 / 0.45)";
    pen.fill();
    this.dot(view.camera.position, 7, "#3f6bff");
  }

  /** Draw the plan of a storey. */
  private survey(ground: number): void {
    this.ground = ground;
    const pen = this.plan.getContext("2d");
    if (!pen) return;
    pen.putImageData(this.seenFromAbove(ground), 0, 0);
    const { solid, site } = this.view;
    const [nx, nz] = solid.columns;
    const cell = (solid.side / this.across) * SIDE;
    pen.fillStyle = "#1b1c22";
    for (let k = 0; k < nz; k++) {
      for (let i = 0; i < nx; i++) {
        if (solid.share(k * nx + i, ground + WALL[0] * site.size, ground + WALL[1] * site.size) < WALL_SHARE) continue;
        const [x, y] = this.on({ x: solid.least.x + i * solid.side, z: solid.least.z + k * solid.side });
        pen.fillRect(x, y, Math.max(cell, 1), Math.max(cell, 1));
      }
    }
  }

  private seenFromAbove(ground: number): ImageData {
    const { world, site } = this.view;
    const half = this.across / 2;
    const high = ground + CUT * site.size;
    const above = new OrthographicCamera(-half, half, half, -half, 0, high - Math.min(site.region.min.y, ground - site.size));
    above.position.set(this.middle.x, high, this.middle.z);
    above.up.set(0, 0, -1);
    above.lookAt(this.middle.x, high - 1, this.middle.z);
    above.updateMatrixWorld();
    return this.view.rendered(world, above, new WebGLRenderTarget(SIDE, SIDE, { samples: 4 }));
  }

  private clicked(event: MouseEvent): void {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map((each) => (each / box.width) * SIDE) as [number, number];
    const near = (NEAR / box.width) * SIDE;
    const away = (stand: Stand): number => {
      const [at, down] = this.on(stand.camera.position);
      return Math.hypot(at - x, down - y);
    };
    const [nearest] = [...this.view.site.stands].sort((a, b) => away(a) - away(b));
    if (nearest && away(nearest) < near) {
      this.view.visit(nearest);
      return;
    }
    const place = new Vector3((x / SIDE - 0.5) * this.across + this.middle.x, 0, (y / SIDE - 0.5) * this.across + this.middle.z);
    const { body, solid } = this.view;
    if (!solid.isKnown(place.x, place.z)) return say("Nothing was photographed there");
    place.y = body.groundBelow(place.clone().setY(body.feet.y + body.eye));
    this.view.goTo(place);
  }
}
