// The bar below the clip: play, a slider to go to a moment, sound, and whether it begins again.
import type { Film } from "./film";
import { part, press, say } from "./page";

/** Minutes and seconds; tenths, too, where the whole film is short. */
function clock(seconds: number, long: boolean): string {
  const whole = Math.floor(seconds);
  const tenths = long ? "" : `.${Math.floor((10 * seconds) % 10)}`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}${tenths}`;
}

/** Keeps the bar and the film together. */
export class Reel {
  private readonly slider = part<HTMLInputElement>("seek");
  private pulled = false;

  constructor(private readonly film: Film, fps: number, hasSound: boolean) {
    const { slider } = this;
    const { video } = film;
    slider.max = String(film.seconds);
    slider.step = String(1 / fps);
    slider.addEventListener("input", () => {
      this.pulled = true;
      film.seek(Number(slider.value));
      this.tell(Number(slider.value));
    });
    slider.addEventListener("change", () => (this.pulled = false));
    for (const name of ["play", "pause"]) video.addEventListener(name, () => this.told());
    video.addEventListener("volumechange", () => press("sound", !video.muted));
    part("sound").hidden = !hasSound;
    press("loop", video.loop);
    this.told();
    this.follow();
  }

  play(): void {
    void this.film.toggle().then((excuse) => excuse && say(excuse));
  }

  sound(): void {
    if (part("sound").hidden) return say("This film has no sound");
    this.film.video.muted = !this.film.video.muted;
  }

  loop(): void {
    const { video } = this.film;
    video.loop = !video.loop;
    press("loop", video.loop);
    say(video.loop ? "It begins again at the end" : "It stops at the end");
  }

  /** Another frame is shown. */
  follow(): void {
    if (!this.pulled) this.slider.value = String(this.film.time);
    this.tell(this.film.time);
  }

  private tell(time: number): void {
    const { seconds } = this.film;
    const text = [time, seconds].map((each) => clock(each, seconds >= 60)).join(" / ");
    part("clock").textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
  }

  private told(): void {
    const { playing } = this.film;
    press("play", playing);
    part("play").title = playing ? "Wait (space)" : "Play (space)";
  }
}
