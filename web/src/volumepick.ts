// What is under a place of the window: the nearest surface that is shown and not cut away, the cut itself, or the scan.
import { Raycaster, Vector2, Vector3 } from "three";
import { offsetOf } from "./volumemodel";
import type { Tissue } from "./volumemodel";
import type { ModelView } from "./volumeview";

export interface Picked {
  /** Where it is as one sees it. */
  readonly point: Vector3;
  readonly tissue: Tissue | null;
  /** Where that is when nothing is moved apart. */
  readonly rest: Vector3;
}

/** Fainter tissues are looked through. */
const FAINT = 0.06;

export class Picker {
  private readonly raycaster = new Raycaster();

  constructor(private readonly view: ModelView) {
    this.raycaster.layers.enableAll();
  }

  /** What is under a CSS pixel of the canvas; null where there is nothing. */
  at(x: number, y: number): Picked | null {
    const { orbit, width, height, cut, rays, model } = this.view;
    orbit.aim(width, height);
    this.view.scene.updateMatrixWorld();
    this.raycaster.setFromCamera(new Vector2((2 * x) / width - 1, 1 - (2 * y) / height), orbit.camera);
    this.raycaster.params.Points = { threshold: model.radius / 200 };
    const { origin, direction } = this.raycaster.ray;
    let best: { far: number; tissue: Tissue | null } | null = null;
    for (const tissue of model.tissues) {
      if (!tissue.shown || tissue.paint.opacity < FAINT) continue;
      const far = this.first(tissue);
      if (far !== null && (!best || far < best.far)) best = { far, tissue };
    }
    const haze = rays?.on ? rays.meets(origin, direction, best?.far ?? Infinity, cut) : null;
    if (haze !== null && (!best || haze < best.far)) best = { far: haze, tissue: null };
    if (!best) return null;
    const point = origin.clone().addScaledVector(direction, best.far);
    return { point, tissue: best.tissue, rest: point.clone().sub(offsetOf(best.tissue)) };
  }

  /** How far away a tissue is first met; where its back comes first behind the cut, the cut goes through it. */
  private first(tissue: Tissue): number | null {
    const { cut } = this.view;
    const { origin, direction } = this.raycaster.ray;
    const hits = this.raycaster.intersectObject(tissue.object, false);
    const kept = hits.find(({ point }) => !cut?.takes(point));
    if (!kept) return null;
    if (!cut?.on || !tissue.surface || !kept.face || kept.face.normal.dot(direction) <= 0) return kept.distance;
    const rise = cut.plane.normal.dot(direction);
    const through = -cut.plane.distanceToPoint(origin) / rise;
    return rise > 0 && through > 0 && through < kept.distance ? through : kept.distance;
  }
}
