// Parts of the depth map that a hand marks: under a brush, or inside a loop.
import type { DepthField } from "./codes";
import type { Box } from "./history";

/** A point in pixels of the depth map; the first pixel's centre is (0.5, 0.5). */
export type Spot = readonly [x: number, y: number];

/** Which pixels are meant, and the box around them; null if there are none. */
export interface Region {
  readonly box: Box;
  /** Indices into the map. */
  readonly pixels: readonly number[];
}

export function boxAround(field: DepthField, [x, y]: Spot, radius: number): Box | null {
  const box = {
    left: Math.max(0, Math.floor(x - radius)),
    top: Math.max(0, Math.floor(y - radius)),
    right: Math.min(field.width, Math.ceil(x + radius)),
    bottom: Math.min(field.height, Math.ceil(y + radius)),
  };
  return box.left < box.right && box.top < box.bottom ? box : null;
}

export function union(a: Box | null, b: Box | null): Box | null {
  if (!a || !b) return a ?? b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** Points no farther apart than `step` along the way from one to the other, the last one included. */
export function* between(from: Spot, to: Spot, step: number): Generator<Spot> {
  const count = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / step));
  for (let i = 1; i <= count; i++) {
    yield [from[0] + ((to[0] - from[0]) * i) / count, from[1] + ((to[1] - from[1]) * i) / count];
  }
}

/** The pixels whose centres a round brush passed over. */
export function underBrush(field: DepthField, path: readonly Spot[], radius: number): Region | null {
  const marked = new Uint8Array(field.codes.length);
  let around: Box | null = null;
  const stamp = (spot: Spot): void => {
    const box = boxAround(field, spot, radius);
    around = union(around, box);
    if (!box) return;
    for (let y = box.top; y < box.bottom; y++) {
      for (let x = box.left; x < box.right; x++) {
        const inside = (x + 0.5 - spot[0]) ** 2 + (y + 0.5 - spot[1]) ** 2 <= radius * radius;
        if (inside) marked[y * field.width + x] = 1;
      }
    }
  };
  path.forEach((spot, i) => {
    const before = path[i - 1];
    if (!before) stamp(spot);
    else for (const each of between(before, spot, Math.max(1, radius / 3))) stamp(each);
  });
  return around && collected(field, marked, around);
}

/** The pixels whose centres a closed loop surrounds (even-odd). */
export function insideLoop(field: DepthField, loop: readonly Spot[]): Region | null {
  const marked = new Uint8Array(field.codes.length);
  const top = Math.max(0, Math.floor(Math.min(...loop.map(([, y]) => y))));
  const bottom = Math.min(field.height, Math.ceil(Math.max(...loop.map(([, y]) => y))));
  for (let y = top; y < bottom; y++) {
    const crossings: number[] = [];
    loop.forEach(([ax, ay], i) => {
      const [bx, by] = loop[(i + 1) % loop.length] as Spot;
      if (ay <= y + 0.5 !== by <= y + 0.5) crossings.push(ax + ((y + 0.5 - ay) / (by - ay)) * (bx - ax));
    });
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const [from, to] = [crossings[i] ?? 0, crossings[i + 1] ?? 0];
      const [left, right] = [Math.max(0, Math.ceil(from - 0.5)), Math.min(field.width, Math.ceil(to - 0.5))];
      if (left < right) marked.fill(1, y * field.width + left, y * field.width + right);
    }
  }
  return top < bottom ? collected(field, marked, { left: 0, top, right: field.width, bottom }) : null;
}

function collected(field: DepthField, marked: Uint8Array, around: Box): Region | null {
  const pixels: number[] = [];
  let box: Box | null = null;
  for (let y = around.top; y < around.bottom; y++) {
    let [first, last] = [-1, -1];
    for (let x = around.left; x < around.right; x++) {
      if (!marked[y * field.width + x]) continue;
      pixels.push(y * field.width + x);
      if (first < 0) first = x;
      last = x;
    }
    if (first >= 0) box = union(box, { left: first, top: y, right: last + 1, bottom: y + 1 });
  }
  return box && { box, pixels };
}
