package tap

import (
	"bytes"
	"os/exec"
	"slices"
	"testing"
)

// agreed are expressions on which tcpdump and we must choose the same frames.
var agreed = []string{
	"ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp",
	"not ip", "! arp", "not not tcp", "!(tcp or udp)", "tcp || udp && ip6", "icmp or arp and ip", "arp and ip or icmp",
	"host 192.168.0.42", "src host 192.168.0.10", "dst host 192.168.0.10", "src 192.168.0.10", "ip host 192.168.0.42",
	"arp host 192.168.0.42", "rarp host 192.168.0.42", "ip src 192.168.0.10 and dst 192.168.0.42",
	"src or dst host 192.168.0.42", "src and dst host 192.168.0.42", "dst or src 192.168.0.42", "dst && src net 192.168",
	"host fd00::42", "ip6 host fd00::10", "src fd00::10", "ip6 dst fd00::10", "src and dst net fd00::/16",
	"net 192.168", "net 192.168.0.0/24", "net 192.168.0.0", "dst net 224.0.0.0/4", "net 192.168.0.0 mask 255.255.0.0", "net 192", "net 10",
	"ip net 0.0.0.0/0", "ip6 net fd00::/8", "net fd00::", "src net fd00::/64", "ip6 net ::/0",
	"port 80", "port 53", "src port 80", "dst port 80", "tcp port 80", "udp port 53", "sctp port 80", "src or dst port 80",
	"src and dst port 5353", "tcp src port 80", "udp dst port 53", "port 010", "port 0x50", "port (80)",
	"portrange 50-100", "tcp portrange 80-80", "src portrange 1-1024", "portrange 9000-1", "portrange 53", "udp portrange 1024-65535",
	"port 80 or 53", "tcp port 80 or 443", "dst port 80 or port 443 or 53", "port 80 and not 81", "not port 53 or 80",
	"host 192.168.0.10 or 192.168.0.99", "host 192.168.0.42 and (port 80 or 53)", "host (192.168.0.10 or 192.168.0.1)",
	"host 192.168.0.10 and not 192.168.0.42", "src 192.168.0.10 or 192.168.0.42", "port 80 or (53 and not 5353)", "host not 192.168.0.42",
	"net 10.1 or 192.168.0.0/16", "tcp and (host 192.168.0.42 or 192.168.0.1)", "port (80 or 53) and udp",
	"ip proto 17", "ip proto \\tcp", "ip6 proto 6", "ip6 proto 58 or 17", "proto 6", "proto \\udp", "ip proto 1 or 132",
	"ether proto 0x0806", "ether proto \\ip", "ether proto \\arp or \\ip6", "ether proto 2048 or 2054", "ether proto 0x88b5",
	"ether host 02:00:00:00:00:10", "ether src 02:00:00:00:00:42", "ether dst host 02:00:00:00:00:42", "ether src or dst 02:00:00:00:00:01",
	"ether host 02-00-00-00-00-10", "ether host 0200.0000.0042", "ether src 02:00:00:00:00:10 or 02:00:00:00:00:42",
	"broadcast", "ether broadcast", "multicast", "ether multicast", "ip multicast", "ip6 multicast",
	"vlan", "vlan 100", "vlan 7", "vlan and tcp", "vlan 100 and host 192.168.0.42", "vlan 7 and vlan 100 and udp port 53",
	"vlan and vlan", "tcp or vlan and tcp", "vlan or ip", "not vlan", "not (vlan and arp) and ip", "vlan and tcp[13] = 2", "vlan and ip6 and port 80",
	"vlan and ether[12:2] = 0x8100",
	"less 60", "greater 100", "less 0x40 or greater 1000", "len > 60", "len = 60", "len & 1 = 0",
	"tcp[tcpflags] & tcp-syn != 0", "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0", "tcp[tcpflags] == tcp-syn", "tcp[13] & 0x12 = 0x12",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) == (tcp-syn|tcp-ack)", "(tcp[13] & 7 != 0) or udp", "(tcp[13] & 7) != 0 or udp",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "tcp[tcpflags] & tcp-fin == 0 and port 80", "not tcp[13] & 2 != 0",
	"icmp[icmptype] = icmp-echo", "icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply", "icmp[icmpcode] = 0", "icmp[0] = 8 or icmp6[0] = 128",
	"icmp6[icmp6type] = icmp6-echo", "icmp6[0] = 135 or icmp6[0] = 136",
	"ip[0] & 0xf != 5", "ip[8] < 64", "ip[6:2] & 0x3fff != 0", "ip[2:2] > 1000", "ip[9] = 6", "ip6[6] = 44", "ip[0] * 4 = 276", "ip[12:4] = 0xc0a8000a",
	"arp[6:2] = 1", "arp[7] = 2", "rarp[0] = 0", "udp[4:2] > 20", "udp[0:2] = udp[2:2]", "sctp[0:2] = 80", "igmp[0] = 0x16",
	"ether[0] & 1 = 0", "ether[12:2] = 0x0800", "ether[len - 1] = 10", "ether[200] = 0 or ip", "not ether[70] = 0", "ip[ip[0] & 0xf * 4] >= 0",
	"1 = 1", "1 = 2", "2 > 1 and ip", "- 1 = 0xffffffff", "1 | 2 & 4 = 1", "2 * 7 % 4 = 6", "2 ^ 1 + 1 = 0", "1 << 31 != 0", "ip[8] << 1 >> 1 = 64",
	"ip and ip[2:2] + 14 < len", "tcp[0:2] > tcp[2:2]", "ip[10:2] % 3 = 1", "ip[10:2] ^ 0xffff & 0xff = 3", "ip[10:2] / ip[8] > 5", "ip[4:2] / ip[1] = 1",
	"tcp and not port 22 and (ip[2:2] - ((ip[0] & 0xf) << 2)) - ((tcp[12] & 0xf0) >> 2) != 0",
}

func TestFilterAgreesWithTcpdump(t *testing.T) {
	tcpdump := oracle(t, "tcpdump")
	if tcpdump == "" {
		return
	}
	frames := append(builtFrames(t), captureFrames(t, false)...)
	whole := len(frames)
	frames = append(frames, captureFrames(t, true)...)
	frames = append(frames, truncated(builtFrames(t))...)
	file, wholeFile := pcapOf(t, frames), pcapOf(t, frames[:whole])
	for _, expr := range agreed {
		t.Run(expr, func(t *testing.T) {
			t.Parallel()
			f, err := CompileFilter(expr)
			if err != nil {
				t.Fatal(err)
			}
			var ours []int
			for i, b := range frames {
				if f.Match(nil, b) {
					ours = append(ours, i)
				}
			}
			// libpcap's optimizer moves loads, so on truncated frames its choice is
			// not what the expression says; there we agree with the program before it.
			compareChoice(t, frames, ours, indexesOf(t, tcpdumpChoice(t, tcpdump, file, "-O", expr)))
			n, _ := slices.BinarySearch(ours, whole)
			compareChoice(t, frames, ours[:n], indexesOf(t, tcpdumpChoice(t, tcpdump, wholeFile, "", expr)))
		})
	}
}

func compareChoice(t *testing.T, frames [][]byte, ours, theirs []int) {
	t.Helper()
	for i, b := range frames {
		if us, them := slices.Contains(ours, i), slices.Contains(theirs, i); us != them {
			t.Fatalf("tcpdump matches %d frames, we match %d; frame %d: tcpdump %v, we %v\n%x", len(theirs), len(ours), i, them, us, b)
		}
	}
}

// pcapOf writes frames as a file in which a frame's time tells its index.
func pcapOf(t testing.TB, frames [][]byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := NewPcapWriter(&file, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range frames {
		if err := w.Packet(Packet{Meta: Meta{At: int64(i) * 1e6}, Length: len(b), Data: b}); err != nil {
			t.Fatal(err)
		}
	}
	return file.Bytes()
}

func indexesOf(t *testing.T, file []byte) (indexes []int) {
	t.Helper()
	err := ReadFile(bytes.NewReader(file), func(at int64, _ int, _ []byte) error {
		indexes = append(indexes, int(at/1e6))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return indexes
}

// tcpdumpChoice returns the capture of what tcpdump chooses. It refuses an
// expression that can never match; that is an empty choice.
func tcpdumpChoice(t *testing.T, tcpdump string, file []byte, flag, expr string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	args := []string{"-r", "-", "-w", "-", " " + expr}
	if flag != "" {
		args = append([]string{flag}, args...)
	}
	cmd := exec.CommandContext(t.Context(), tcpdump, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(file), &out, &errs
	if err := cmd.Run(); err != nil {
		if bytes.Contains(errs.Bytes(), []byte("expression rejects all packets")) {
			return pcapOf(t, nil)
		}
		t.Fatalf("tcpdump: %v: %s", err, errs.Bytes())
	}
	return out.Bytes()
}

// TestFilterRefusesWithTcpdump: what tcpdump refuses, we refuse.
func TestFilterRefusesWithTcpdump(t *testing.T) {
	tcpdump := oracle(t, "tcpdump")
	for _, expr := range []string{
		"192.168.0.1", "(10.0.0.1)", "tcp and 10.0.0.1", "(host 10.0.0.1) or 10.0.0.2", "net 10/8", "host", "port", "tcp port", "src",
		"ip6 host 10.0.0.1", "tcp host 10.0.0.1", "arp host fd00::1", "ether host 10.0.0.1", "host 02:00:00:00:00:01", "ether 02:00:00:00:00:01",
		"port 65536", "portrange 1-99999", "vlan 5000", "host 256.1.1.1", "net 10.1.2.3/8", "net 10.0.0.0/33", "net fd00::1/16", "ip port 80", "arp port 80",
		"port 80 or (81 or udp)", "host (10.0.0.1 or udp)", "tcp != 3", "len", "tcp[13]", "ip[2:3] = 1", "tcp[1:1+1] = 1", "1/0 = 1", "1 << 32 = 0", "udp proto 5", "tcp src 80",
		"tcp and", "or tcp", "not", "(tcp", "tcp)", "tcp udp", "port 080", "host 10.0.0.1 10.0.0.2", "host ::1/64", "less", "tcp[", "vlan and or", "@", "tcp ; udp",
		"icmp host 10.0.0.1", "ether broadcast multicast", "arp multicast",
	} {
		if f, err := CompileFilter(expr); err == nil {
			t.Errorf("%q compiles to %d tests", expr, len(f.prog.tests))
		}
		if tcpdump == "" {
			continue
		}
		if err := exec.CommandContext(t.Context(), tcpdump, "-y", "EN10MB", "-d", " "+expr).Run(); err == nil {
			t.Errorf("%q: tcpdump accepts it, so it belongs into another test", expr)
		}
	}
}
