#!/bin/sh
# The dashboard's checks that need Node: types, lint, units. Says loudly when
# there is no Node; in CI that is a failure.
set -eu
cd "$(dirname "$0")/.."
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "SKIPPED: the dashboard's type checks, lint and unit tests, for want of Node and npm"
  [ -z "${CI:-}" ] || exit 1
  exit 0
fi
[ -d node_modules ] || npm ci --no-audit --no-fund
npm run --silent check
npm test --silent
