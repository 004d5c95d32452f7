// What each switch draws: the picture as it is, its depth, its confidence, and the triangles.
import { Color, DoubleSide, Mesh, MeshBasicMaterial, Points, PointsMaterial, ShaderMaterial } from "three";
import type { Material, Matrix4, Side, Texture } from "three";
import { CONFIDENCE_STOPS, DEPTH_STOPS, rampTexture } from "./colours";
import { photoView } from "./place";
import type { Mode, Piece, Place } from "./types";

const VERTEX = /* glsl */ `
  attribute float _confidence;
  attribute float _invented;
  uniform mat4 photoView;
  uniform float pointSize;
  uniform bool around;
  varying float depth;
  varying float confidence;
  varying float invented;
  varying vec2 at;
  void main() {
    vec4 world = modelMatrix * vec4(position, 1.0);
    vec3 seen = (photoView * world).xyz;
    depth = around ? length(seen) : -seen.z;
    confidence = _confidence;
    invented = _invented;
    at = uv;
    gl_PointSize = pointSize;
    gl_Position = projectionMatrix * viewMatrix * world;
  }`;

const FRAGMENT = /* glsl */ `
  uniform sampler2D ramp;
  uniform sampler2D picture;
  uniform bool hasPicture;
  uniform bool isSky;
  uniform bool showConfidence;
  uniform float alphaTest;
  uniform float inverseNear;
  uniform float inverseFar;
  varying float depth;
  varying float confidence;
  varying float invented;
  varying vec2 at;
  void main() {
    vec4 seen = hasPicture ? texture2D(picture, at) : vec4(0.5, 0.5, 0.5, 1.0);
    if (seen.a < alphaTest) discard;
    float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 9.0));
    vec3 colour;
    if (isSky) {
      colour = mix(vec3(0.16, 0.15, 0.2), vec3(0.22, 0.21, 0.27), stripe);
      if (showConfidence && invented > 0.5) colour = mix(vec3(0.22, 0.08, 0.26), vec3(0.5, 0.26, 0.56), stripe);
    } else if (showConfidence) {
      float light = dot(pow(seen.rgb, vec3(1.0 / 2.2)), vec3(0.3, 0.59, 0.11));
      colour = texture2D(ramp, vec2(confidence * (255.0 / 256.0) + 0.5 / 256.0, 0.5)).rgb * (0.6 + 0.4 * light);
      if (invented > 0.5) colour = mix(colour, mix(vec3(0.35, 0.1, 0.4), vec3(0.85, 0.45, 0.95), stripe), 0.85);
    } else {
      float t = clamp((1.0 / depth - inverseFar) / (inverseNear - inverseFar), 0.0, 1.0);
      colour = texture2D(ramp, vec2(t * (255.0 / 256.0) + 0.5 / 256.0, 0.5)).rgb;
    }
    gl_FragColor = vec4(colour, 1.0);
  }`;

interface Looks {
  readonly piece: Piece;
  readonly picture: Material | Material[];
  readonly shaded: ShaderMaterial;
  readonly wires: Mesh | null;
}

interface OwnMaterial extends Material {
  map?: Texture | null;
  size?: number;
  sizeAttenuation?: boolean;
}

/** Switches what the pieces of a place look like. */
export class Appearance {
  private readonly looks: Looks[];
  private readonly depthRamp = rampTexture(DEPTH_STOPS);
  private readonly confidenceRamp = rampTexture(CONFIDENCE_STOPS);

  constructor(private readonly place: Place, anisotropy: number) {
    this.looks = place.pieces.map((piece) => this.look(piece, anisotropy));
    this.show("picture", false);
  }

  /** Draw `mode`, with or without the edges of the triangles. */
  show(mode: Mode, wires: boolean): void {
    for (const look of this.looks) {
      look.piece.object.material = mode === "picture" ? look.picture : look.shaded;
      if (look.piece.role === "soft") look.piece.object.visible = mode === "picture";
      const uniforms = look.shaded.uniforms;
      const confidence = mode === "confidence";
      if (uniforms["showConfidence"]) uniforms["showConfidence"].value = confidence;
      if (uniforms["ramp"]) uniforms["ramp"].value = confidence ? this.confidenceRamp : this.depthRamp;
      if (look.wires) look.wires.visible = wires && look.piece.role === "surface";
    }
  }

  /** The whole world was moved; depths stay those of the photograph. */
  moved(world: Matrix4): void {
    const view = photoView(this.place.camera).multiply(world.clone().invert());
    for (const { shaded } of this.looks) if (shaded.uniforms["photoView"]) shaded.uniforms["photoView"].value = view;
  }

  /** Let loose points be as large as the pixels of the picture they came from. */
  sizePoints(pixels: number): void {
    for (const { piece, picture, shaded } of this.looks) {
      if (!("isPoints" in piece.object)) continue;
      if (picture instanceof PointsMaterial) picture.size = pixels;
      if (shaded.uniforms["pointSize"]) shaded.uniforms["pointSize"].value = pixels;
    }
  }

  private look(piece: Piece, anisotropy: number): Looks {
    const picture = piece.object.material;
    const first = (Array.isArray(picture) ? picture[0] : picture) as OwnMaterial | undefined;
    const map = first?.map ?? null;
    if (map) map.anisotropy = anisotropy;
    if (first instanceof PointsMaterial) first.sizeAttenuation = false;
    for (const material of Array.isArray(picture) ? picture : [picture]) {
      material.polygonOffset = true;
      material.polygonOffsetFactor = material.polygonOffsetUnits = 1;
    }
    const shaded = this.shaded(piece, map, first?.alphaTest ?? 0, first?.side ?? DoubleSide);
    return { piece, picture, shaded, wires: this.wires(piece) };
  }

  private shaded(piece: Piece, map: Texture | null, alphaTest: number, side: Side): ShaderMaterial {
    const { depths, camera } = this.place;
    return new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      side,
      polygonOffset: true,
      polygonOffsetFactor: 1,
      polygonOffsetUnits: 1,
      uniforms: {
        photoView: { value: photoView(camera) },
        pointSize: { value: 1 },
        around: { value: camera.around },
        ramp: { value: this.depthRamp },
        picture: { value: map },
        hasPicture: { value: map !== null },
        isSky: { value: piece.role === "sky" },
        showConfidence: { value: false },
        alphaTest: { value: Math.max(alphaTest, map ? 0.01 : 0) },
        inverseNear: { value: 1 / depths.near },
        inverseFar: { value: 1 / depths.far },
      },
    });
  }

  private wires(piece: Piece): Mesh | null {
    if (piece.object instanceof Points) return null;
    const { index } = piece.object.geometry;
    const triangles = (index ?? piece.object.geometry.getAttribute("position")).count / 3;
    const material = new MeshBasicMaterial({
      color: new Color(1, 1, 1),
      wireframe: true,
      transparent: true,
      opacity: Math.min(0.35, Math.max(0.07, 40 / Math.sqrt(triangles))),
      depthWrite: false,
    });
    const wires = new Mesh(piece.object.geometry, material);
    wires.visible = false;
    wires.raycast = () => undefined;
    piece.object.add(wires);
    return wires;
  }
}
