#!/bin/sh
# The dashboard's browser tests against the built binary given as argument,
# running the demo, the scenario internet and nothing, each in a directory of its own. Says loudly when there is no
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
servers=
trap 'kill $servers 2>/dev/null; wait $servers 2>/dev/null; rm -rf "$data"' EXIT INT TERM
for scenario in demo internet empty; do
  mkdir "$data/$scenario"
  : >"$data/$scenario.out"
  with="--scenario $scenario"
  [ "$scenario" != empty ] || with=
  # shellcheck disable=SC2086 # two words or none
  "$bin" serve --listen 127.0.0.1:0 --data "$data/$scenario" $with >"$data/$scenario.out" &
  servers="$servers $!"
  for _ in $(seq 600); do
    grep -qx 'Ready\.' "$data/$scenario.out" && break
    sleep 0.1
  done
done
url() { sed -n 's/^enilab is at //p' "$data/$1.out"; }
ENILAB_URL=$(url demo)
ENILAB_INTERNET_URL=$(url internet)
ENILAB_EMPTY_URL=$(url empty)
if [ -z "$ENILAB_URL" ] || [ -z "$ENILAB_INTERNET_URL" ] || [ -z "$ENILAB_EMPTY_URL" ]; then echo "a server did not start" >&2; exit 1; fi
export ENILAB_URL ENILAB_INTERNET_URL ENILAB_EMPTY_URL
# shellcheck disable=SC2086 # names of files, or none
npm run --silent browser -- ${TESTS:-}
