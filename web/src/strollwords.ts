// What a visitor is told of pictures, and of what is made of them.
import type { Layer, Stand } from "./strollsite";
import type { Role } from "./types";

/** What people call a picture: what it shows and when it was made, or the name of its file. */
export function calledBy(stand: Stand): string {
  return [stand.title ?? stand.name, stand.date].filter(Boolean).join(", ");
}

/** The same with the name of the file, where that is not all there is. */
export function fullyCalled(stand: Stand): string {
  return stand.title ? `${calledBy(stand)} (${stand.name})` : calledBy(stand);
}

/** Which picture a surface is made of, and whether no picture shows it. */
export function madeOf(layer: Layer, role: Role, nearest: Stand | null): string {
  const [first, ...others] = layer.stands;
  if (!first) return "";
  const shown = nearest && layer.stands.includes(nearest) ? nearest : first;
  const made = role === "hidden" || role === "beyond" ? "Made up, no picture shows it: goes on from " : "";
  const among = others.length > 0 ? `, one of ${layer.stands.length} pictures of this surface` : "";
  return `${made}${fullyCalled(shown)}${among}`;
}
