#!/bin/sh
# The dashboard's browser tests against the built binary given as argument,
# running the demo in a directory of its own. Says loudly when there is no
# Node or Chromium; in CI that is a failure.
set -eu
bin=$(realpath "$1")
cd "$(dirname "$0")/.."
for tool in node npm chromium; do
  if ! command -v "$tool" >/dev/null; then
    echo "SKIPPED: the browser tests, for want of $tool"
    [ -z "${CI:-}" ] || exit 1
    exit 0
  fi
done
[ -d node_modules ] || npm ci --no-audit --no-fund
data=$(mktemp -d)
"$bin" serve --listen 127.0.0.1:0 --data "$data" --scenario demo >"$data/out" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$data"' EXIT INT TERM
for _ in $(seq 600); do
  grep -qx 'Ready\.' "$data/out" && break
  sleep 0.1
done
ENILAB_URL=$(sed -n 's/^enilab is at //p' "$data/out")
[ -n "$ENILAB_URL" ] || { echo "the server did not start" >&2; exit 1; }
export ENILAB_URL
npm run --silent browser
