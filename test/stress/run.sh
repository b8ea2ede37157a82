#!/usr/bin/env bash
# The Go tests RUNS times with every processor kept busy beside them, to find
# those that fail now and then. PKGS and RUN choose packages and tests, as with
# go test; RACE holds the flags of the build. What a failed package printed is kept.
set -u
RUNS=${RUNS:-20} GO=${GO:-go} PKGS=${PKGS:-./...} RUN=${RUN:-.} RACE=${RACE:--race}
cores=$(getconf _NPROCESSORS_ONLN)
out=$(mktemp -d) || exit 1
mkdir "$out/bin"

list=$($GO list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}} {{.Dir}}{{end}}' $PKGS) || exit 1
packages=() dirs=()
while read -r package dir; do
  echo "building $package"
  # shellcheck disable=SC2086 # RACE is flags
  $GO test $RACE -c -o "$out/bin/${package//\//_}" "$package" || exit 1
  packages+=("$package") dirs+=("$dir")
done < <(grep . <<<"$list")

burners=()
trap 'kill "${burners[@]}" 2>/dev/null; rm -rf "$out/bin"' EXIT
trap 'exit 130' INT TERM
for ((i = 0; i < cores; i++)); do
  (while kill -0 $$ 2>/dev/null; do for ((j = 0; j < 100000; j++)); do :; done; done) &
  burners+=($!)
done

# one runs a package's tests and leaves a line for each in results.
one() {
  local run=$1 package=$2 dir=$3 log status
  log="$out/$run.${package//\//_}.log"
  (cd "$dir" && exec "$out/bin/${package//\//_}" -test.v -test.run "$RUN" -test.timeout 25m) >"$log" 2>&1
  status=$?
  sed -nE "s#^--- (PASS|FAIL|SKIP): ([^ ]+).*#\1 $package \2#p" "$log" >"$log.results"
  if [ $status -ne 0 ] && ! grep -q '^FAIL' "$log.results"; then
    echo "FAIL $package (exit status $status)" >>"$log.results" # a panic, a leak, a race after the tests
  fi
  cat "$log.results" >>"$out/results"
  rm "$log.results"
  if [ $status -eq 0 ]; then rm "$log"; fi
}

: >"$out/results"
for ((run = 1; run <= RUNS; run++)); do
  before=$(grep -c '^FAIL' "$out/results")
  jobs=()
  for i in "${!packages[@]}"; do
    if [ ${#jobs[@]} -ge "$cores" ]; then
      wait -n -p ended "${jobs[@]}"
      for k in "${!jobs[@]}"; do [ "${jobs[k]}" = "$ended" ] && unset "jobs[k]"; done
      jobs=("${jobs[@]}")
    fi
    one "$run" "${packages[i]}" "${dirs[i]}" &
    jobs+=($!)
  done
  wait "${jobs[@]}"
  echo "run $run of $RUNS: $(($(grep -c '^FAIL' "$out/results") - before)) failed"
done

passed=$(grep -c '^PASS' "$out/results") failed=$(grep -c '^FAIL' "$out/results")
sed -n 's/^SKIP //p' "$out/results" | sort | uniq -c | while read -r n name; do echo "skipped $n times: $name"; done
sed -n 's/^FAIL //p' "$out/results" | sort | uniq -c | sort -rn | while read -r n name; do echo "failed $n of $RUNS times: $name"; done
if [ "$failed" -gt 0 ]; then echo "what they printed: $out"; else rm -rf "$out"; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
