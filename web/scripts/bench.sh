#!/bin/sh
# Measures the page in Chromium on the built binary given as the first argument; the others go to
# web/bench/bench.mjs, as --seconds 60.
set -eu
bin=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "the page is measured with $tool, which is not here" >&2; exit 1; }
done
[ -d node_modules ] || npm ci --no-audit --no-fund
exec node bench/bench.mjs "$bin" "$@"
