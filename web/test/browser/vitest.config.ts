import { defineConfig } from "vitest/config";

// One page and one server: files and tests run one after another. The bounds
// are those of a machine with two busy cores; the eight looks take a minute there.
export default defineConfig({
  test: {
    root: new URL(".", import.meta.url).pathname,
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 240_000,
    expect: { poll: { timeout: 30_000 } },
    hookTimeout: 240_000,
  },
});
