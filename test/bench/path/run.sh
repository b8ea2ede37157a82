#!/bin/sh
# bench-path: frames a second of enilab's data plane beside what else carries
# frames on this machine, turn and turn about:
#   kernel     network namespaces, veth, a bridge, nftables stateful at both ends
#   gVisor     its stack as a router with 60 iptables rules and tracking
#   tap-vsock  gvisor-tap-vsock's switch, which filters nothing
# Root, for the namespaces. Arguments go to the program (-help lists them).
# With BASE=<commit> it measures the data plane of that commit and of this tree,
# and nothing else; that needs no root.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

fail() { echo "bench-path: $*" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || fail "the kernel's path is Linux's; this is $(uname -s)"
command -v "${GO:=go}" >/dev/null || fail "MISSING: $GO"
export GO
tree=$here/../../..

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
if [ -n "${BASE:-}" ]; then
  mkdir "$dir/base"
  git -C "$tree" archive "$BASE" | tar -x -C "$dir/base" || fail "cannot unpack commit $BASE"
  set -- -base "$dir/base" "$@"
else
  for tool in ip nft; do
    command -v "$tool" >/dev/null || fail "MISSING: $tool (Debian: apt-get install iproute2 nftables)"
  done
  [ "$(id -u)" = 0 ] || fail "needs root: it makes network namespaces and raw sockets in them (sudo make bench-path)"
fi
(cd "$here" && "$GO" build -o "$dir/path" .)
"$dir/path" -tree "$tree" "$@"
