// The depth that the page carries: its words, and its 16-bit codes as src/unflat/formats/packed_codes.py packs them.

/** The codes of a depth map stand on a straight line: inverse depth is `low` at `code_low`, `high` at `code_high`. */
interface Coding {
  readonly quantity: string;
  readonly low: number;
  readonly high: number;
  readonly code_low: number;
  readonly code_high: number;
  readonly invalid: number;
  readonly sky: number;
}

/** What a depth sidecar of unflat says; only what is needed here. */
export interface DepthNote {
  readonly size: readonly [width: number, height: number];
  readonly codes: Coding;
  readonly model: string;
  readonly [more: string]: unknown;
}

export const INVALID = 0;
export const SKY = 1;
/** The farthest and the nearest code that a surface can have. */
export const FARTHEST = 2;
export const NEAREST = 65535;

/** Turn packed bytes back into codes. */
async function unpacked(bytes: ArrayBuffer, width: number, height: number): Promise<Uint16Array> {
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const plain = new Uint8Array(await new Response(inflated).arrayBuffer());
  const count = width * height;
  if (plain.length !== 2 * count) throw new Error("the depth inside this page is damaged");
  const codes = new Uint16Array(count);
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      const folded = ((plain[at] ?? 0) << 8) | (plain[count + at] ?? 0);
      row += (folded >> 1) ^ -(folded & 1);
      codes[at] = row + (y > 0 ? (codes[at - width] ?? 0) : 0);
    }
  }
  return codes;
}

/** The depth map of the photograph, to be changed in place. Codes grow with nearness. */
export class DepthField {
  readonly width: number;
  readonly height: number;
  /** What the page came with. */
  readonly original: Uint16Array;

  private constructor(readonly note: DepthNote, readonly codes: Uint16Array) {
    [this.width, this.height] = note.size;
    this.original = codes.slice();
  }

  static async open(words: string, bytes: ArrayBuffer): Promise<DepthField> {
    const note = JSON.parse(words) as DepthNote;
    const { quantity, low, high, code_low, code_high, invalid, sky } = note.codes;
    // Codes count from infinity, so that a factor of the nearness is a factor of the code less one.
    const known = quantity === "inverse-z" && invalid === INVALID && sky === SKY;
    const straight = Math.abs((high / low) * (code_low - 1) - (code_high - 1)) < 1e-3;
    if (!known || !straight || code_low !== FARTHEST || code_high !== NEAREST) {
      throw new Error("the depth inside this page was written by another version");
    }
    return new DepthField(note, await unpacked(bytes, ...note.size));
  }

  /** Metres along the view for a code of a surface. */
  depthOf(code: number): number {
    const { high, code_high } = this.note.codes;
    return (code_high - 1) / (high * (code - 1));
  }

  isSurface(at: number): boolean {
    return (this.codes[at] ?? 0) >= FARTHEST;
  }

  /** How many pixels differ from what the page came with. */
  changed(): number {
    let count = 0;
    for (let i = 0; i < this.codes.length; i++) if (this.codes[i] !== this.original[i]) count++;
    return count;
  }

  /** The words for a file of the codes as they are now. */
  words(file: string): string {
    const changed = this.changed();
    let [least, most, sky] = [NEAREST, FARTHEST, false];
    for (const code of this.codes) {
      if (code >= FARTHEST) [least, most] = [Math.min(least, code), Math.max(most, code)];
      else if (code === SKY) sky = true;
    }
    const range = most >= least ? [this.depthOf(most), this.depthOf(least)] : null;
    const said: Record<string, unknown> = { ...this.note, file, range };
    if (sky) said["sky_known"] = true;
    if (changed > 0) {
      said["model"] = `${this.note.model}, edited by hand`;
      const story = this.note["provenance"] as { steps: readonly unknown[] } | undefined;
      const step = { name: "edit by hand", options: { pixels: changed, of: this.codes.length } };
      if (story) said["provenance"] = { ...story, steps: [...story.steps, step] };
    }
    const text = JSON.stringify(said, null, 1);
    return text.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }
}
