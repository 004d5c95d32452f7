// Takes the depth out of a packed frame (formats/packed_depth.py says how it is packed), mends what the codec broke,
// and finds what lies hidden behind outlines. Four small passes on the graphics card, once a frame.
import { Camera, GLSL3, Mesh, NearestFilter, PlaneGeometry, RawShaderMaterial, Scene, Vector2, WebGLRenderTarget } from "three";
import type { IUniform, Texture, WebGLRenderer } from "three";
import type { Told } from "./told";

/** A step of so much of the range from one texel to the next is an outline; less is stretched, by two texels at most. */
const JUMP = 0.1;
/** Texels within this share of the range are alike. */
const ALIKE = 0.05;
/** Hidden ground is looked for so many texels around. */
const REACH = 24;

/** Depth as a share of the range, in 16 bits: what every pass writes and reads. */
export const SHARES = /* glsl */ `
  const float JUMP = ${JUMP.toFixed(3)};
  const float ALIKE = ${ALIKE.toFixed(3)};
  float shareIn(vec4 texel) { return (floor(texel.r * 255.0 + 0.5) * 256.0 + floor(texel.g * 255.0 + 0.5)) / 65535.0; }
  vec2 bytesOf(float share) {
    float code = floor(clamp(share, 0.0, 1.0) * 65535.0 + 0.5);
    return vec2(floor(code / 256.0), mod(code, 256.0)) / 255.0;
  }
  // Flags of a cell, above the four bits that say which of its corners are near.
  const int TORN = 16;
  const int NEEDED = 32;
  /** The texel at a corner of a cell; at the border of the picture the last one again. */
  ivec2 texelOf(ivec2 cell, int corner, vec2 panel) {
    return clamp(cell + ivec2(corner & 1, corner >> 1) - 1, ivec2(0), ivec2(panel) - 1);
  }`;

const HEAD = "precision highp float;\nprecision highp int;\nprecision highp sampler2D;";

const FLAT = /* glsl */ `${HEAD}
  in vec3 position;
  void main() { gl_Position = vec4(position.xy * 2.0, 0.0, 1.0); }`;

/** The corners read the strip, so that it is read three or four times and not for every texel. */
const READ = /* glsl */ `${HEAD}
  in vec3 position;
  uniform sampler2D film;
  uniform int strip;
  uniform int cell;
  flat out vec4 seen;
  flat out float white;
  flat out uvec2 range;
  float cellAt(int index) {
    int across = textureSize(film, 0).x / cell;
    ivec2 middle = ivec2(index % across * cell, strip + index / across * cell) + cell / 2;
    return dot(texelFetch(film, middle, 0).rgb, vec3(0.2126, 0.7152, 0.0722));
  }
  void main() {
    seen = vec4(cellAt(0), cellAt(1), cellAt(2), cellAt(3));
    white = cellAt(4);
    range = uvec2(0u);
    for (int bit = 0; bit < 32; bit++) {
      if (cellAt(5 + bit) > 0.5) range.x |= 1u << bit;
      if (cellAt(37 + bit) > 0.5) range.y |= 1u << bit;
    }
    gl_Position = vec4(position.xy * 2.0, 0.0, 1.0);
  }`;

/** The last row holds both ends of the range, as the bits of two floats. */
const UNPACK = /* glsl */ `${HEAD}
  uniform sampler2D film;
  uniform vec2 panel;
  uniform int top;
  uniform float waves;
  uniform float ruler[5];
  flat in vec4 seen;
  flat in float white;
  flat in uvec2 range;
  out vec4 texel;
  ${SHARES}
  float between(float level, float from, float to, float low, float high) {
    return mix(low, high, clamp((level - from) / max(to - from, 1e-4), 0.0, 1.0));
  }
  float grey(ivec2 at) {
    float level = dot(texelFetch(film, at, 0).rgb, vec3(0.2126, 0.7152, 0.0722));
    if (level < seen.y) return between(level, seen.x, seen.y, ruler[0], ruler[1]);
    if (level < seen.z) return between(level, seen.y, seen.z, ruler[1], ruler[2]);
    if (level < seen.w) return between(level, seen.z, seen.w, ruler[2], ruler[3]);
    return between(level, seen.w, white, ruler[3], ruler[4]);
  }
  void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    if (at.y >= int(panel.y)) {
      uint word = at.x == 0 ? range.x : range.y;
      texel = vec4(uvec4(word, word >> 8, word >> 16, word >> 24) & 255u) / 255.0;
      return;
    }
    ivec2 place = at + ivec2(0, top);
    ivec2 next = ivec2(int(panel.x), 0);
    float coarse = grey(place);
    vec2 wave = 2.0 * vec2(grey(place + next), grey(place + 2 * next)) - 1.0;
    float ratio = wave.y / max(abs(wave.x) + abs(wave.y), 1e-6);
    float turn = (wave.x < 0.0 ? 2.0 - ratio : wave.y < 0.0 ? 4.0 + ratio : ratio) / 4.0;
    float fine = (floor(coarse * waves - turn + 0.5) + turn) / waves;
    texel = vec4(bytesOf(abs(fine - coarse) > 0.44 / waves ? coarse : fine), 0.0, 1.0);
  }`;

/**
 * A texel that is like none beside it, or halfway between both sides of an outline, is the codec's mistake: it becomes
 * the one of its neighbours that is most like the others. (formats/packed_depth.py does the same.)
 */
const MEND = /* glsl */ `${HEAD}
  uniform sampler2D depths;
  uniform vec2 panel;
  out vec4 texel;
  ${SHARES}
  void main() {
    ivec2 at = ivec2(gl_FragCoord.xy);
    texel = texelFetch(depths, at, 0);
    if (at.y >= int(panel.y)) return;
    float own = shareIn(texel);
    float near[8];
    int alike = 0;
    vec2 ends = vec2(own);
    for (int i = 0; i < 8; i++) {
      int step = i < 4 ? i : i + 1;
      near[i] = shareIn(texelFetch(depths, clamp(at + ivec2(step % 3, step / 3) - 1, ivec2(0), ivec2(panel) - 1), 0));
      if (abs(near[i] - own) < ALIKE) alike++;
      ends = vec2(min(ends.x, near[i]), max(ends.y, near[i]));
    }
    float height = (own - ends.x) / max(ends.y - ends.x, 2.0 * ALIKE);
    bool between = height > 0.2 && height < 0.8 && ends.y - ends.x > 2.0 * ALIKE;
    if (alike > 2 || (alike == 2 && !between)) return;
    float least = 1e9;
    for (int i = 0; i < 8; i++) {
      float apart = 0.0;
      for (int j = 0; j < 8; j++) apart += abs(near[i] - near[j]);
      if (apart < least) {
        least = apart;
        texel.rg = bytesOf(near[i]);
      }
    }
  }`;

/**
 * Behind what stands before an outline the ground goes on at the depth that it has beside it, with the colours from
 * beside it, mirrored. Of several outlines around, near ones and high ones count most. Red and green: its depth; blue
 * and alpha: where its colour is, in texels from here, plus 128. Zero means that nothing is known to be hidden here.
 */
const HIDE = /* glsl */ `${HEAD}
  uniform sampler2D depths;
  uniform vec2 panel;
  out vec4 texel;
  ${SHARES}
  float at(ivec2 place) { return shareIn(texelFetch(depths, clamp(place, ivec2(0), ivec2(panel) - 1), 0)); }
  void main() {
    ivec2 here = ivec2(gl_FragCoord.xy);
    texel = vec4(0.0);
    if (here.y >= int(panel.y)) return;
    float own = at(here);
    float best = 0.0;
    for (int side = 0; side < 4; side++) {
      ivec2 way = side == 0 ? ivec2(1, 0) : side == 1 ? ivec2(-1, 0) : side == 2 ? ivec2(0, 1) : ivec2(0, -1);
      // Outlines that a codec has softened are two texels wide.
      vec2 before = vec2(own);
      for (int i = 1; i <= ${REACH}; i++) {
        ivec2 place = here + i * way;
        // No drop is larger than all there is, so from here on none can be the best.
        if (best * float(i) > own || any(lessThan(place, ivec2(0))) || any(greaterThanEqual(place, ivec2(panel)))) break;
        float share = at(place);
        float ground = min(share, at(place + way));
        if (max(before.x, before.y) - share > JUMP && own - ground > max(JUMP, best * float(i))) {
          best = (own - ground) / float(i);
          // Mirrored about the outline, a texel farther out than it: there the picture still holds a rim of what is before.
          ivec2 mirrored = (2 * i) * way;
          bool free = abs(at(here + mirrored) - ground) < JUMP;
          texel = vec4(bytesOf(ground), vec2((free ? mirrored : (i + 1) * way) + 128) / 255.0);
          break;
        }
        before = vec2(share, before.x);
      }
    }
  }`;

/** What is to be known of a cell before it is drawn: whether an outline runs through it, and whether ground lies behind. */
const CELLS = /* glsl */ `${HEAD}
  uniform sampler2D depths;
  uniform sampler2D hidden;
  uniform vec2 panel;
  out vec4 texel;
  ${SHARES}
  void main() {
    vec4 share;
    int known = 0;
    for (int i = 0; i < 4; i++) {
      ivec2 place = texelOf(ivec2(gl_FragCoord.xy), i, panel);
      share[i] = shareIn(texelFetch(depths, place, 0));
      if (texelFetch(hidden, place, 0).a > 0.0) known++;
    }
    float least = min(min(share.x, share.y), min(share.z, share.w));
    float most = max(max(share.x, share.y), max(share.z, share.w));
    bool torn = most - least > JUMP;
    int flags = (torn ? TORN : 0) | (torn || known == 4 ? NEEDED : 0);
    for (int i = 0; i < 4; i++) if (share[i] >= 0.5 * (least + most)) flags |= 1 << i;
    texel = vec4(float(flags) / 255.0, 0.0, 0.0, 1.0);
  }`;

type Uniforms = Record<string, IUniform>;

/** Keeps the depth of the frame that is shown. */
export class Unpacker {
  /** The depth: red and green are the share, the last row holds the range. */
  readonly depths: Texture;
  /** What lies hidden. */
  readonly hidden: Texture;
  /** Flags of the cells between the texels. */
  readonly cells: Texture;
  private readonly targets: readonly WebGLRenderTarget[];
  private readonly passes: readonly Scene[];
  private readonly camera = new Camera();

  constructor(told: Told, film: Texture) {
    const [width, height] = told.depth;
    const panel = { value: new Vector2(width, height) };
    const options = { minFilter: NearestFilter, magFilter: NearestFilter, depthBuffer: false, generateMipmaps: false };
    const target = (wide: number): WebGLRenderTarget => new WebGLRenderTarget(wide, height + 1, options);
    const [unpacked, mended, hidden, cells] = [target(width), target(width), target(width), target(width + 1)];
    this.targets = [unpacked, mended, hidden, cells];
    this.depths = mended.texture;
    this.hidden = hidden.texture;
    this.cells = cells.texture;
    const { top, strip, cell, waves, ruler } = told;
    const reading = { film: { value: film }, top: { value: top }, strip: { value: strip }, cell: { value: cell } };
    this.passes = [
      this.pass(READ, UNPACK, { ...reading, panel, waves: { value: waves }, ruler: { value: ruler } }),
      this.pass(FLAT, MEND, { panel, depths: { value: unpacked.texture } }),
      this.pass(FLAT, HIDE, { panel, depths: { value: mended.texture } }),
      this.pass(FLAT, CELLS, { panel, depths: { value: mended.texture }, hidden: { value: hidden.texture } }),
    ];
  }

  /** Take the depth out of the frame that the film's texture holds now. */
  run(renderer: WebGLRenderer): void {
    const { enabled } = renderer.xr;
    const before = renderer.getRenderTarget();
    renderer.xr.enabled = false;
    this.passes.forEach((pass, at) => {
      renderer.setRenderTarget(this.targets[at] as WebGLRenderTarget);
      renderer.render(pass, this.camera);
    });
    renderer.setRenderTarget(before);
    renderer.xr.enabled = enabled;
  }

  private pass(vertexShader: string, fragmentShader: string, uniforms: Uniforms): Scene {
    const material = new RawShaderMaterial({ glslVersion: GLSL3, vertexShader, fragmentShader, uniforms, depthTest: false, depthWrite: false });
    const mesh = new Mesh(new PlaneGeometry(1, 1), material);
    mesh.frustumCulled = false;
    return new Scene().add(mesh);
  }
}
