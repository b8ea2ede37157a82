#!/usr/bin/env bash
# Makes the captures of this folder from real Linux hosts in three network
# namespaces on one bridge. Needs root, iproute2, ethtool, tcpdump, curl,
# iputils ping, dig, dnsmasq and python3. Nothing leaves the namespaces.
#
#   sudo testdata/captures/make.sh [capture...]     (default: all)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
ns=enilab-$$
started=()

cleanup() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
	for n in client server gateway switch; do ip netns del "$ns-$n" 2>/dev/null || true; done
	rm -rf "$work"
}
trap cleanup EXIT

in_ns() { ip netns exec "$ns-$1" "${@:2}"; }

# until_true CONDITION...: polls for at most ten seconds.
until_true() {
	for _ in $(seq 100); do "$@" && return; sleep 0.1; done
	echo "make.sh: gave up waiting for: $*" >&2
	return 1
}

# start NAMESPACE COMMAND...: runs in the background; ends in $last.
start() {
	ip netns exec "$ns-$1" "${@:2}" >>"$work/log" 2>&1 &
	last=$!
	started+=("$last")
}

# host NAME LAST-OCTET: a namespace with eth0 on the switch. Offloads are off,
# or checksums would be filled in, and segments cut, behind the capture.
host() {
	ip netns add "$ns-$1"
	ip link add "v$2-$$" type veth peer name eth0 netns "$ns-$1"
	ip link set "v$2-$$" netns "$ns-switch"
	in_ns switch ip link set "v$2-$$" master br0 mtu 9001 up
	in_ns "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	in_ns "$1" ip link set lo up
	in_ns "$1" ip link set eth0 address "02:00:00:00:00:$2" mtu 1500 gso_max_segs 1
	in_ns "$1" ethtool -K eth0 rx off tx off sg off tso off gso off gro off rxvlan off txvlan off >/dev/null
	in_ns switch ethtool -K "v$2-$$" rx off tx off sg off tso off gso off gro off rxvlan off txvlan off >/dev/null
	in_ns "$1" ip addr add "192.168.0.$((10#$2))/24" dev eth0
	in_ns "$1" ip link set eth0 up
}

mtu() { for n in client server; do in_ns $n ip link set eth0 mtu "$1"; done; }
forget_neighbours() { for n in client server gateway; do in_ns $n ip neigh flush all; done; }

capturing() { grep -q "listening on" "$work/dump"; }

# capture FILE COMMAND...: records the client's eth0 while COMMAND runs in the
# client. The filter leaves out multicast membership reports; it looks at
# Ethernet only, because libpcap drops frames too short for what it reads.
capture() {
	local file=$1; shift
	forget_neighbours
	: >"$work/dump"
	ip netns exec "$ns-client" tcpdump -i eth0 -U --immediate-mode -w "$work/$file" \
		'not ether dst 01:00:5e:00:00:16 and not ether dst 33:33:00:00:00:16' 2>"$work/dump" &
	local dump=$!
	started+=("$dump")
	until_true capturing
	in_ns client "$@" >>"$work/log" 2>&1 || true
	sleep 0.3 # the last acknowledgement
	kill -INT "$dump"; wait "$dump" || true
	cat "$work/$file" >"$here/$file" # not mv: tcpdump made it its own user's
	echo "$file: $(tcpdump -r "$here/$file" 2>/dev/null | wc -l) frames, $(stat -c %s "$here/$file") bytes"
}

wanted() { [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }
only=("$@")

ip netns add "$ns-switch"
in_ns switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
in_ns switch ip link add br0 type bridge mcast_snooping 0
in_ns switch ip link set br0 mtu 9001 up
host client 10
host server 42
host gateway 01
in_ns gateway ip addr add 192.168.1.10/32 dev lo
in_ns gateway sysctl -qw net.ipv4.ip_forward=1
for n in client server; do in_ns $n ip route add default via 192.168.0.1; done

mkdir "$work/www"
echo "hello from 192.168.0.42" >"$work/www/index.html"
python3 -c 'print("enilab " * 2900)' >"$work/www/20k.txt"
start server python3 -m http.server 80 --bind 192.168.0.42 --directory "$work/www"
start server dnsmasq --keep-in-foreground --no-resolv --no-hosts --listen-address=192.168.0.42 \
	--bind-interfaces --pid-file= --user=root --cache-size=0 \
	--address=/server.enilab.test/192.168.0.42 --host-record=client.enilab.test,192.168.0.10 \
	--local=/enilab.test/
until_true in_ns client curl -sfo /dev/null http://192.168.0.42/
until_true in_ns client dig +time=1 +tries=1 @192.168.0.42 server.enilab.test >/dev/null

if wanted http; then capture http.pcap curl -s http://192.168.0.42/; fi
if wanted ping; then capture ping.pcap ping -c 3 -i 0.2 192.168.0.42; fi
if wanted gateway; then capture gateway.pcap ping -c 2 -i 0.2 192.168.1.10; fi
if wanted absent; then capture absent.pcap ping -c 1 -W 3 192.168.0.99; fi
if wanted dns; then
	capture dns.pcap sh -c '
		dig @192.168.0.42 server.enilab.test A
		dig @192.168.0.42 server.enilab.test AAAA
		dig @192.168.0.42 nobody.enilab.test A
		dig +tcp @192.168.0.42 client.enilab.test A'
fi
if wanted reset; then
	capture reset.pcap python3 -c '
import socket, struct
try: socket.create_connection(("192.168.0.42", 81), 2)          # refused: RST from the server
except ConnectionRefusedError: pass
s = socket.create_connection(("192.168.0.42", 80), 2)
s.sendall(b"GET /")
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()                                                       # aborted: RST from the client
'
fi
if wanted fragments; then capture fragments.pcap ping -c 2 -i 0.2 -s 4000 192.168.0.42; fi
if wanted jumbo; then
	mtu 9001
	capture jumbo.pcap sh -c 'ping -c 1 -M do -s 8973 192.168.0.42; curl -s http://192.168.0.42/20k.txt'
	mtu 1500
fi
if wanted ipv6; then
	for n in client:10 server:42; do
		in_ns "${n%:*}" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_dad=0
		in_ns "${n%:*}" ip addr add "fd00::${n#*:}/64" dev eth0 nodad
	done
	start server python3 -m http.server 80 --bind fd00::42 --directory "$work/www"
	until_true in_ns client curl -sfo /dev/null 'http://[fd00::42]/'
	capture ipv6.pcap sh -c 'ping -6 -c 1 fd00::42; ping -6 -c 1 -s 3000 fd00::42; curl -s "http://[fd00::42]/"'
	for n in client server; do in_ns $n sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1; done
fi
for set in tagged odd malformed; do
	if wanted $set; then capture $set.pcap python3 "$here/craft.py" eth0 $set; fi
done
