// Parts of a model moved apart: each away from the middle of what it lies in, so that what is nested comes out.
import { Vector3 } from "three";
import { sizeOf } from "./volumemodel";
import type { Model, Tissue } from "./volumemodel";

/** Of a part's own reach, how far it is moved beyond the rim of what it lies in. */
const BEYOND = 1.15;

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

  /** How far from the middle of the model there is something when parts are moved so far. */
  radius(model: Model): number {
    const farther = model.tissues.map(({ holder, middle }) => middle.clone().add(holder.position).distanceTo(model.middle) - middle.distanceTo(model.middle));
    return model.radius + Math.max(0, ...farther);
  }
}

function outOf(tissue: Tissue, holder: Tissue | null, model: Model, siblings: number): Vector3 {
  const centre = holder?.middle ?? model.middle;
  const way = tissue.middle.clone().sub(centre);
  const own = tissue.box.getSize(new Vector3()).length() / 2;
  if (!holder) return way.length() < 0.05 * own ? new Vector3() : way.multiplyScalar(1.1);
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
