// The clip as a relief: every cell between four texels of depth is a quadrangle of its own. Where an outline runs through
// a cell, its near half goes on as near, and ends where the depths say it does; behind it lies the second sheet, which
// continues the ground.
import { BufferGeometry, DoubleSide, GLSL3, Mesh, PlaneGeometry, RawShaderMaterial } from "three";
import { Uint16BufferAttribute, Uint32BufferAttribute, Vector2, Vector4 } from "three";
import type { IUniform, Texture } from "three";
import { DEPTH_STOPS, rampTexture } from "./colours";
import type { Scene, Told } from "./told";
import type { Mode } from "./types";
import { SHARES } from "./unpack";

const HEAD = "precision highp float;\nprecision highp int;\nprecision highp sampler2D;";

const VERTEX = /* glsl */ `${HEAD}
  in vec3 position;
  uniform mat4 modelMatrix;
  uniform mat4 viewMatrix;
  uniform mat4 projectionMatrix;
  uniform sampler2D depths;
  uniform sampler2D hidden;
  uniform sampler2D cells;
  uniform vec2 panel;
  uniform vec4 lens;
  uniform float metres;
  uniform bool behind;
  flat out vec4 near;
  out vec2 within;
  out vec2 own;
  out vec2 mirrored;
  out float inverse;
  ${SHARES}
  uint wordAt(int x) {
    uvec4 bytes = uvec4(texelFetch(depths, ivec2(x, int(panel.y)), 0) * 255.0 + 0.5);
    return bytes.x | bytes.y << 8 | bytes.z << 16 | bytes.w << 24;
  }
  void main() {
    ivec2 cell = ivec2(position.xy);
    int flags = int(texelFetch(cells, cell, 0).r * 255.0 + 0.5);
    if (behind && (flags & NEEDED) == 0) {
      gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
      return;
    }
    int corner = int(position.z);
    bool torn = (flags & TORN) != 0;
    near = vec4(1.0);
    if (torn) for (int i = 0; i < 4; i++) near[i] = float(flags >> i & 1);
    bool before = near[corner] > 0.5;
    float mine = shareIn(texelFetch(depths, texelOf(cell, corner, panel), 0));
    vec4 back = vec4(0.0);
    if (behind && before) back = texelFetch(hidden, texelOf(cell, corner, panel), 0);
    if (back.a > 0.0) mine = shareIn(back);
    else if (torn && before == behind) {
      // A corner of the other side: this side goes on to it.
      vec2 sum = vec2(0.0);
      for (int i = 0; i < 4; i++) {
        if ((near[i] > 0.5) == behind) continue;
        sum += vec2(shareIn(texelFetch(depths, texelOf(cell, i, panel), 0)), 1.0);
      }
      mine = sum.x / sum.y;
    }
    float low = uintBitsToFloat(wordAt(0));
    float high = uintBitsToFloat(wordAt(1));
    inverse = low + (high - low) * mine;
    // Before the first frame is there, and where a player gives nonsense, everything is a plane.
    if (!(low >= 0.0 && high > low && high < 1e30)) inverse = metres;
    float z = metres / max(inverse, high * 1e-3);
    within = vec2(corner & 1, corner >> 1);
    own = clamp((vec2(cell) + within - 0.5) / panel, 0.0, 1.0);
    mirrored = own;
    if (back.a > 0.0) mirrored += (floor(back.ba * 255.0 + 0.5) - 128.0) / panel;
    vec3 place = vec3((own.x - lens.z) * lens.x, (lens.w - own.y) * lens.y, -1.0) * z;
    gl_Position = projectionMatrix * viewMatrix * modelMatrix * vec4(place, 1.0);
  }`;

/** The picture at the depth of what is farthest. */
const BACK = /* glsl */ `${HEAD}
  in vec3 position;
  uniform mat4 modelMatrix;
  uniform mat4 viewMatrix;
  uniform mat4 projectionMatrix;
  uniform vec4 lens;
  uniform float metres;
  uniform vec2 ends;
  flat out vec4 near;
  out vec2 within;
  out vec2 own;
  out vec2 mirrored;
  out float inverse;
  void main() {
    near = vec4(1.0);
    within = vec2(0.0);
    own = mirrored = position.xy + 0.5;
    inverse = ends.y;
    vec3 place = vec3((own.x - lens.z) * lens.x, (lens.w - own.y) * lens.y, -1.0) * metres / ends.y;
    gl_Position = projectionMatrix * viewMatrix * modelMatrix * vec4(place, 1.0);
    // Behind whatever is there, wherever it is.
    gl_Position.z = 0.99999 * gl_Position.w;
  }`;

const FRAGMENT = /* glsl */ `${HEAD}
  uniform sampler2D film;
  uniform sampler2D ramp;
  uniform vec2 colour;
  uniform vec2 ends;
  uniform int mode;
  uniform bool behind;
  flat in vec4 near;
  in vec2 within;
  in vec2 own;
  in vec2 mirrored;
  in float inverse;
  out vec4 seen;
  vec3 picture(vec2 at) {
    vec2 texels = vec2(textureSize(film, 0));
    return texture(film, clamp(at * colour, vec2(0.5), colour - 0.5) / texels).rgb;
  }
  // Less than a half: the rim where the camera saw both sides in one pixel goes with what is before.
  const float BEFORE = 0.3;
  void main() {
    float cover = mix(mix(near.x, near.y, within.x), mix(near.z, near.w, within.x), within.y);
    if (!behind && cover < BEFORE) discard;
    bool guessed = behind && cover >= BEFORE;
    vec3 found = picture(guessed ? mirrored : own);
    float light = dot(found, vec3(0.3, 0.59, 0.11));
    if (mode == 1) {
      float t = clamp((inverse - ends.y) / (ends.x - ends.y), 0.0, 1.0);
      found = texture(ramp, vec2(t * (255.0 / 256.0) + 0.5 / 256.0, 0.5)).rgb * (0.7 + 0.3 * light);
    } else if (mode == 2) {
      float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 9.0));
      found = guessed ? mix(vec3(0.35, 0.1, 0.4), vec3(0.85, 0.45, 0.95), stripe) : vec3(0.15 + 0.6 * light);
    }
    seen = vec4(found, 1.0);
  }`;

const MODES: Readonly<Record<Mode, number>> = { picture: 0, depth: 1, confidence: 2 };

/** Nodes are the middles of texels and the border of the picture: a cell more than texels, each way. */
function quadrangles(width: number, height: number): BufferGeometry {
  const nodes = new Uint16Array(3 * 4 * width * height);
  const triangles = new Uint32Array(6 * width * height);
  for (let cell = 0; cell < width * height; cell++) {
    const [x, y] = [cell % width, Math.floor(cell / width)];
    for (let corner = 0; corner < 4; corner++) nodes.set([x, y, corner], 3 * (4 * cell + corner));
    triangles.set([0, 2, 1, 1, 2, 3].map((corner) => 4 * cell + corner), 6 * cell);
  }
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Uint16BufferAttribute(nodes, 3));
  geometry.setIndex(new Uint32BufferAttribute(triangles, 1));
  return geometry;
}

/** All sheets of the clip. */
export class Relief {
  readonly sheets: readonly Mesh[];
  private readonly shared: Record<"metres" | "ends" | "mode", IUniform>;

  constructor(told: Told, scene: Scene, textures: Record<"film" | "depths" | "hidden" | "cells", Texture>) {
    const [width, height] = told.depth;
    const { camera } = scene;
    this.shared = { metres: { value: 1 }, ends: { value: new Vector2() }, mode: { value: 0 } };
    const uniforms = {
      ...this.shared,
      film: { value: textures.film },
      depths: { value: textures.depths },
      hidden: { value: textures.hidden },
      cells: { value: textures.cells },
      ramp: { value: rampTexture(DEPTH_STOPS) },
      panel: { value: new Vector2(width, height) },
      colour: { value: new Vector2(...told.colour) },
      lens: { value: new Vector4(camera.width / camera.fx, camera.height / camera.fy, camera.cx / camera.width, camera.cy / camera.height) },
    };
    const geometry = quadrangles(width + 1, height + 1);
    const layer = (shape: BufferGeometry, vertexShader: string, behind: boolean): Mesh => {
      const material = new RawShaderMaterial({
        glslVersion: GLSL3,
        vertexShader,
        fragmentShader: FRAGMENT,
        uniforms: { ...uniforms, behind: { value: behind } },
        side: DoubleSide,
        polygonOffset: behind,
        polygonOffsetFactor: 1,
        polygonOffsetUnits: 1,
      });
      const sheet = new Mesh(shape, material);
      sheet.frustumCulled = false;
      return sheet;
    };
    this.sheets = [
      layer(geometry, VERTEX, false),
      layer(geometry, VERTEX, true),
      layer(new PlaneGeometry(1, 1), BACK, true),
    ];
    this.enter(scene);
  }

  /** Another shot is shown from now on. */
  enter(scene: Scene): void {
    this.shared.metres.value = scene.metres;
    const { near, far } = scene.depths;
    (this.shared.ends.value as Vector2).set(scene.metres / near, scene.metres / far);
  }

  show(mode: Mode): void {
    this.shared.mode.value = MODES[mode];
  }
}
