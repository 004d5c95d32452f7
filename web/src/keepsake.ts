// A picture to keep: what is on the screen, with a line that says what it is.
import type { Mode, Place } from "./types";

/** What is kept a picture of. */
interface Shown {
  readonly canvas: HTMLCanvasElement;
  readonly mode: Mode;
  readonly place: Pick<Place, "photographed" | "scaleAssumed">;
  draw(): void;
}

function label(viewer: Shown, name: string): string {
  const shown = viewer.mode === "picture" ? "" : ` · ${viewer.mode}`;
  const made = viewer.place.photographed ? " · depth estimated by computer" : "";
  const scale = viewer.mode === "depth" && viewer.place.scaleAssumed ? " · scale assumed" : "";
  const mark = document.getElementById("mark")?.textContent;
  return `${mark ? `${mark} · ` : ""}${name}${shown}${made}${scale} · unflat`;
}

/** The view as a PNG with its label below. */
export async function keepsake(viewer: Shown, name: string): Promise<Blob> {
  const { canvas } = viewer;
  const size = Math.max(13, Math.round(canvas.width / 90));
  const strip = size * 2.4;
  const sheet = document.createElement("canvas");
  sheet.width = canvas.width;
  sheet.height = Math.round(canvas.height + strip);
  const pen = sheet.getContext("2d");
  if (!pen) throw new Error("the browser gives no canvas to write on");
  const ground = getComputedStyle(document.documentElement).getPropertyValue("--ground").trim();
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  pen.fillStyle = ground;
  pen.fillRect(0, 0, sheet.width, sheet.height);
  viewer.draw();
  pen.drawImage(canvas, 0, 0);
  pen.fillStyle = ink;
  pen.font = `${size}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  pen.fillText(label(viewer, name), size, canvas.height + strip / 2, sheet.width - 2 * size);
  return new Promise((resolve, reject) => {
    sheet.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be packed"))), "image/png");
  });
}

/** Hand a file to the visitor. */
export function hand(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
