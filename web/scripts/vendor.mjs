// Refreshes web/vendor from the npm packages at the versions of package.json,
// so that building the page needs neither Node nor a network.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const versions = JSON.parse(readFileSync(join(web, "package.json"), "utf8")).devDependencies;

// What is taken from each package: source path in the tarball -> name under vendor/<dir>/.
// "imports" is how sources name the module; the bundler resolves them from VENDOR.json.
const packages = [
  {
    name: "preact",
    dir: "preact",
    files: {
      "dist/preact.mjs": "preact.mjs",
      "hooks/dist/hooks.mjs": "hooks.mjs",
      "jsx-runtime/dist/jsxRuntime.mjs": "jsx-runtime.mjs",
      LICENSE: "LICENSE",
    },
    imports: {
      preact: "preact.mjs",
      "preact/hooks": "hooks.mjs",
      "preact/jsx-runtime": "jsx-runtime.mjs",
    },
  },
  {
    name: "@preact/signals-core",
    dir: "signals-core",
    files: { "dist/signals-core.mjs": "signals-core.mjs", LICENSE: "LICENSE" },
    imports: { "@preact/signals-core": "signals-core.mjs" },
  },
  {
    name: "@preact/signals",
    dir: "signals",
    files: { "dist/signals.mjs": "signals.mjs", LICENSE: "LICENSE" },
    imports: { "@preact/signals": "signals.mjs" },
  },
  {
    name: "uplot",
    dir: "uplot",
    files: {
      "dist/uPlot.esm.js": "uplot.mjs",
      "dist/uPlot.min.css": "uplot.css",
      LICENSE: "LICENSE",
    },
    imports: { uplot: "uplot.mjs", "uplot/uplot.css": "uplot.css" },
  },
  {
    name: "marked",
    dir: "marked",
    files: { "lib/marked.esm.js": "marked.mjs", LICENSE: "LICENSE" },
    imports: { marked: "marked.mjs" },
  },
];

const sha256 = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");

const temp = mkdtempSync(join(tmpdir(), "enilab-vendor-"));
try {
  const manifest = [];
  for (const p of packages) {
    const spec = `${p.name}@${versions[p.name]}`;
    const [info] = JSON.parse(
      execFileSync("npm", ["pack", spec, "--json", "--pack-destination", temp], { encoding: "utf8" }),
    );
    const unpacked = join(temp, p.dir);
    mkdirSync(unpacked);
    execFileSync("tar", ["-xzf", join(temp, info.filename), "-C", unpacked, "--strip-components=1"]);
    const target = join(web, "vendor", p.dir);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    const files = {};
    for (const [from, to] of Object.entries(p.files)) {
      cpSync(join(unpacked, from), join(target, to));
      files[to] = sha256(join(target, to));
    }
    const licence = JSON.parse(readFileSync(join(unpacked, "package.json"), "utf8")).license;
    manifest.push({
      name: p.name,
      version: info.version,
      license: licence,
      integrity: info.integrity,
      dir: p.dir,
      imports: p.imports,
      files,
    });
  }
  writeFileSync(join(web, "vendor", "VENDOR.json"), `${JSON.stringify({ packages: manifest }, null, 2)}\n`);
} finally {
  rmSync(temp, { recursive: true, force: true });
}
