// The scan itself, looked through: each line of sight is followed through the voxels, in their own axes, however oblique or
// sheared these are. Blocks in which nothing shows are stepped over; what solid parts hide is not looked at.
import {
  ClampToEdgeWrapping, Data3DTexture, DataUtils, HalfFloatType, LinearFilter, Matrix3, Matrix4, NearestFilter, RedFormat, RGFormat, UnsignedByteType, Vector2, Vector3,
  Vector4, WebGLRenderTarget,
} from "three";
import type { DepthTexture, PerspectiveCamera, Texture, WebGLRenderer } from "three";
import type { Cut } from "./volumecut";
import { Table, looksOf } from "./volumelooks";
import type { Look } from "./volumelooks";
import type { Scan } from "./volumescan";
import { Pass } from "./volumeview";

/** Voxels along the side of a block. */
const BLOCK = 8;
/** Steps in shares of the finest voxel: at rest, and while anything moves. */
const FINE = 0.6;
const ROUGH = 1.4;
/** No picture at rest is to take longer, ms; graphics cards are taken away from pages that use them for seconds. */
const LONGEST = 1500;

const RAYS = /* glsl */ `
  precision highp float;
  precision highp sampler3D;
  uniform sampler3D scan;
  uniform sampler3D blocks;
  uniform sampler2D table;
  uniform sampler2D depth;
  uniform mat4 worldFromClip;
  uniform mat4 texFromWorld;
  uniform mat3 worldFromSlope;
  uniform vec3 eye;
  uniform vec3 size;
  uniform vec4 plane;
  uniform bool cutting;
  uniform bool brightest;
  uniform float stride;
  uniform float unit;
  uniform float steep;
  uniform vec3 lamp;
  in vec2 at;
  out vec4 texel;

  vec3 placeOf(float far) {
    vec4 place = worldFromClip * vec4(2.0 * vec3(at, far) - 1.0, 1.0);
    return place.xyz / place.w;
  }
  vec4 seen(float level) { return texture(table, vec2((level * ${"2047.0"} + 0.5) / 2048.0, 0.5)); }
  vec3 slope(vec3 p) {
    vec3 h = 1.0 / size;
    return vec3(
      texture(scan, p + vec3(h.x, 0, 0)).r - texture(scan, p - vec3(h.x, 0, 0)).r,
      texture(scan, p + vec3(0, h.y, 0)).r - texture(scan, p - vec3(0, h.y, 0)).r,
      texture(scan, p + vec3(0, 0, h.z)).r - texture(scan, p - vec3(0, 0, h.z)).r);
  }
  void main() {
    texel = vec4(0.0);
    vec3 ahead = normalize(placeOf(1.0) - eye);
    float solid = texture(depth, at).r;
    vec3 o = (texFromWorld * vec4(eye, 1.0)).xyz;
    vec3 d = mat3(texFromWorld) * ahead;
    d = mix(d, vec3(1e-9), vec3(lessThan(abs(d), vec3(1e-9))));
    vec3 a = -o / d;
    vec3 b = (1.0 - o) / d;
    vec3 low = min(a, b);
    vec3 high = max(a, b);
    float from = max(max(low.x, low.y), max(low.z, 0.0));
    float to = min(high.x, min(high.y, high.z));
    if (solid < 1.0) to = min(to, distance(placeOf(solid), eye));
    if (cutting) {
      float height = dot(plane.xyz, eye) + plane.w;
      float rise = dot(plane.xyz, ahead);
      if (abs(rise) < 1e-7) { if (height < 0.0) return; }
      else if (rise > 0.0) from = max(from, -height / rise);
      else to = min(to, -height / rise);
    }
    if (to <= from) return;
    float jitter = fract(52.9829189 * fract(dot(gl_FragCoord.xy, vec2(0.06711056, 0.00583715))));
    vec3 grid = size / ${BLOCK}.0;
    ivec3 last = ivec3(ceil(grid)) - 1;
    float t = from + jitter * stride;
    float best = 0.0;
    vec4 sum = vec4(0.0);
    for (int i = 0; i < 6000 && t < to; i++) {
      vec3 p = o + t * d;
      ivec3 block = clamp(ivec3(floor(p * grid)), ivec3(0), last);
      vec2 told = texelFetch(blocks, block, 0).rg;
      if (told.r < 0.5 || (brightest && told.g < best)) {
        vec3 edge = (vec3(block) + step(0.0, d)) / grid;
        vec3 leave = (edge - o) / d;
        float out_ = min(leave.x, min(leave.y, leave.z));
        t += max(ceil((out_ - t) / stride), 1.0) * stride;
        continue;
      }
      float level = texture(scan, p).r;
      t += stride;
      if (brightest) { best = max(best, level); continue; }
      vec4 color = seen(level);
      if (color.a < 1e-4) continue;
      vec3 g = worldFromSlope * slope(p);
      float length_ = length(g);
      float edged = smoothstep(0.15, 1.0, length_ / steep);
      vec3 n = g / max(length_, 1e-9);
      float facing = abs(dot(n, lamp));
      float shine = pow(abs(dot(n, normalize(lamp - ahead))), 24.0);
      vec3 lit = color.rgb * mix(0.8, 0.25 + 0.85 * facing, edged) + 0.16 * edged * shine;
      float alpha = 1.0 - pow(1.0 - color.a, stride / unit);
      sum += (1.0 - sum.a) * vec4(lit * alpha, alpha);
      if (sum.a > 0.985) { sum /= sum.a; break; }
    }
    if (brightest) {
      float grey = seen(best).a;
      sum = vec4(vec3(pow(grey, 2.2)), 1.0) * smoothstep(0.0, 0.12, grey);
    }
    texel = sum;
  }`;

function textureOf(scan: Scan): Data3DTexture {
  const half = new Uint16Array(65536);
  for (let code = 0; code < 65536; code++) half[code] = DataUtils.toHalfFloat(Math.min(1, code / scan.topCode));
  const texture = new Data3DTexture(scan.codes.map((code) => half[code] as number), ...scan.size);
  texture.format = RedFormat;
  texture.type = HalfFloatType;
  texture.minFilter = texture.magFilter = LinearFilter;
  texture.wrapS = texture.wrapT = texture.wrapR = ClampToEdgeWrapping;
  texture.unpackAlignment = 1;
  texture.needsUpdate = true;
  return texture;
}

/** The smallest and the largest code that a sample in each block can meet: of its voxels and those around it. */
export function rangesOf(codes: Uint16Array, size: readonly [number, number, number]): { low: Uint16Array; high: Uint16Array; counts: [number, number, number] } {
  const [columns, rows, slices] = size;
  const counts = size.map((side) => Math.ceil(side / BLOCK)) as [number, number, number];
  const [across, down] = counts;
  const total = counts[0] * counts[1] * counts[2];
  const [low, high] = [new Uint16Array(total).fill(65535), new Uint16Array(total)];
  // A voxel belongs to its own block, and at a rim to the next one, too.
  const reach = (at: number, count: number): readonly [number, number] => [Math.max(0, (at - 1) >> 3), Math.min(count - 1, (at + 1) >> 3)];
  for (let k = 0, at = 0; k < slices; k++) {
    const [k0, k1] = reach(k, counts[2]);
    for (let j = 0; j < rows; j++) {
      const [j0, j1] = reach(j, down);
      for (let i = 0; i < columns; i++, at++) {
        const code = codes[at] as number;
        const i0 = i > 0 ? (i - 1) >> 3 : 0;
        const i1 = Math.min(across - 1, (i + 1) >> 3);
        for (let kk = k0; kk <= k1; kk++) {
          for (let jj = j0; jj <= j1; jj++) {
            for (let ii = i0; ii <= i1; ii++) {
              const block = ii + across * (jj + down * kk);
              if (code < (low[block] as number)) low[block] = code;
              if (code > (high[block] as number)) high[block] = code;
            }
          }
        }
      }
    }
  }
  return { low, high, counts };
}

export class Rays {
  on = false;
  readonly texture: Data3DTexture;
  readonly looks: readonly Look[];
  readonly table = new Table();
  look: Look;
  private readonly ranges: ReturnType<typeof rangesOf>;
  private readonly blocks: Data3DTexture;
  private readonly pass: Pass;
  private readonly target = new WebGLRenderTarget(1, 1, { type: HalfFloatType, depthBuffer: false, minFilter: LinearFilter, magFilter: LinearFilter });
  /** The share of the window's pixels, along a side, that are followed while anything moves. */
  private share = 0.5;
  /** The same at rest. */
  private rested = 1;
  private readonly finest: number;
  private readonly unit: number;

  constructor(readonly scan: Scan) {
    this.texture = textureOf(scan);
    this.looks = looksOf(scan);
    this.look = this.looks[0] as Look;
    this.ranges = rangesOf(scan.codes, scan.size);
    this.blocks = new Data3DTexture(new Uint8Array(2 * this.ranges.low.length), ...this.ranges.counts);
    this.blocks.format = RGFormat;
    this.blocks.type = UnsignedByteType;
    this.blocks.minFilter = this.blocks.magFilter = NearestFilter;
    this.blocks.unpackAlignment = 1;
    this.finest = Math.min(...scan.spacing);
    const across = scan.corners.reduce((far, corner) => Math.max(far, corner.distanceTo(scan.corners[0] as Vector3)), 0);
    this.unit = scan.hounsfield ? 0.001 : across / 300;
    // Slopes in texture axes become slopes in the world by the transpose of the way back.
    const voxelFromWorld = new Matrix3().setFromMatrix4(scan.voxelFromWorld);
    this.pass = new Pass(RAYS, {
      scan: { value: this.texture },
      blocks: { value: this.blocks },
      table: { value: this.table.texture },
      depth: { value: null },
      worldFromClip: { value: new Matrix4() },
      texFromWorld: { value: scan.texFromWorld },
      worldFromSlope: { value: voxelFromWorld.transpose().multiplyScalar(this.finest / 2) },
      eye: { value: new Vector3() },
      size: { value: new Vector3(...scan.size) },
      plane: { value: new Vector4() },
      cutting: { value: false },
      brightest: { value: false },
      stride: { value: this.finest },
      unit: { value: this.unit },
      steep: { value: 0.05 },
      lamp: { value: new Vector3() },
    });
    this.choose(this.look, 0, 1);
  }

  /** Show other values; `shift` moves them by values, `density` multiplies how dense they are. */
  choose(look: Look, shift: number, density: number): void {
    this.look = look;
    const { low, high } = this.ranges;
    const { topCode } = this.scan;
    this.table.fill(this.scan, look, shift, density);
    const told = this.blocks.image.data as Uint8Array;
    for (let at = 0; at < low.length; at++) {
      const [least, most] = [(low[at] as number) / topCode, (high[at] as number) / topCode];
      told[2 * at] = this.table.shows(least, most) ? 255 : 0;
      told[2 * at + 1] = Math.ceil(255 * most);
    }
    this.blocks.needsUpdate = true;
    this.set("brightest", look.brightest);
    const first = look.stops.find(([, , each]) => each > 0)?.[0] ?? this.scan.most;
    const zero = look.stops[0]?.[0] ?? this.scan.least;
    this.set("steep", Math.max(0.004, Math.abs(this.scan.codeOf(first) - this.scan.codeOf(zero)) / topCode));
  }

  /** Let pictures be as fine as the machine can do: a rough one took so many ms. */
  pace(spent: number): void {
    const whole = (spent / this.share ** 2) * (ROUGH / FINE);
    this.rested = Math.min(1, Math.max(0.4, Math.sqrt(LONGEST / Math.max(whole, 1))));
    if (spent > 70) this.share = Math.max(0.15, this.share * 0.8);
    else if (spent < 24) this.share = Math.min(1, this.share * 1.1);
  }

  draw(renderer: WebGLRenderer, camera: PerspectiveCamera, depth: DepthTexture, cut: Cut | null, still: boolean): Texture {
    const full = renderer.getDrawingBufferSize(new Vector2());
    const share = still ? this.rested : this.share;
    this.target.setSize(Math.max(1, Math.round(full.x * share)), Math.max(1, Math.round(full.y * share)));
    this.set("depth", depth);
    this.set("stride", this.finest * (still ? FINE : ROUGH));
    this.set("cutting", cut?.on ?? false);
    const { uniforms } = this.pass;
    (uniforms["worldFromClip"]?.value as Matrix4).multiplyMatrices(camera.matrixWorld, camera.projectionMatrixInverse);
    (uniforms["eye"]?.value as Vector3).copy(camera.position);
    (uniforms["lamp"]?.value as Vector3).set(-0.3, 0.45, 1).normalize().transformDirection(camera.matrixWorld);
    if (cut) (uniforms["plane"]?.value as Vector4).set(...cut.plane.normal.toArray(), cut.plane.constant);
    renderer.setRenderTarget(this.target);
    renderer.clear();
    this.pass.run(renderer);
    return this.target.texture;
  }

  /** Where a line of sight first meets what shows, halfway into it; null where it meets nothing. */
  meets(eye: Vector3, ahead: Vector3, farthest: number, cut: Cut | null): number | null {
    const { scan, finest, table } = this;
    let left = 1;
    const place = new Vector3();
    const corners = scan.corners.map((corner) => corner.distanceTo(eye));
    const to = Math.min(farthest, Math.max(...corners));
    const middle = scan.corners.reduce((sum, corner) => sum.addScaledVector(corner, 1 / 8), new Vector3());
    const start = Math.max(0, middle.distanceTo(eye) - Math.max(...scan.corners.map((corner) => corner.distanceTo(middle))));
    for (let t = start; t < to; t += finest / 2) {
      place.copy(eye).addScaledVector(ahead, t);
      if (cut?.takes(place)) continue;
      const { x, y, z } = place.applyMatrix4(scan.voxelFromWorld);
      const code = scan.between(x, y, z);
      if (code < 0) continue;
      left *= (1 - table.density(code / scan.topCode)) ** (finest / 2 / this.unit);
      if (left < 0.5) return t;
    }
    return null;
  }

  private set(name: string, value: unknown): void {
    const place = this.pass.uniforms[name];
    if (place) place.value = value;
  }
}
