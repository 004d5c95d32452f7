// Which pictures' surfaces are drawn. Two pictures of one place never agree to the pixel, least of all a painting and a
// photograph: the surfaces of the picture that the visitor is in are drawn over those of all others, which fill what it
// does not show. What is of another part is not drawn at all.
import { BufferGeometry, Float32BufferAttribute, Group, Mesh, MeshBasicMaterial, Vector3 } from "three";
import type { Camera, Object3D } from "three";
import type { Layer, Site, Stand } from "./strollsite";

/** A picture takes over from another where it is so much nearer: by this share. */
const NEARER = 0.75;
/** To look another way by a radian counts as so many metres. */
const TURN = 2.5;

/** A drawing of nothing, after which nothing that was drawn before hides anything. */
function curtain(): Group {
  const nothing = new BufferGeometry().setAttribute("position", new Float32BufferAttribute(new Float32Array(9), 3));
  const mesh = new Mesh(nothing, new MeshBasicMaterial({ colorWrite: false, depthWrite: false, depthTest: false }));
  mesh.frustumCulled = false;
  mesh.raycast = () => undefined;
  mesh.onBeforeRender = (renderer) => {
    renderer.state.buffers.depth.setMask(true);
    renderer.clearDepth();
  };
  const group = new Group();
  group.renderOrder = 1;
  group.add(mesh);
  return group;
}

export class Layers {
  private site: Site;
  private active: Layer | undefined;
  /** The picture that the visitor is in, or has come from. */
  shown: Stand | null = null;
  private readonly between = curtain();

  constructor(private readonly sites: readonly [Site, ...Site[]], world: Group) {
    [this.site] = sites;
    this.between.visible = false;
    if (sites.some((site) => site.layers.length > 1)) world.add(this.between);
  }

  /** Draw a part as one of its pictures, at first as its first one. */
  enter(site: Site, stand: Stand | null = site.stands[0] ?? null): void {
    this.site = site;
    this.active = undefined;
    this.show(stand);
  }

  /** Draw the surfaces of a picture over all others. */
  show(stand: Stand | null): void {
    this.shown = stand;
    const { layers } = this.site;
    const active = layers.find((layer) => stand && layer.stands.includes(stand)) ?? this.active ?? layers[0];
    if (active === this.active) return;
    this.active = active;
    this.between.visible = layers.length > 1;
    for (const site of this.sites) {
      for (const layer of site.layers) {
        layer.firm.visible = site === this.site;
        layer.own.visible = layer === active;
        layer.firm.renderOrder = layer.own.renderOrder = layer === active ? 2 : 0;
      }
    }
  }

  /** Who walks comes into the picture that was taken nearest, looking much the same way. */
  follow(camera: Camera, size: number): void {
    if (this.site.layers.length < 2) return;
    const ahead = camera.getWorldDirection(new Vector3());
    const away = ({ camera: { position, rotation } }: Stand): number => {
      const turn = new Vector3(0, 0, -1).applyQuaternion(rotation).angleTo(ahead);
      return position.distanceTo(camera.position) / size + TURN * turn;
    };
    const [best] = [...this.site.stands].sort((a, b) => away(a) - away(b));
    if (best && (!this.shown || away(best) < NEARER * away(this.shown))) this.show(best);
  }

  /** What a pointer can touch: first what is drawn over the rest. */
  get touchable(): Object3D[][] {
    const solid = (layer: Layer): Object3D[] => layer.pieces.filter(({ role }) => role !== "sky" && role !== "soft").map(({ object }) => object);
    const { layers } = this.site;
    return [layers.filter((layer) => layer === this.active).flatMap(solid), layers.filter((layer) => layer !== this.active).flatMap(solid)];
  }
}
