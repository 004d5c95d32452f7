// The shelf beside the model: one row a part, and what the scan, the cut and moving apart have to set.
import { Color, Vector3 } from "three";
import { part, press } from "./page";
import type { Apart } from "./volumeapart";
import type { Cut, CutWay } from "./volumecut";
import { hexOf, setOpacity } from "./volumemodel";
import type { Tissue } from "./volumemodel";
import type { Rays } from "./volumerays";
import type { ModelView } from "./volumeview";

const EYE = '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 12s3.500-6 9-6 9 6 9 6-3.500 6-9 6-9-6-9-6z"/><circle cx="12" cy="12" r="2.600"/></svg>';

export class Panel {
  /** Told when anything changed that slices show, too. */
  changed: () => void = () => undefined;
  private readonly rows: (() => void)[] = [];

  constructor(private readonly view: ModelView) {
    const list = part("tissues");
    for (const tissue of view.model.tissues) list.append(this.row(tissue));
    part("all-on").addEventListener("click", () => this.showAll(true));
    part("all-off").addEventListener("click", () => this.showAll(false));
  }

  private touched(): void {
    for (const row of this.rows) row();
    this.changed();
    this.view.request();
  }

  /** Put all parts away that are shown, and say which these were. */
  putAway(): Tissue[] {
    const shown = this.view.model.tissues.filter((tissue) => tissue.shown);
    this.showAll(false);
    return shown;
  }

  bringBack(tissues: readonly Tissue[]): void {
    for (const tissue of tissues) this.show(tissue, true);
    this.touched();
  }

  private showAll(shown: boolean): void {
    for (const tissue of this.view.model.tissues) this.show(tissue, shown);
    this.touched();
  }

  private show(tissue: Tissue, shown: boolean): void {
    tissue.shown = shown;
    tissue.object.visible = shown;
    if (tissue.veil) tissue.veil.visible = shown && tissue.paint.transparent && tissue.paint.opacity > 0.005;
  }

  private row(tissue: Tissue): HTMLLIElement {
    const { name, paint, plain } = tissue;
    const row = document.createElement("li");
    const eye = Object.assign(document.createElement("button"), { type: "button", className: "eye", title: "Show or hide" });
    eye.innerHTML = EYE;
    eye.setAttribute("aria-label", `Show ${name}`);
    const swatch = Object.assign(document.createElement("input"), { type: "color", value: hexOf(paint.color), title: "Colour" });
    swatch.setAttribute("aria-label", `Colour of ${name}`);
    swatch.hidden = !plain;
    const label = Object.assign(document.createElement("span"), { className: "part", textContent: name, title: name });
    const opacity = Object.assign(document.createElement("input"), { type: "range", min: "0", max: "1", step: "0.01", value: `${paint.opacity}`, title: "Opacity" });
    opacity.setAttribute("aria-label", `Opacity of ${name}`);
    setOpacity(tissue, paint.opacity);
    eye.addEventListener("click", () => {
      this.show(tissue, !tissue.shown);
      this.touched();
    });
    swatch.addEventListener("input", () => {
      paint.color.copy(new Color(swatch.value));
      this.touched();
    });
    opacity.addEventListener("input", () => {
      setOpacity(tissue, Number(opacity.value));
      this.show(tissue, tissue.shown);
      this.touched();
    });
    const told = (): void => {
      eye.setAttribute("aria-pressed", String(tissue.shown));
      row.classList.toggle("off", !tissue.shown);
    };
    told();
    this.rows.push(told);
    row.append(eye, swatch, label, opacity);
    row.dataset["part"] = name;
    return row;
  }

  /** Connect what the scan has to set. */
  connectRays(rays: Rays): void {
    const select = part<HTMLSelectElement>("look");
    const [shift, density] = [part<HTMLInputElement>("shift"), part<HTMLInputElement>("density")];
    select.append(...rays.looks.map(({ name }) => new Option(name, name)));
    const spread = rays.scan.hounsfield ? 400 : 0.4 * (rays.scan.most - rays.scan.least);
    const choose = (): void => {
      const look = rays.looks.find(({ name }) => name === select.value) ?? rays.look;
      rays.choose(look, Number(shift.value) * spread, 2 ** Number(density.value));
      this.view.request();
    };
    select.addEventListener("change", () => {
      shift.value = density.value = "0";
      choose();
    });
    for (const slider of [shift, density]) slider.addEventListener("input", choose);
  }

  /** Connect the cut; `set` turns it on or off. */
  connectCut(cut: Cut, set: (on: boolean) => void): () => void {
    const place = part<HTMLInputElement>("cut-place");
    const grey = part<HTMLInputElement>("cut-grey");
    const { patient } = this.view.model;
    const ways: readonly (readonly [CutWay | "off", string, string])[] = [
      ["off", "Off", "No cut"],
      ["front", patient ? "A–P" : "Front", "Take the front away"],
      ["side", patient ? "L–R" : "Side", "Take a side away"],
      ["above", patient ? "S–I" : "Top", "Take the top away"],
    ];
    const buttons = ways.map(([way, word, title]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: word, title, id: `cut-${way}` });
      button.addEventListener("click", () => {
        if (way !== "off") cut.choose(way);
        set(way !== "off");
      });
      part("cut-ways").append(button);
      return [way, button] as const;
    });
    const told = (): void => {
      place.value = `${cut.place}`;
      for (const [way, button] of buttons) button.setAttribute("aria-pressed", String(way === "off" ? !cut.on : cut.on && cut.way === way));
      press("cut", cut.on);
      this.view.request();
    };
    place.addEventListener("input", () => {
      if (!cut.on) set(true);
      cut.place = Number(place.value);
      this.view.request();
    });
    part("cut-flip").addEventListener("click", () => {
      cut.flip();
      set(true);
    });
    part("cut-here").addEventListener("click", () => {
      cut.face(new Vector3(0, 0, -1).applyQuaternion(this.view.orbit.camera.quaternion));
      set(true);
    });
    grey.addEventListener("change", () => {
      cut.grey = grey.checked;
      set(true);
    });
    return told;
  }

  connectApart(apart: Apart): void {
    const slider = part<HTMLInputElement>("apart");
    const { orbit, model } = this.view;
    slider.addEventListener("input", () => {
      apart.set(Number(slider.value));
      orbit.frame(apart.frame(model));
      this.changed();
      this.view.request();
    });
  }
}
