// Parts of a model moved apart: each away from the middle of what it lies in, so that what is nested comes out.
import { Box3, Vector3 } from "three";
import { sizeOf } from "./volumemodel";
import type { Model, Tissue } from "./volumemodel";

/** Of a part's own reach, how far it is moved beyond the rim of what it lies in. */
const BEYOND = 1.15;
/** The share of a way to the front or back that is gone. */
const FLAT = 0.3;

interface Way {
  readonly tissue: Tissue;
  readonly within: Way | null;
  /** Where it goes from the part that it lies in, all the way. */
  readonly out: Vector3;
}

/** The part that a part lies in: the smallest whose box holds its own, with some slack. */
function holderOf(tissue: Tissue, others: readonly Tissue[]): Tissue | null {
  const slack = 0.04 * tissue.box.getSize(new Vector3()).length();
  const holders = others.filter((other) => other !== tissue && sizeOf(other) > 1.2 * sizeOf(tissue) && other.box.clone().expandByScalar(slack).containsBox(tissue.box));
  return holders.reduce<Tissue | null>((best, each) => (best && sizeOf(best) <= sizeOf(each) ? best : each), null);
}

/** Half of how long a box is in a direction. */
function reach({ box }: Tissue, way: Vector3): number {
  const size = box.getSize(new Vector3());
  return 0.5 * (Math.abs(way.x) * size.x + Math.abs(way.y) * size.y + Math.abs(way.z) * size.z);
}

export class Apart {
  private readonly ways: readonly Way[];

  constructor(model: Model) {
    const bySize = [...model.tissues].sort((a, b) => sizeOf(b) - sizeOf(a));
    const made: Way[] = [];
    bySize.forEach((tissue) => {
      const holder = holderOf(tissue, bySize);
      const within = made.find((way) => way.tissue === holder) ?? null;
      const siblings = made.filter((way) => way.within === within).length;
      made.push({ tissue, within, out: outOf(tissue, within?.tissue ?? null, model, siblings) });
    });
    this.ways = made;
  }

  /** 0: together; 1: all outside of what they lie in. */
  set(share: number): void {
    for (const { tissue, within, out } of this.ways) {
      tissue.holder.position.copy(out).multiplyScalar(share);
      if (within) tissue.holder.position.add(within.tissue.holder.position);
      tissue.holder.updateMatrixWorld();
    }
  }

  /** The middle of the model, and how far from it there is something, when parts are moved so far. */
  frame(model: Model): { readonly middle: Vector3; readonly radius: number } {
    const before = new Box3(), now = new Box3();
    model.tissues.forEach(({ box, holder }) => {
      before.union(box);
      now.union(box.clone().translate(holder.position));
    });
    const moved = now.getCenter(new Vector3()).sub(before.getCenter(new Vector3()));
    const longer = now.getSize(new Vector3()).length() - before.getSize(new Vector3()).length();
    return { middle: model.middle.clone().add(moved), radius: model.radius + Math.max(0, longer / 2) };
  }
}

function outOf(tissue: Tissue, holder: Tissue | null, model: Model, siblings: number): Vector3 {
  const centre = holder?.middle ?? model.middle;
  const way = tissue.middle.clone().sub(centre);
  const own = tissue.box.getSize(new Vector3()).length() / 2;
  if (!holder) return way.length() < 0.05 * own ? new Vector3() : way.multiplyScalar(1.1);
  // More aside than to the front or the back, where one part would hide another.
  way.z *= FLAT;
  // What is right in the middle goes aside, each to another side: the golden angle spreads them.
  if (way.length() < 0.12 * holder.box.getSize(new Vector3()).length() / 2) {
    const angle = 2.39996 * siblings;
    way.set(Math.cos(angle), Math.sin(angle), 0);
  }
  const length = way.length();
  way.divideScalar(length);
  const along = tissue.middle.clone().sub(centre).dot(way);
  return way.multiplyScalar(Math.max(0, reach(holder, way) + BEYOND * reach(tissue, way) - along));
}
