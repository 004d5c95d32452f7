// A 16-bit grey PNG with a text chunk, for canvas can write eight bits only. W3C, "Portable Network Graphics", 3rd ed.
const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const PAETH = 4;

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CRC_TABLE[(c ^ byte) & 255] ?? 0) ^ (c >>> 8);
  return ~c >>> 0;
}

function chunk(name: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = name.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc(out.subarray(4, 8 + data.length)));
  return out;
}

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** Rows of big-endian samples, each byte less what its neighbours foretell. */
function filtered(codes: Uint16Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const row = 2 * width;
  const out = new Uint8Array(height * (1 + row));
  let above = new Uint8Array(row);
  let here = new Uint8Array(row);
  for (let y = 0; y < height; y++) {
    const start = y * (1 + row);
    out[start] = PAETH;
    for (let x = 0; x < width; x++) {
      const code = codes[y * width + x] ?? 0;
      here[2 * x] = code >> 8;
      here[2 * x + 1] = code & 255;
    }
    for (let i = 0; i < row; i++) {
      const [left, corner] = i < 2 ? [0, 0] : [here[i - 2] ?? 0, above[i - 2] ?? 0];
      out[start + 1 + i] = (here[i] ?? 0) - paeth(left, above[i] ?? 0, corner);
    }
    [above, here] = [here, above];
  }
  return out;
}

/** The picture of (height · width) codes; `text` (Latin-1) is kept in it under `key`. */
export async function grey16(
  codes: Uint16Array,
  size: readonly [width: number, height: number],
  key: string,
  text: string,
): Promise<Blob> {
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, size[0]);
  view.setUint32(4, size[1]);
  head[8] = 16;
  const words = Uint8Array.from(`${key}\0${text}`, (letter) => letter.charCodeAt(0));
  const deflated = new Blob([filtered(codes, ...size)]).stream().pipeThrough(new CompressionStream("deflate"));
  const body = new Uint8Array(await new Response(deflated).arrayBuffer());
  const parts = [chunk("IHDR", head), chunk("tEXt", words), chunk("IDAT", body), chunk("IEND", new Uint8Array())];
  return new Blob([Uint8Array.from(SIGNATURE), ...parts], { type: "image/png" });
}
