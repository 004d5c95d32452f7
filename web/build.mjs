// Builds the viewer: `npm ci --ignore-scripts && npm run build`. The result is the same bytes every time.
//
// viewer.js, viewer.css and page.html are what formats/html.py puts into the page of a picture, stroll.js, stroll.css and
// stroll.html into that of a scan, volume.js, volume.css and volume.html into that of a model; clip.js, clip.css and
// clip.html are what formats/clip_page.py does. manifest.json holds the hashes of all sources, so that a test notices a
// stale bundle without Node.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const web = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(web, "..", "src", "unflat", "formats", "static");
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const read = (name) => readFileSync(join(web, name));

const notice = read("node_modules/three/LICENSE").toString().trim().replace(/\r/g, "");
const shared = { bundle: true, minify: true, write: false, charset: "utf8", legalComments: "none", absWorkingDir: web };
const targets = ["chrome100", "firefox100", "safari15.4"];
const banner = { js: `/*\nThis page carries three.js:\n\n${notice}\n*/` };
const built = async (entry, more) => {
  const { outputFiles } = await build({ ...shared, entryPoints: [entry], target: targets, ...more });
  return Buffer.from(outputFiles[0].contents);
};

const outputs = {
  "viewer.js": await built("src/main.ts", { format: "iife", banner }),
  "viewer.css": await built("src/style.css"),
  "page.html": read("page.html"),
  "clip.js": await built("src/clip.ts", { format: "iife", banner }),
  "clip.css": await built("src/clip.css"),
  "clip.html": read("clip.html"),
  "stroll.js": await built("src/stroll.ts", { format: "iife", banner }),
  "stroll.css": await built("src/stroll.css"),
  "stroll.html": read("stroll.html"),
  "volume.js": await built("src/volume.ts", { format: "iife", banner }),
  "volume.css": await built("src/volume.css"),
  "volume.html": read("volume.html"),
  "THREE-LICENSE.txt": Buffer.from(`${notice}\n`),
};
const pages = ["page.html", "clip.html", "stroll.html", "volume.html"];
const names = [".npmrc", "build.mjs", "package.json", "package-lock.json", ...pages, "tsconfig.json"];
names.push(...readdirSync(join(web, "src")).map((name) => `src/${name}`));
const hashes = (entries) => Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
const manifest = {
  sources: hashes(names.map((name) => [name, sha256(read(name))])),
  outputs: hashes(Object.entries(outputs).map(([name, bytes]) => [name, sha256(bytes)])),
};

mkdirSync(target, { recursive: true });
for (const [name, bytes] of Object.entries(outputs)) writeFileSync(join(target, name), bytes);
writeFileSync(join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
