// Draws a model: solid parts and the cut through them, then the scan, then what is half transparent.
import {
  AddEquation, Camera, CustomBlending, DepthStencilFormat, DepthTexture, DirectionalLight, GLSL3, Group, HalfFloatType, HemisphereLight, Mesh, OneFactor,
  OneMinusSrcAlphaFactor, PlaneGeometry, PointsMaterial, RawShaderMaterial, Scene, SRGBColorSpace, UnsignedInt248Type, Vector3, WebGLRenderer, WebGLRenderTarget,
} from "three";
import type { IUniform, Texture } from "three";
import type { Cut } from "./volumecut";
import { SHEER, SOLID } from "./volumemodel";
import type { Model } from "./volumemodel";
import { Orbit } from "./volumeorbit";
import type { Rays } from "./volumerays";

export const WHOLE = /* glsl */ `
  in vec3 position;
  out vec2 at;
  void main() {
    at = position.xy + 0.5;
    gl_Position = vec4(2.0 * position.xy, 0.0, 1.0);
  }`;

const COPY = /* glsl */ `
  precision highp float;
  uniform sampler2D picture;
  in vec2 at;
  out vec4 texel;
  void main() { texel = texture(picture, at); }`;

const TO_SCREEN = /* glsl */ `
  precision highp float;
  uniform sampler2D picture;
  in vec2 at;
  out vec4 texel;
  void main() {
    vec4 seen = texture(picture, at);
    vec3 linear = clamp(seen.rgb / max(seen.a, 1e-4), 0.0, 1.0);
    vec3 srgb = mix(12.92 * linear, 1.055 * pow(linear, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, linear));
    float alpha = clamp(seen.a, 0.0, 1.0);
    texel = vec4(srgb * alpha, alpha);
  }`;

/** A pass over the whole window. */
export class Pass {
  readonly scene = new Scene();
  private readonly camera = new Camera();
  readonly material: RawShaderMaterial;

  /** @param over lay it over what is there; its colours are multiplied by alpha */
  constructor(fragmentShader: string, readonly uniforms: Record<string, IUniform>, over = false) {
    const blending = over
      ? { transparent: true, blending: CustomBlending, blendEquation: AddEquation, blendSrc: OneFactor, blendDst: OneMinusSrcAlphaFactor, blendSrcAlpha: OneFactor, blendDstAlpha: OneMinusSrcAlphaFactor } as const
      : {};
    this.material = new RawShaderMaterial({ glslVersion: GLSL3, vertexShader: WHOLE, fragmentShader, uniforms, depthTest: false, depthWrite: false, ...blending });
    const mesh = new Mesh(new PlaneGeometry(1, 1), this.material);
    mesh.frustumCulled = false;
    this.scene.add(mesh);
  }

  run(renderer: WebGLRenderer): void {
    renderer.render(this.scene, this.camera);
  }
}

export class ModelView {
  readonly renderer: WebGLRenderer;
  readonly orbit: Orbit;
  readonly world = new Group();
  readonly scene = new Scene();
  cut: Cut | null = null;
  rays: Rays | null = null;
  /** Told after every frame. */
  readonly drawn: (() => void)[] = [];
  /** Called while the depth of what is solid, and only that, is there. */
  probe: () => void = () => undefined;
  /** Moves what moves; true as long as there is more to do. */
  stir: (seconds: number) => boolean = () => false;
  width = 1;
  height = 1;
  private target: WebGLRenderTarget | null = null;
  private readonly overlay: Pass;
  private readonly screen: Pass;
  private readonly motion = matchMedia("(prefers-reduced-motion: reduce)");
  private waiting = false;
  private last = 0;
  private resting = 0;

  constructor(readonly canvas: HTMLCanvasElement, readonly model: Model) {
    this.renderer = new WebGLRenderer({ canvas, antialias: false, alpha: true, powerPreference: "high-performance" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.renderer.setClearColor(0x000000, 0);
    this.renderer.autoClear = false;
    this.renderer.localClippingEnabled = true;
    this.orbit = new Orbit(model.middle, model.radius, model.pins.length > 0, () => this.motion.matches);
    this.overlay = new Pass(COPY, { picture: { value: null } }, true);
    this.screen = new Pass(TO_SCREEN, { picture: { value: null } });
    const lamp = new DirectionalLight(0xffffff, 1.75);
    lamp.position.set(-0.3, 0.45, 1);
    const sky = new HemisphereLight(0xffffff, 0xa8a8b4, 1.55);
    for (const light of [lamp, sky]) light.layers.enableAll();
    this.orbit.camera.add(lamp, lamp.target);
    lamp.target.position.set(0, 0, -1);
    this.world.add(model.root);
    this.scene.add(this.world, this.orbit.camera, sky);
    for (const { paint } of model.tissues) if (paint instanceof PointsMaterial) paint.sizeAttenuation = false;
    this.resize();
  }

  /** What solid parts look like, and how far away they are. */
  get picture(): { readonly color: Texture; readonly depth: DepthTexture } | null {
    const depth = this.target?.depthTexture;
    return this.target && depth ? { color: this.target.texture, depth } : null;
  }

  resize(): void {
    this.width = Math.max(this.canvas.clientWidth, 1);
    this.height = Math.max(this.canvas.clientHeight, 1);
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(this.width, this.height, false);
    const [wide, high] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
    if (this.target) this.target.setSize(wide, high);
    else {
      const depthTexture = new DepthTexture(wide, high, UnsignedInt248Type);
      depthTexture.format = DepthStencilFormat;
      this.target = new WebGLRenderTarget(wide, high, { type: HalfFloatType, samples: 4, stencilBuffer: true, depthTexture });
    }
    this.request();
  }

  /** Draw soon. */
  request(): void {
    if (this.waiting) return;
    this.waiting = true;
    this.canvas.dataset["moving"] = "true";
    requestAnimationFrame((now) => this.frame(now));
  }

  draw(still = true): void {
    const { renderer, target, orbit, scene } = this;
    if (!target) return;
    orbit.aim(this.width, this.height);
    this.cut?.settle();
    renderer.setRenderTarget(target);
    renderer.clear();
    orbit.camera.layers.set(SOLID);
    renderer.render(scene, orbit.camera);
    if (this.rays?.on && this.picture) {
      const haze = this.rays.draw(renderer, orbit.camera, this.picture.depth, this.cut, still);
      renderer.setRenderTarget(target);
      this.put(this.overlay, haze);
    }
    this.probe();
    renderer.setRenderTarget(target);
    orbit.camera.layers.set(SHEER);
    renderer.render(scene, orbit.camera);
    renderer.setRenderTarget(null);
    renderer.clear();
    this.put(this.screen, target.texture);
    this.mark();
    this.tell();
  }

  /** Bring what lies over the picture up to date; the picture itself stays. */
  mark(): void {
    for (const told of this.drawn) told();
  }

  /** Where a place of the world is in the window, CSS pixels of the canvas, with its depth; null behind the eye. */
  project(point: Vector3): readonly [x: number, y: number, depth: number] | null {
    const seen = point.clone().project(this.orbit.camera);
    const ahead = point.clone().applyMatrix4(this.orbit.camera.matrixWorldInverse).z < 0;
    return ahead ? [((seen.x + 1) / 2) * this.width, ((1 - seen.y) / 2) * this.height, seen.z] : null;
  }

  private put(pass: Pass, picture: Texture): void {
    const place = pass.uniforms["picture"];
    if (place) place.value = picture;
    pass.run(this.renderer);
  }

  private frame(now: number): void {
    this.waiting = false;
    const seconds = this.last === 0 ? 1 / 60 : Math.min((now - this.last) / 1000, 0.1);
    this.last = now;
    const flying = this.orbit.advance(seconds);
    const more = this.stir(seconds) || flying;
    const rough = this.rays?.on === true;
    const began = performance.now();
    this.draw(!rough);
    clearTimeout(this.resting);
    if (rough) this.rays?.pace(this.finished(began));
    if (more) this.request();
    else {
      this.last = 0;
      // Rays are drawn roughly while anything moves, and well when it rests.
      if (rough) this.resting = window.setTimeout(() => this.rest(), 140);
      else this.canvas.dataset["moving"] = "false";
    }
  }

  /** How long the picture took, ms; waits for it. */
  private finished(began: number): number {
    const gl = this.renderer.getContext();
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
    return performance.now() - began;
  }

  private rest(): void {
    if (this.waiting) return;
    this.draw(true);
    this.canvas.dataset["moving"] = "false";
  }

  private tell(): void {
    const { dataset } = this.canvas;
    dataset["round"] = this.orbit.round.toFixed(4);
    dataset["above"] = this.orbit.above.toFixed(4);
    dataset["zoom"] = this.orbit.zoom.toFixed(3);
  }
}
