// Texts that point at places: a label beside the model, a line from it to its place. Labels keep clear of each other; those
// of places that something hides are dimmed.
import {
  BufferAttribute, BufferGeometry, Camera, GLSL3, Matrix4, NearestFilter, Points, RawShaderMaterial, Scene, Vector3, WebGLRenderTarget,
} from "three";
import { part } from "./page";
import { offsetOf } from "./volumemodel";
import type { PinSpot } from "./volumemodel";
import type { ModelView } from "./volumeview";

const SVG = "http://www.w3.org/2000/svg";
/** Between labels, and between the model and them, CSS pixels. */
const GAP = 6;
const ASIDE = 26;
const EDGE = 10;

const PROBE_VERTEX = /* glsl */ `
  in vec3 position;
  in float number;
  uniform mat4 clipFromWorld;
  uniform float count;
  out vec3 seen;
  void main() {
    vec4 clip = clipFromWorld * vec4(position, 1.0);
    seen = clip.w > 0.0 ? 0.5 + 0.5 * clip.xyz / clip.w : vec3(-1.0);
    gl_PointSize = 1.0;
    gl_Position = vec4(2.0 * (number + 0.5) / count - 1.0, 0.0, 0.0, 1.0);
  }`;

const PROBE_FRAGMENT = /* glsl */ `
  precision highp float;
  uniform sampler2D depth;
  in vec3 seen;
  out vec4 texel;
  void main() {
    float solid = texture(depth, seen.xy).r;
    texel = vec4(seen.z <= solid ? 1.0 : 0.0, 0.0, 0.0, 1.0);
  }`;

/** Asks the graphics card which places are before everything solid. */
class Probe {
  private readonly target: WebGLRenderTarget;
  private readonly scene = new Scene();
  private readonly camera = new Camera();
  private readonly places: BufferAttribute;
  private readonly material: RawShaderMaterial;
  private readonly answers: Uint8Array;

  constructor(private readonly count: number) {
    this.target = new WebGLRenderTarget(count, 1, { depthBuffer: false, minFilter: NearestFilter, magFilter: NearestFilter });
    this.places = new BufferAttribute(new Float32Array(3 * count), 3);
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", this.places);
    geometry.setAttribute("number", new BufferAttribute(Float32Array.from({ length: count }, (_, at) => at), 1));
    const uniforms = { depth: { value: null }, clipFromWorld: { value: new Matrix4() }, count: { value: count } };
    this.material = new RawShaderMaterial({ glslVersion: GLSL3, vertexShader: PROBE_VERTEX, fragmentShader: PROBE_FRAGMENT, uniforms, depthTest: false, depthWrite: false });
    const points = new Points(geometry, this.material);
    points.frustumCulled = false;
    this.scene.add(points);
    this.answers = new Uint8Array(4 * count);
  }

  /** For each place, whether nothing solid is before it. */
  free(view: ModelView, places: readonly Vector3[]): boolean[] {
    const { camera } = view.orbit;
    const { depth, clipFromWorld } = this.material.uniforms;
    if (!view.picture || !depth) return places.map(() => true);
    places.forEach((place, at) => this.places.setXYZ(at, ...place.toArray()));
    this.places.needsUpdate = true;
    depth.value = view.picture.depth;
    (clipFromWorld?.value as Matrix4).multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);
    view.renderer.setRenderTarget(this.target);
    view.renderer.clear();
    view.renderer.render(this.scene, this.camera);
    view.renderer.readRenderTargetPixels(this.target, 0, 0, this.count, 1, this.answers);
    return places.map((_, at) => (this.answers[4 * at] ?? 0) > 127);
  }
}

interface Label {
  readonly pin: PinSpot;
  readonly button: HTMLButtonElement;
  readonly line: SVGPolylineElement;
  readonly dot: SVGCircleElement;
}

export class Pins {
  on = true;
  private readonly labels: readonly Label[];
  private readonly probe: Probe | null;

  constructor(private readonly view: ModelView, sheet: SVGSVGElement) {
    const { pins } = view.model;
    const parent = part("pins");
    this.labels = pins.map((pin) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "pin", textContent: pin.text });
      if (pin.detail) button.setAttribute("aria-haspopup", "dialog");
      button.addEventListener("click", () => this.open(pin));
      parent.append(button);
      const line = document.createElementNS(SVG, "polyline");
      const dot = document.createElementNS(SVG, "circle");
      dot.setAttribute("r", "3.5");
      line.setAttribute("class", "leader");
      dot.setAttribute("class", "leader");
      sheet.append(line, dot);
      return { pin, button, line, dot };
    });
    this.probe = pins.length > 0 ? new Probe(pins.length) : null;
    if (pins.length > 0) {
      view.probe = () => this.look();
      view.drawn.push(() => this.draw());
    }
  }

  private open({ text, detail, tissue }: PinSpot): void {
    part("pin-title").textContent = text;
    part("pin-detail").textContent = detail || (tissue ? `Part: ${tissue.name}` : "");
    part<HTMLDialogElement>("pin-sheet").showModal();
  }

  /** Where a pin points now; a little before its surface, so that this does not hide it. */
  private place({ at, tissue }: PinSpot): Vector3 {
    return at.clone().add(offsetOf(tissue));
  }

  /** Learn which places are hidden, while the depth of what is solid is there. */
  private look(): void {
    if (!this.on || !this.probe) return;
    const { camera } = this.view.orbit;
    const before = 0.03 * this.view.model.radius;
    const free = this.probe.free(this.view, this.labels.map(({ pin }) => {
      const place = this.place(pin);
      return place.addScaledVector(camera.position.clone().sub(place).normalize(), before);
    }));
    this.labels.forEach(({ button, line, dot, pin }, at) => {
      const gone = this.view.cut?.takes(this.place(pin)) === true || pin.tissue?.shown === false;
      for (const each of [button, line, dot]) each.classList.toggle("behind", gone || !free[at]);
    });
  }

  private draw(): void {
    const { view } = this;
    for (const { button, line, dot } of this.labels) {
      button.hidden = !this.on;
      for (const each of [line, dot]) each.setAttribute("visibility", "hidden");
    }
    if (!this.on) return;
    const places = this.labels.flatMap((label) => {
      const seen = view.project(this.place(label.pin));
      label.button.hidden = seen === null;
      return seen ? [{ label, x: seen[0], y: seen[1], wide: label.button.offsetWidth, high: label.button.offsetHeight }] : [];
    });
    // Labels stand beside the model, on the side where their place is.
    const middle = view.project(view.orbit.target)?.[0] ?? view.width / 2;
    const [left, right] = this.rims();
    for (const side of [-1, 1]) {
      const own = places.filter(({ x }) => x < middle === side < 0).sort((a, b) => a.y - b.y);
      const tops = spread(own.map(({ y, high }) => ({ top: y - high / 2, high })), EDGE + 56, view.height - EDGE - 64);
      own.forEach(({ label, x, y, wide, high }, at) => {
        const top = tops[at] ?? 0;
        const start = side < 0 ? Math.max(EDGE, left - ASIDE - wide) : Math.min(view.width - EDGE - wide, right + ASIDE);
        label.button.style.transform = `translate(${start.toFixed(1)}px, ${top.toFixed(1)}px)`;
        const edge = side < 0 ? start + wide : start;
        label.line.setAttribute("points", `${edge},${top + high / 2} ${edge - side * 10},${top + high / 2} ${x},${y}`);
        label.dot.setAttribute("cx", `${x}`);
        label.dot.setAttribute("cy", `${y}`);
        for (const each of [label.line, label.dot]) each.setAttribute("visibility", "inherit");
      });
    }
  }

  /** Where the model ends to the left and to the right, CSS pixels. */
  private rims(): readonly [number, number] {
    let [left, right] = [Infinity, -Infinity];
    for (const tissue of this.view.model.tissues) {
      if (!tissue.shown) continue;
      const { min, max } = tissue.box;
      for (let at = 0; at < 8; at++) {
        const corner = new Vector3(at & 1 ? max.x : min.x, at & 2 ? max.y : min.y, at & 4 ? max.z : min.z).add(offsetOf(tissue));
        const seen = this.view.project(corner);
        if (!seen) continue;
        left = Math.min(left, seen[0]);
        right = Math.max(right, seen[0]);
      }
    }
    return Number.isFinite(left) ? [left, right] : [this.view.width / 2, this.view.width / 2];
  }
}

/** Tops of boxes in a column, in their order, near where they wish to be, without overlap. */
export function spread(boxes: readonly { readonly top: number; readonly high: number }[], from: number, to: number): number[] {
  const tops: number[] = [];
  let free = from;
  for (const { top, high } of boxes) {
    tops.push(Math.max(top, free));
    free = Math.max(top, free) + high + GAP;
  }
  let floor = to;
  for (let at = boxes.length - 1; at >= 0; at--) {
    const high = boxes[at]?.high ?? 0;
    tops[at] = Math.min(tops[at] ?? 0, floor - high);
    floor = (tops[at] ?? 0) - GAP;
  }
  return tops;
}
