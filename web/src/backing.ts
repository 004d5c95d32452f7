// What shows through where near things have moved aside: a blur of the picture's own colours, behind everything.
// It fills the narrow rims of the safe view. The confidence switch marks it as invented, the depth switch and the free
// view leave it out.
import { BufferAttribute, BufferGeometry, Mesh, ShaderMaterial } from "three";
import type { Texture } from "three";
import { seen } from "./depths";
import type { Mode, PhotoCamera, Piece, Place } from "./types";
import { pictureOf } from "./place";

/** The blur leaves about this many patches along the longer side of the picture. */
const PATCHES = 28;

const VERTEX = /* glsl */ `
  varying vec2 at;
  void main() {
    at = uv;
    gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
  }`;

const FRAGMENT = /* glsl */ `
  uniform sampler2D picture;
  uniform vec2 texel;
  uniform float level;
  uniform bool marked;
  varying vec2 at;
  void main() {
    vec3 sum = vec3(0.0);
    for (int y = -1; y <= 1; y++) {
      for (int x = -1; x <= 1; x++) {
        float weight = float((2 - abs(x)) * (2 - abs(y))) / 16.0;
        sum += weight * textureLod(picture, at + vec2(float(x), float(y)) * texel, level).rgb;
      }
    }
    gl_FragColor = vec4(sum, 1.0);
    #include <colorspace_fragment>
    float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 9.0));
    if (marked) gl_FragColor.rgb = mix(vec3(0.35, 0.1, 0.4), vec3(0.85, 0.45, 0.95), stripe);
  }`;

/** What a texture shows, in pixels of the photograph: more than the photograph where it goes on beyond its border. */
interface Span {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Where the ends of a texture are, along x (0) or y (1), by the two vertices that are farthest apart on it. */
function ends(piece: Piece, pixels: Float32Array, axis: 0 | 1): [number, number] | null {
  const uv = piece.object.geometry.getAttribute("uv");
  if (!uv) return null;
  let [first, last] = [-1, -1];
  const at = (i: number) => (axis ? uv.getY(i) : uv.getX(i));
  for (let i = 0; i < uv.count; i++) {
    if ((pixels[3 * i + 2] ?? 0) <= 0) continue;
    if (first < 0 || at(i) < at(first)) first = i;
    if (last < 0 || at(i) > at(last)) last = i;
  }
  if (first < 0 || at(last) - at(first) < 1e-3) return null;
  const [low, high] = [pixels[3 * first + axis] ?? 0, pixels[3 * last + axis] ?? 0];
  const whole = (high - low) / (at(last) - at(first));
  return [low - at(first) * whole, whole];
}

function spanOf(place: Place): Span | null {
  const piece = place.pieces.find((one) => one.role === "surface");
  if (!piece) return null;
  const pixels = seen(place.camera, piece);
  const across = ends(piece, pixels, 0);
  const down = ends(piece, pixels, 1);
  return across && down && { left: across[0], top: down[0], width: across[1], height: down[1] };
}

function sheet(camera: PhotoCamera, span: Span, depth: number): BufferGeometry {
  const corners = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const;
  const position = corners.flatMap(([u, v]) => [
    ((span.left + u * span.width - camera.cx) / camera.fx) * depth,
    (-(span.top + v * span.height - camera.cy) / camera.fy) * depth,
    -depth,
  ]);
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(new Float32Array(position), 3));
  geometry.setAttribute("uv", new BufferAttribute(new Float32Array(corners.flat()), 2));
  geometry.setIndex([0, 1, 2, 2, 1, 3]);
  return geometry;
}

/** True if the texture is the whole photograph, or that and what is around it, and not an atlas of parts. */
export function isPhotograph(picture: Texture, camera: PhotoCamera): boolean {
  const { width, height } = picture.image as { width: number; height: number };
  return Math.abs((width / height) * (camera.height / camera.width) - 1) < 0.02;
}

/** The sheet behind a place. */
export class Backing {
  readonly mesh: Mesh<BufferGeometry, ShaderMaterial> | null = null;

  constructor(place: Place) {
    const picture = pictureOf(place);
    const { camera, depths } = place;
    if (!place.photographed || !picture || !isPhotograph(picture, camera)) return;
    const span = spanOf(place);
    if (!span) return;
    const { width, height } = picture.image as { width: number; height: number };
    const level = Math.max(0, Math.log2(Math.max(width, height) / PATCHES));
    const material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      depthWrite: false,
      depthTest: false,
      uniforms: {
        picture: { value: picture },
        texel: { value: [2 ** level / width, 2 ** level / height] },
        level: { value: level },
        marked: { value: false },
      },
    });
    this.mesh = new Mesh(sheet(camera, span, depths.far), material);
    this.mesh.position.copy(camera.position);
    this.mesh.quaternion.copy(camera.rotation);
    this.mesh.renderOrder = -1;
    this.mesh.frustumCulled = false;
  }

  show(mode: Mode, limited: boolean): void {
    if (!this.mesh) return;
    this.mesh.visible = limited && mode !== "depth";
    const marked = this.mesh.material.uniforms["marked"];
    if (marked) marked.value = mode === "confidence";
  }
}
