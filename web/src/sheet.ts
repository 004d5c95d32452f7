// The depth map as one sheet that moves under the brush. It stands in for the scene while depth is edited: the surfaces
// behind outlines were continued from the depth as it was, and would stick out.
import { BufferAttribute, BufferGeometry, DoubleSide, Matrix4, Mesh, ShaderMaterial, Vector3 } from "three";
import type { Texture } from "three";
import { FARTHEST, SKY } from "./codes";
import type { DepthField } from "./codes";
import { DEPTH_STOPS, rampTexture } from "./colours";
import type { Box } from "./history";
import type { Mode, Place } from "./types";

/** Vertices along the longer side, at most. */
const FINEST = 512;
/** Where a pixel of the photograph is drawn this many times as long as it should be, the sheet is torn. */
const TEAR = 3;
/** The sky is drawn this many times as far as the farthest surface. */
const SKY_FARTHER = 1.2;

const VERTEX = /* glsl */ `
  attribute vec2 mark;
  varying float depth;
  varying vec2 kind;
  varying vec2 at;
  void main() {
    depth = -position.z;
    kind = mark;
    at = uv;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
  }`;

const FRAGMENT = /* glsl */ `
  #define CONTOURS 18.0
  uniform sampler2D ramp;
  uniform sampler2D picture;
  uniform vec2 size;
  uniform bool showDepth;
  uniform float drawnScale;
  uniform float inverseNear;
  uniform float inverseFar;
  varying float depth;
  varying vec2 kind;
  varying vec2 at;
  void main() {
    // Pixels of the photograph for one step right and one step up in the window; the least of them over all directions.
    vec2 right = dFdx(at) * size;
    vec2 up = dFdy(at) * size;
    float sum = dot(right, right) + dot(up, up);
    float area = right.x * up.y - right.y * up.x;
    float least = sqrt(max(0.0, 0.5 * (sum - sqrt(max(0.0, sum * sum - 4.0 * area * area)))));
    if (least * drawnScale * ${TEAR.toFixed(1)} < 1.0 || kind.y > 0.5) discard;
    vec4 seen = texture2D(picture, at);
    gl_FragColor = vec4(seen.rgb, 1.0);
    #include <colorspace_fragment>
    if (!showDepth) return;
    float light = dot(gl_FragColor.rgb, vec3(0.3, 0.59, 0.11));
    float t = clamp((1.0 / depth - inverseFar) / (inverseNear - inverseFar), 0.0, 1.0);
    vec3 colour = texture2D(ramp, vec2(t * (255.0 / 256.0) + 0.5 / 256.0, 0.5)).rgb;
    // Lines of equal nearness: on a plane they are straight and evenly apart.
    float steps = (1.0 / depth - inverseFar) / (inverseNear - inverseFar) * CONTOURS;
    float away = abs(fract(steps + 0.5) - 0.5) / max(fwidth(steps), 1e-6);
    colour = mix(vec3(1.0), colour, mix(1.0, smoothstep(0.2, 1.2, away), 0.6 * (1.0 - smoothstep(0.15, 0.5, fwidth(steps)))));
    float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 9.0));
    if (kind.x > 0.5) colour = mix(vec3(0.16, 0.15, 0.2), vec3(0.3, 0.29, 0.36), stripe);
    gl_FragColor.rgb = colour * (0.5 + 0.6 * light);
  }`;

/** Draws a depth field, a vertex for every few of its pixels. */
export class Sheet {
  readonly mesh: Mesh<BufferGeometry, ShaderMaterial>;
  private readonly xs: Int32Array;
  private readonly ys: Int32Array;
  private readonly position: BufferAttribute;
  private readonly mark: BufferAttribute;
  private readonly skyDepth: number;

  constructor(private readonly place: Place, private readonly field: DepthField, picture: Texture) {
    const { camera, depths } = place;
    const step = Math.max(1, Math.ceil(Math.max(field.width, field.height) / FINEST));
    [this.xs, this.ys] = [stops(field.width, step), stops(field.height, step)];
    const count = this.xs.length * this.ys.length;
    this.position = new BufferAttribute(new Float32Array(3 * count), 3);
    this.mark = new BufferAttribute(new Float32Array(2 * count), 2);
    this.skyDepth = SKY_FARTHER * Math.max(depths.farthest, depths.far);
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", this.position);
    geometry.setAttribute("mark", this.mark);
    geometry.setAttribute("uv", new BufferAttribute(this.corners(), 2));
    geometry.setIndex(new BufferAttribute(triangles(this.xs.length, this.ys.length), 1));
    const material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      side: DoubleSide,
      uniforms: {
        ramp: { value: rampTexture(DEPTH_STOPS) },
        picture: { value: picture },
        size: { value: [camera.width, camera.height] },
        showDepth: { value: false },
        drawnScale: { value: 1 },
        inverseNear: { value: 1 / depths.near },
        inverseFar: { value: 1 / depths.far },
      },
    });
    this.mesh = new Mesh(geometry, material);
    this.mesh.frustumCulled = false;
    this.mesh.applyMatrix4(new Matrix4().compose(camera.position, camera.rotation, new Vector3(1, 1, 1)));
    this.follow({ left: 0, top: 0, right: field.width, bottom: field.height });
  }

  /** Choose what is drawn; `drawnScale` is device pixels for one pixel of the photograph at the pivot. */
  show(mode: Mode, drawnScale: number): void {
    const { showDepth, drawnScale: scale } = this.mesh.material.uniforms;
    if (showDepth) showDepth.value = mode === "depth";
    if (scale) scale.value = drawnScale;
  }

  /** Take over what the field holds now inside a box. */
  follow(box: Box): void {
    const wide = this.xs.length;
    let [first, last] = [Infinity, -1];
    for (let j = 0; j < this.ys.length; j++) {
      const y = this.ys[j] ?? 0;
      if (y < box.top || y >= box.bottom) continue;
      for (let i = 0; i < wide; i++) {
        const x = this.xs[i] ?? 0;
        if (x >= box.left && x < box.right) this.put(j * wide + i, x, y);
      }
      [first, last] = [Math.min(first, j), j];
    }
    if (last < 0) return;
    for (const attribute of [this.position, this.mark]) {
      attribute.addUpdateRange(first * wide * attribute.itemSize, (last - first + 1) * wide * attribute.itemSize);
      attribute.needsUpdate = true;
    }
  }

  private put(vertex: number, x: number, y: number): void {
    const { camera } = this.place;
    const code = this.field.codes[y * this.field.width + x] ?? 0;
    const depth = code >= FARTHEST ? this.field.depthOf(code) : this.skyDepth;
    const px = edged(x, this.field.width) * camera.width;
    const py = edged(y, this.field.height) * camera.height;
    this.position.setXYZ(vertex, ((px - camera.cx) / camera.fx) * depth, (-(py - camera.cy) / camera.fy) * depth, -depth);
    this.mark.setXY(vertex, code === SKY ? 1 : 0, code < FARTHEST && code !== SKY ? 1 : 0);
  }

  /** Texture coordinates of every vertex. */
  private corners(): Float32Array {
    const out = new Float32Array(2 * this.xs.length * this.ys.length);
    let at = 0;
    for (const y of this.ys) {
      for (const x of this.xs) {
        out[at++] = edged(x, this.field.width);
        out[at++] = edged(y, this.field.height);
      }
    }
    return out;
  }
}

/** Where the centre of a pixel lies along its side, 0..1; the outermost reach to the rim of the picture. */
function edged(pixel: number, count: number): number {
  return pixel === 0 ? 0 : pixel === count - 1 ? 1 : (pixel + 0.5) / count;
}

/** Every step-th pixel, and the last. */
function stops(count: number, step: number): Int32Array {
  const inner = Array.from({ length: Math.ceil((count - 1) / step) }, (_, i) => i * step);
  return Int32Array.from([...inner, count - 1]);
}

function triangles(wide: number, high: number): Uint32Array {
  const out = new Uint32Array(6 * (wide - 1) * (high - 1));
  let at = 0;
  for (let j = 0; j + 1 < high; j++) {
    for (let i = 0; i + 1 < wide; i++) {
      const corner = j * wide + i;
      out.set([corner, corner + wide, corner + 1, corner + 1, corner + wide, corner + wide + 1], at);
      at += 6;
    }
  }
  return out;
}
