// The bar for editing: opens the editor when it is first wanted, and keeps buttons, sliders and keys in step with it.
import { isPhotograph } from "./backing";
import { DepthField } from "./codes";
import { Editor } from "./editor";
import type { Tool } from "./editor";
import type { Hands } from "./input";
import { hand } from "./keepsake";
import { allow, disable, part, press, say } from "./page";
import { bytesFromBase64, pictureOf } from "./place";
import type { Mode } from "./types";
import type { Viewer } from "./viewer";

const TOOLS: readonly Tool[] = ["look", "nearer", "farther", "flat", "sky"];
const AWAY = "Hidden surfaces are put away while you edit, until the picture is converted again.";
const PUT_AWAY = "Put away: it comes back when the edited depth is converted again";

/** Why this page cannot be edited; null if it can. */
function hindrance(viewer: Viewer): string | null {
  const picture = pictureOf(viewer.place);
  if (viewer.place.camera.around) return "A panorama cannot be edited yet";
  if (!document.getElementById("depth-codes")) return "This page carries no depth that could be edited";
  if (!("DecompressionStream" in window && "CompressionStream" in window)) return "This browser is too old to edit depth";
  if (!viewer.place.photographed || !picture || !isPhotograph(picture, viewer.place.camera)) return "Only photographs are edited";
  return null;
}

export class EditBar {
  private editor: Editor | null = null;
  private open = false;
  private before: Mode = "picture";

  constructor(
    private readonly viewer: Viewer,
    private readonly hands: Hands,
    private readonly name: string,
    private readonly draw: (mode: Mode) => void,
  ) {
    const why = hindrance(viewer);
    if (why) {
      disable("edit", why);
      return;
    }
    for (const tool of TOOLS) this.onClick(`edit-${tool}`, () => this.take(tool));
    this.onClick("edit-undo", () => this.editor?.undo());
    this.onClick("edit-redo", () => this.editor?.redo());
    this.onClick("edit-save", () => void this.save());
    this.onClick("edit-done", () => this.toggle());
    this.onClick("edit-depth", () => this.draw(this.viewer.mode === "depth" ? "picture" : "depth"));
    this.onClick("edit-keep", () => this.set("keep"));
    this.onClick("edit-loop", () => this.set("loop"));
    for (const id of ["edit-size", "edit-strength"]) part(id).addEventListener("input", () => this.readSliders());
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeunload", (event) => {
      if (this.editor?.unsaved) event.preventDefault();
    });
  }

  /** Begin, or be done. */
  toggle(): void {
    if (part<HTMLButtonElement>("edit").disabled) return say(part("edit").title);
    if (this.editor) {
      this.switch(!this.open);
      return;
    }
    this.openEditor().then(
      () => this.switch(true),
      (error: Error) => say(error.message),
    );
  }

  private async openEditor(): Promise<void> {
    const [note, codes] = [part("depth-note"), part("depth-codes")];
    const picture = pictureOf(this.viewer.place);
    if (!picture) return;
    const field = await DepthField.open(note.textContent ?? "", bytesFromBase64(codes.textContent ?? ""));
    codes.remove();
    this.editor = new Editor(this.viewer, field, picture, (text) => this.told(text));
  }

  private switch(on: boolean): void {
    const { editor, viewer } = this;
    if (!editor) return;
    editor.cancel();
    editor.hover(null);
    this.open = on;
    press("edit", on);
    part("edit-bar").hidden = !on;
    part("view-bar").hidden = on;
    const edited = editor.changed > 0;
    editor.show(on || edited);
    for (const id of ["confidence", "wires"]) allow(id, !on && !edited, PUT_AWAY);
    if (on) this.before = viewer.mode === "confidence" ? "picture" : viewer.mode;
    this.draw(on ? "depth" : this.before);
    part("edit-note").textContent = AWAY;
    document.documentElement.classList.toggle("editing", on);
    this.take(on ? "nearer" : "look");
    if (!on && edited) say("You see your edit; what is hidden behind things comes back when it is converted");
  }

  private take(tool: Tool): void {
    const { editor, hands, viewer } = this;
    if (!editor) return;
    editor.cancel();
    editor.settings.tool = tool;
    hands.pen = tool === "look" ? null : editor;
    viewer.rig.steady = tool !== "look";
    if (tool !== "look") viewer.rig.comeHome();
    viewer.canvas.classList.toggle("drawn-on", tool !== "look");
    for (const each of TOOLS) press(`edit-${each}`, each === tool);
    this.refresh();
    viewer.request();
  }

  private set(what: "keep" | "loop"): void {
    if (!this.editor) return;
    this.editor.settings[what] = !this.editor.settings[what];
    this.refresh();
  }

  private readSliders(): void {
    if (!this.editor) return;
    const [size, strength] = ["edit-size", "edit-strength"].map((id) => Number(part<HTMLInputElement>(id).value));
    Object.assign(this.editor.settings, { size, strength: (strength ?? 0) / 100 });
  }

  private refresh(): void {
    if (!this.editor) return;
    const { settings, history, changed } = this.editor;
    const marks = settings.tool === "flat" || settings.tool === "sky";
    const moves = settings.tool === "nearer" || settings.tool === "farther";
    part("edit-size").parentElement?.toggleAttribute("hidden", !moves && !(marks && !settings.loop));
    part("edit-strength").parentElement?.toggleAttribute("hidden", !moves);
    part("edit-keep").hidden = !moves;
    part("edit-loop").hidden = !marks;
    press("edit-keep", settings.keep);
    press("edit-loop", settings.loop);
    part<HTMLButtonElement>("edit-undo").disabled = !history.canUndo;
    part<HTMLButtonElement>("edit-redo").disabled = !history.canRedo;
    this.viewer.canvas.dataset["edited"] = String(changed);
    this.fit();
  }

  /** The bar may be as high as it likes; the picture and the messages stay above it. */
  private fit(): void {
    document.documentElement.style.setProperty("--lift", `${part("edit-bar").getBoundingClientRect().height}px`);
    this.viewer.resize();
  }

  private told(text: string): void {
    if (text) say(text);
    this.refresh();
  }

  private async save(): Promise<void> {
    if (!this.editor) return;
    const stem = this.name.replace(/\.[a-z0-9]+$/i, "");
    const file = `${stem}-depth.png`;
    try {
      hand(await this.editor.file(file), file);
    } catch (error) {
      return say(error instanceof Error ? error.message : String(error));
    }
    say("Depth saved");
    part("edit-note").textContent = `Convert it again: unflat photo "${this.name}" --depth "${file}"`;
    this.fit();
  }

  private key(event: KeyboardEvent): void {
    if (!this.open || document.querySelector("dialog[open]")) return;
    const letter = event.key.toLowerCase();
    const act = event.ctrlKey || event.metaKey ? this.chord(letter, event.shiftKey) : event.altKey ? null : this.plain(letter);
    if (!act) return;
    event.preventDefault();
    act();
  }

  private chord(letter: string, shift: boolean): (() => void) | null {
    if (letter === "z") return () => (shift ? this.editor?.redo() : this.editor?.undo());
    if (letter === "y") return () => this.editor?.redo();
    return null;
  }

  private plain(letter: string): (() => void) | null {
    const tool = TOOLS[Number(letter) - 1];
    if (tool) return () => this.take(tool);
    if (letter === "[" || letter === "]") return () => this.resizeBrush(letter === "]" ? 1.2 : 1 / 1.2);
    if (letter === "escape") return () => (this.editor?.drawing ? this.editor.cancel() : this.toggle());
    return null;
  }

  private resizeBrush(factor: number): void {
    const slider = part<HTMLInputElement>("edit-size");
    slider.value = String(Number(slider.value) * factor);
    this.readSliders();
  }

  private onClick(id: string, act: () => void): void {
    part(id).addEventListener("click", act);
  }
}
