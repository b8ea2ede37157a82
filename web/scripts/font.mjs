// Makes the Hangul font of the page: the characters of the Korean catalogs, of the drills' Korean pages and of the exercises (and
// the particles and syllables of dates and units) from Pretendard Variable.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import subsetFont from "subset-font";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(web, "node_modules/pretendard");
const target = join(web, "src/ui/fonts");

const korean = (folder, ending) =>
  readdirSync(join(web, folder), { recursive: true })
    .filter((f) => f.endsWith(ending) && f !== "README.ko.md")
    .map((f) => readFileSync(join(web, folder, f), "utf8"));

const sources = [
  readFileSync(join(web, "src/i18n/en.ts"), "utf8"), // names of languages
  ...korean("src", "ko.ts"), // every catalog
  ...korean("../docs/drills", ".ko.md"), // pages and exercises, which the page shows too
  ...korean("../internal/exercise/exercises", ".yaml"),
].join("");
const characters = [...new Set(sources.match(/[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/g))].sort().join("");

const font = readFileSync(join(source, "dist/web/variable/woff2/PretendardVariable.woff2"));
const subset = await subsetFont(font, characters, { targetFormat: "woff2" });
mkdirSync(target, { recursive: true });
writeFileSync(join(target, "eni-ko.woff2"), subset);
copyFileSync(join(source, "dist/LICENSE.txt"), join(target, "LICENSE.txt"));
const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
writeFileSync(
  join(target, "eni-ko.json"),
  `${JSON.stringify({ font: "Pretendard Variable", version, license: "OFL-1.1", sha256: createHash("sha256").update(subset).digest("hex"), characters }, null, 2)}\n`,
);
console.log(`${characters.length} characters, ${subset.length} bytes`);
