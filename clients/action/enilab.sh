#!/usr/bin/env bash
# The action's one step: INPUT_MODE says what to do, see action.yml. Outputs go to
# GITHUB_OUTPUT, a summary to GITHUB_STEP_SUMMARY, variables to GITHUB_ENV; what the
# next steps need lies in RUNNER_TEMP.
set -euo pipefail
home=${RUNNER_TEMP:-${TMPDIR:-/tmp}}/enilab
mkdir -p "$home"

# wrong: the set-up is wrong; the runner shows the line at the step.
wrong() {
  echo "::error title=enilab::$1"
  exit 3
}
output() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }

# lines NAME VALUE: the lines of VALUE that are not empty, into the array NAME.
lines() {
  local line
  eval "$1=()"
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [ -n "$line" ]; then eval "$1+=(\"\$line\")"; fi
  done <<<"$2"
}

# install: sets bin, a program that is there.
install() {
  if [ -n "${INPUT_PATH:-}" ]; then
    bin=$(command -v "$INPUT_PATH") || wrong "path is $INPUT_PATH, and there is no program of that name; was it built in an earlier step?"
  elif [ -n "${INPUT_VERSION:-}" ]; then
    download "${INPUT_VERSION#v}"
  elif [ -x "$home/enilab" ]; then
    bin=$home/enilab # of an earlier step
  else
    bin=$(command -v enilab) || wrong "there is no binary: want path, or version, or enilab in the PATH"
  fi
  output bin "$bin"
  "$bin" version
}

download() {
  local version=$1 os arch ext=tar.gz folder url sums
  case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    MINGW* | MSYS* | CYGWIN*) os=windows ext=zip ;;
    *) wrong "there is no release for $(uname -s): want path" ;;
  esac
  case $(uname -m) in
    x86_64 | amd64) arch=amd64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) wrong "there is no release for $(uname -m): want path" ;;
  esac
  folder=enilab_${version}_${os}_${arch}
  url=${INPUT_RELEASE_URL//VERSION/$version}
  for file in "$folder.$ext" SHA256SUMS; do
    curl -fsSL --retry 3 -o "$home/$file" "$url/$file" || wrong "downloading $url/$file: curl ended with code $?; is there a release $version for $os/$arch?"
  done
  sums=$(grep -F "  $folder.$ext" "$home/SHA256SUMS") || wrong "SHA256SUMS of $version has no line for $folder.$ext"
  (cd "$home" && if command -v sha256sum >/dev/null; then sha256sum --check --quiet - <<<"$sums"; else shasum -a 256 --check --quiet - <<<"$sums"; fi) ||
    wrong "the checksum of $folder.$ext is not that of SHA256SUMS"
  if [ "$ext" = zip ]; then (cd "$home" && unzip -qo "$folder.zip"); else tar -xzf "$home/$folder.$ext" -C "$home"; fi
  bin=$home/enilab
  if [ "$os" = windows ]; then bin+=.exe; fi
  mv "$home/$folder/${bin##*/}" "$bin"
}

# run: the drills, and an exit code as theirs.
run() {
  local patterns args files=() flags=() pattern matched code=0 verdict
  lines patterns "${INPUT_FILES:-}"
  lines args "${INPUT_ARGS:-}"
  if [ "${#patterns[@]}" = 0 ]; then wrong "no drill is named: want files, one a line"; fi
  local IFS= # names may have spaces
  for pattern in "${patterns[@]}"; do
    matched=($pattern) # a pattern's files; itself if there is none
    files+=("${matched[@]}")
  done
  if [ -n "${INPUT_JUNIT:-}" ]; then flags+=(--junit "$INPUT_JUNIT"); output junit "$INPUT_JUNIT"; fi
  if [ -n "${INPUT_REPORT:-}" ]; then flags+=(--report "$INPUT_REPORT"); output report "$INPUT_REPORT"; fi
  "$bin" run --timing "${INPUT_TIMING:-fast}" ${flags[@]+"${flags[@]}"} ${args[@]+"${args[@]}"} -- "${files[@]}" 2>&1 | tee "$home/run.txt" || code=${PIPESTATUS[0]}
  case $code in
    0) verdict=held ;;
    1) verdict=failed ;;
    2) verdict=inconclusive ;;
    *) verdict=wrong ;;
  esac
  output verdict "$verdict"
  {
    echo "### enilab: $verdict"
    echo
    echo '````text'
    cat "$home/run.txt"
    echo '````'
  } >>"$GITHUB_STEP_SUMMARY"
  if [ "$code" != 0 ]; then echo "::error title=enilab::the drills: $verdict"; fi
  return "$code"
}

# serve: a laboratory in the background, which the runner ends with the job.
serve() {
  local args line='' url='' pid
  lines args "${INPUT_ARGS:-}"
  : >"$home/serve.txt"
  nohup "$bin" serve --listen 127.0.0.1:0 --data "$home/data" --fresh --scenario "${INPUT_SCENARIO:-none}" --timing "${INPUT_TIMING:-fast}" \
    --region "${INPUT_REGION:-us-east-1}" ${args[@]+"${args[@]}"} >"$home/serve.txt" 2>"$home/serve.log" </dev/null &
  pid=$!
  echo "$pid" >"$home/pid"
  for ((i = 0; i < 600; i++)); do
    while IFS= read -r line; do
      case $line in
        "enilab is at "*) if [ -z "$url" ]; then url=${line#enilab is at } && url=${url%/}; fi ;;
        Ready.) break 2 ;;
      esac
    done <"$home/serve.txt"
    kill -0 "$pid" 2>/dev/null || { cat "$home/serve.log"; wrong "the laboratory ended before it was ready"; }
    sleep 0.1
  done
  if [ "$line" != Ready. ]; then cat "$home/serve.log"; wrong "the laboratory was not ready within a minute"; fi
  output endpoint "$url"
  output access-key-id test
  output secret-access-key test
  output region "${INPUT_REGION:-us-east-1}"
  if [ "${INPUT_ENVIRONMENT:-true}" = true ]; then
    printf '%s\n' "AWS_ENDPOINT_URL=$url" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test \
      "AWS_REGION=${INPUT_REGION:-us-east-1}" "AWS_DEFAULT_REGION=${INPUT_REGION:-us-east-1}" AWS_EC2_METADATA_DISABLED=true >>"$GITHUB_ENV"
  fi
  echo "a laboratory is at $url"
}

stop() {
  if [ ! -f "$home/pid" ]; then wrong "no laboratory was started by this action in this job"; fi
  local pid; pid=$(cat "$home/pid")
  rm "$home/pid"
  kill "$pid" 2>/dev/null || echo "it had ended by itself"
  for ((i = 0; i < 100; i++)); do
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "::group::the laboratory's log"
  cat "$home/serve.log"
  echo "::endgroup::"
}

case ${INPUT_MODE:-run} in
  run) install; run ;;
  serve) install; serve ;;
  stop) stop ;;
  *) wrong "mode is ${INPUT_MODE}: want run, serve or stop" ;;
esac
