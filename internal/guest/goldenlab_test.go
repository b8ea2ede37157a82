package guest

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

const realServer frame.MAC = 0x020000000042

// realNetwork is the network of the captures' README: two hosts of a subnet,
// and one behind its router. The server takes ping, echo and DNS over UDP, and
// HTTP unless that is closed; the client takes nothing but answers.
func realNetwork(closed bool) spec.Delta {
	vpc := netip.MustParsePrefix("192.168.0.0/16")
	rule := func(name string, id verdict.RuleID, proto int16, port int32, from netip.Prefix) spec.Rule {
		return spec.Rule{Name: name, Rule: secgroup.Rule{ID: id, Proto: proto, From: port, To: port, Prefix: from}}
	}
	serves := []spec.Rule{
		rule("sgr-icmp", 16, int16(frame.ProtoICMP), -1, vpc),
		rule("sgr-echo", 17, int16(frame.ProtoUDP), 7, vpc),
		rule("sgr-dns", 18, int16(frame.ProtoUDP), 53, vpc),
	}
	if !closed {
		serves = append(serves, rule("sgr-http", 19, int16(frame.ProtoTCP), 80, vpc))
	}
	out := []spec.Rule{rule("sgr-out", 20, secgroup.AllProtocols, 0, anywhere)}
	at := func(id string, mac int, subnet, group, host, addr string) spec.VNIC {
		v := vnic(id, mac, subnet, host, 0, netip.MustParseAddr(addr))
		v.Groups = []string{group}
		return v
	}
	return spec.Delta{
		Generation: 1,
		Subnets: []spec.Subnet{
			{ID: "subnet-a", VPC: "vpc-1", Zone: "a", CIDR: netip.MustParsePrefix("192.168.0.0/24"), VPCCIDRs: []netip.Prefix{vpc}, RouterMAC: 0x020000000001},
			{ID: "subnet-b", VPC: "vpc-1", Zone: "a", CIDR: netip.MustParsePrefix("192.168.1.0/24"), VPCCIDRs: []netip.Prefix{vpc}, RouterMAC: 0x020000000101},
		},
		Groups: []spec.Group{
			{ID: "sg-server", Ref: 1, Ingress: serves, Egress: out},
			{ID: "sg-client", Ref: 2, Egress: out},
		},
		VNICs: []spec.VNIC{
			at("eni-client", 0x10, "subnet-a", "sg-client", clientID, "192.168.0.10"),
			at("eni-server", 0x42, "subnet-a", "sg-server", hostA, "192.168.0.42"),
			at("eni-far", 0x110, "subnet-b", "sg-server", farHost, "192.168.1.10"),
		},
		Hosts: []spec.Host{
			{ID: clientID, Power: spec.PowerOn, Boot: 1},
			{ID: hostA, Power: spec.PowerOn, Boot: 1},
			{ID: farHost, Power: spec.PowerOn, Boot: 1},
		},
	}
}

// handedOver writes what a tap has seen as pcapng.
func handedOver(t *testing.T, e *dataplane.Engine, watch *tap.Tap) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := tap.NewNgWriter(&b, e, 0, "replay")
	if err != nil {
		t.Fatal(err)
	}
	if _, lost := watch.Read(func(p tap.Packet) {
		if err := w.Packet(p); err != nil {
			t.Fatal(err)
		}
	}); lost != 0 {
		t.Fatalf("the tap lost %d frames", lost)
	}
	return b.Bytes()
}

// checkCopy: the capture of a replay is what was sent, bytes and times.
func checkCopy(t *testing.T, r replayed) {
	t.Helper()
	n := 0
	if err := tap.ReadFile(bytes.NewReader(r.capture), func(at int64, length int, b []byte) error {
		if n == len(r.sent) {
			return fmt.Errorf("more than the %d frames sent", n)
		}
		if want := r.sent[n]; at != want.at || length != len(want.data) || !bytes.Equal(b, want.data) {
			return fmt.Errorf("frame %d of the file came out at %d with %d of %d bytes", want.index, at, len(b), length)
		}
		n++
		return nil
	}); err != nil {
		t.Error(err)
	} else if n != len(r.sent) {
		t.Errorf("%d frames captured of %d sent", n, len(r.sent))
	}
}

// judgeCopy: tshark finds no fault in a frame of the copy that it does not
// find in the original.
func judgeCopy(t *testing.T, r replayed) {
	t.Helper()
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tshark is not installed, and CI must not go without it")
		}
		t.Log("NOT CHECKED against tshark: it is not installed")
		return
	}
	original, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	before := dissect(t, tshark, original)
	after := dissect(t, tshark, r.capture)
	if len(after) != len(r.sent) {
		t.Fatalf("tshark reads %d frames of the copy, want %d", len(after), len(r.sent))
	}
	for i, f := range r.sent {
		if before[f.index] != after[i] {
			t.Errorf("frame %d: tshark says %q of the original and %q of the copy", f.index, before[f.index], after[i])
		}
	}
}

// dissect returns what tshark makes of each frame: its protocols, and what is
// malformed in it.
func dissect(t *testing.T, tshark string, file []byte) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, tshark, "-n", "-r", "-", "-T", "fields", "-e", "frame.protocols", "-e", "frame.len", "-e", "_ws.malformed")
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(file), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v\n%s", err, errs.Bytes())
	}
	return slices.Collect(strings.Lines(string(out)))
}

// differ shows the lines in which two texts differ, "" if they do not.
func differ(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for i := range max(len(w), len(g)) {
		var was, is string
		if i < len(w) {
			was = w[i]
		}
		if i < len(g) {
			is = g[i]
		}
		if was != is {
			fmt.Fprintf(&b, "-%s\n+%s\n", was, is)
		}
	}
	return b.String()
}
