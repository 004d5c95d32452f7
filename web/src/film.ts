// The film inside the page: it plays, waits, and goes to a moment, and says which frame is shown.
import { LinearFilter, NoColorSpace, VideoTexture } from "three";
import { bytesFromBase64 } from "./place";

/** A texture that takes a new frame when it is told to, and never in between. */
class Frames extends VideoTexture {
  override update(): void {
    // Deliberately nothing: else the picture could be newer than the depth that was unpacked from it.
  }
}

/** The film out of the page's elements, which are emptied one by one: two copies of a long film are too many. */
function filmIn(page: Document): Blob {
  const parts = [...page.querySelectorAll("script.film")].map((element) => {
    const bytes = bytesFromBase64(element.textContent ?? "");
    element.remove();
    return bytes;
  });
  return new Blob(parts, { type: "video/mp4" });
}

/** Plays. `shown` is called when another frame is there to be drawn. */
export class Film {
  readonly video = document.createElement("video");
  readonly frames: VideoTexture;
  /** The time of the frame that is shown, in seconds. */
  time = 0;
  /** Where a search goes, in seconds, and whether it has to wait for the one before. */
  private goal = 0;
  private waiting = false;
  private tick = -1;
  private readonly exact = "requestVideoFrameCallback" in HTMLVideoElement.prototype;

  /** @param seconds how long its pictures are shown */
  constructor(private readonly fps: number, readonly seconds: number, private readonly shown: () => void) {
    const { video } = this;
    video.playsInline = true;
    video.muted = true;
    video.loop = true;
    video.preload = "auto";
    // Some browsers only decode what is on the page.
    video.className = "film";
    document.body.append(video);
    this.frames = new Frames(video);
    this.frames.colorSpace = NoColorSpace;
    this.frames.flipY = false;
    this.frames.minFilter = this.frames.magFilter = LinearFilter;
    video.addEventListener("seeked", () => this.arrived());
    // Browsers that are late leave the last frame out.
    video.addEventListener("ended", () => this.seek(this.seconds));
  }

  /** Load it, up to its first frame. */
  async open(): Promise<void> {
    const { video } = this;
    await new Promise<void>((resolve, reject) => {
      video.addEventListener("loadeddata", () => resolve(), { once: true });
      video.addEventListener("error", () => reject(new Error(video.error?.message || "the browser cannot play H.264 films")), {
        once: true,
      });
      video.src = URL.createObjectURL(filmIn(document));
    });
    this.take(video.currentTime);
    this.watch();
  }

  get playing(): boolean {
    return !this.video.paused;
  }

  /** Play or wait; resolves to an excuse where the browser refuses. */
  async toggle(): Promise<string | null> {
    if (this.playing) {
      this.video.pause();
      return null;
    }
    if (this.time > this.seconds - 1.5 / this.fps) this.video.currentTime = 0;
    return this.video.play().then(
      () => null,
      (error: Error) => (error.name === "AbortError" ? null : "The browser refused to play"),
    );
  }

  /** Go to the frame that is shown at this time. While one is on its way only the latest wish counts. */
  seek(time: number): void {
    // The middle of a frame belongs to it, however its ends were rounded.
    const frame = Math.floor(Math.min(Math.max(time, 0), this.seconds - 1e-3) * this.fps + 1e-3);
    this.goal = (frame + 0.5) / this.fps;
    if (this.video.seeking) this.waiting = true;
    else this.video.currentTime = this.goal;
  }

  /** Wait, and go on by some frames, or back. */
  step(count: number): void {
    this.video.pause();
    const from = this.video.seeking ? this.goal : this.time + 0.5 / this.fps;
    this.seek(from + count / this.fps);
  }

  /** Where browsers do not tell of frames (in some headsets, too) whatever is there is taken; true if that was done. */
  refresh(presenting: boolean): boolean {
    if (this.exact && !presenting) return false;
    if (this.video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return false;
    // Twice a frame, for nobody says when the next one is there.
    const tick = Math.floor(2 * this.fps * this.video.currentTime);
    if (tick === this.tick) return false;
    this.tick = tick;
    this.time = this.video.currentTime;
    this.frames.needsUpdate = true;
    return true;
  }

  private arrived(): void {
    if (this.waiting) this.video.currentTime = this.goal;
    else if (!this.exact) this.shown();
    this.waiting = false;
  }

  private take(time: number): void {
    this.time = time;
    this.frames.needsUpdate = true;
    this.shown();
  }

  private watch(): void {
    if (this.exact) {
      this.video.requestVideoFrameCallback((_now, { mediaTime }) => {
        this.take(mediaTime);
        this.watch();
      });
    } else {
      requestAnimationFrame(() => {
        if (this.playing) this.shown();
        this.watch();
      });
    }
  }
}
