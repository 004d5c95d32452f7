// Mending the depth by hand: a brush, "this is flat", "this is sky", taking back, and a file to convert again.
import { Stroke } from "./brush";
import { DepthField } from "./codes";
import { layFlat, makeSky } from "./flat";
import { History, cutOut } from "./history";
import type { Box } from "./history";
import type { Pen } from "./input";
import { Marks } from "./marks";
import type { Place2d } from "./marks";
import { grey16 } from "./png";
import { insideLoop, underBrush } from "./region";
import type { Region, Spot } from "./region";
import { Sheet } from "./sheet";
import type { Viewer } from "./viewer";
import type { Texture } from "three";

export type Tool = "look" | "nearer" | "farther" | "flat" | "sky";

/** What the bar is set to. */
export interface Settings {
  tool: Tool;
  /** Diameter of the brush, CSS pixels. */
  size: number;
  /** Share by which one stroke changes the nearness. */
  strength: number;
  /** The depth brush stays on what it began on. */
  keep: boolean;
  /** "Flat" and "sky" are marked by a loop rather than by the brush. */
  loop: boolean;
}

/** The word under which a depth PNG of unflat keeps what it means. */
const PNG_KEY = "unflat-depth";

/** The depth of one page while it is edited. Everything is drawn from the photograph's own viewpoint. */
export class Editor implements Pen {
  readonly settings: Settings = { tool: "nearer", size: 90, strength: 0.08, keep: false, loop: true };
  readonly history: History;
  /** Pixels that differ from what the page came with. */
  changed = 0;
  /** True where there is something that no saved file holds. */
  unsaved = false;
  private readonly sheet: Sheet;
  private readonly marks = new Marks();
  private colours: Uint8ClampedArray | null = null;
  private stroke: Stroke | null = null;
  private path: Place2d[] = [];

  constructor(
    private readonly viewer: Viewer,
    private readonly field: DepthField,
    private readonly picture: Texture,
    private readonly told: (text: string) => void,
  ) {
    this.history = new History(field);
    this.sheet = new Sheet(viewer.place, field, picture);
  }

  /** Show the sheet, or the scene as the page came with. */
  show(sheet: boolean): void {
    this.viewer.replaceBy(sheet ? this.sheet : null);
  }

  get drawing(): boolean {
    return this.stroke !== null || this.path.length > 0;
  }

  /** What is marked first and changed when the pen is lifted. */
  private get marking(): boolean {
    return this.settings.tool === "flat" || this.settings.tool === "sky";
  }

  private get looping(): boolean {
    return this.marking && this.settings.loop;
  }

  down(x: number, y: number): void {
    this.viewer.rig.comeHome();
    this.hover([x, y]);
    if (this.marking) {
      this.path = [[x, y]];
      this.drawPath();
      return;
    }
    const { tool, strength, keep } = this.settings;
    const push = Math.log1p(strength) * (tool === "nearer" ? 1 : -1);
    this.stroke = new Stroke(this.field, { radius: this.radius(), push, colours: keep ? this.look() : null }, this.spot([x, y]));
    this.follow(this.stroke.touched);
  }

  move(x: number, y: number): void {
    this.hover([x, y]);
    if (this.stroke) {
      this.follow(this.stroke.to(this.spot([x, y])));
    } else if (this.path.length > 0) {
      this.path.push([x, y]);
      this.drawPath();
    }
  }

  up(): void {
    const { stroke, path } = this;
    this.end();
    if (stroke) {
      const change = stroke.change();
      if (change) this.history.did(change);
      this.settle();
    } else if (path.length > 0) {
      this.apply(path.map((at) => this.spot(at)));
    }
  }

  cancel(): void {
    const { stroke } = this;
    this.end();
    if (!stroke) return;
    stroke.takeBack();
    this.follow(stroke.touched);
  }

  hover(at: Place2d | null): void {
    this.marks.hang(this.looping ? null : at, this.settings.size / 2);
  }

  undo(): void {
    this.step(this.history.undo(), "There is nothing to take back");
  }

  redo(): void {
    this.step(this.history.redo(), "There is nothing to do again");
  }

  /** The depth as it is now, as a file that `unflat photo --depth` takes. */
  async file(name: string): Promise<Blob> {
    const { field } = this;
    const blob = await grey16(field.codes, [field.width, field.height], PNG_KEY, field.words(name));
    this.unsaved = false;
    return blob;
  }

  private step(box: Box | null, otherwise: string): void {
    this.cancel();
    if (!box) return this.told(otherwise);
    this.follow(box);
    this.settle();
  }

  private apply(path: readonly Spot[]): void {
    const { field, settings } = this;
    const region: Region | null = settings.loop ? insideLoop(field, path) : underBrush(field, path, this.radius());
    if (!region) return this.told(settings.loop ? "Draw a loop around what you mean" : "That is beside the picture");
    const codes = cutOut(field.codes, field.width, region.box);
    if (settings.tool === "sky") makeSky(field, region);
    else if (!layFlat(field, region)) return this.told("There is no surface here to lay flat");
    this.history.did({ box: region.box, codes });
    this.follow(region.box);
    this.settle();
  }

  private end(): void {
    this.stroke = null;
    this.path = [];
    this.marks.clear();
  }

  /** Something was changed for good. */
  private settle(): void {
    this.changed = this.field.changed();
    this.unsaved = this.changed > 0;
    this.told("");
  }

  private follow(box: Box | null): void {
    if (!box) return;
    this.sheet.follow(box);
    this.viewer.request();
  }

  private drawPath(): void {
    if (this.looping) this.marks.loop(this.path);
    else this.marks.brushed(this.path, this.settings.size / 2);
  }

  private spot([x, y]: Place2d): Spot {
    const { camera } = this.viewer.place;
    const [px, py] = this.viewer.rig.pixelAt(x, y);
    return [(px / camera.width) * this.field.width, (py / camera.height) * this.field.height];
  }

  /** Of the brush, in pixels of the depth map. */
  private radius(): number {
    const { rig, place } = this.viewer;
    return Math.max(0.75, ((this.settings.size / 2 / rig.scale) * this.field.width) / place.camera.width);
  }

  /** The picture's colours, as fine as the depth. */
  private look(): Uint8ClampedArray {
    if (this.colours) return this.colours;
    const { width, height } = this.field;
    const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
    if (!pen) throw new Error("the browser gives no canvas to read from");
    pen.drawImage(this.picture.image as CanvasImageSource, 0, 0, width, height);
    this.colours = pen.getImageData(0, 0, width, height).data;
    return this.colours;
  }
}
