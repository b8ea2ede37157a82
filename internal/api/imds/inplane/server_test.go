package inplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/api/imds"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
	"enilab/internal/services/stacks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // bound of every wait; never reached by a good run

var metadata = netip.MustParseAddrPort("169.254.169.254:80")

// rig is an engine with guests that may send nothing and receive nothing, and
// metadata whose answers tell what was asked by whom.
type rig struct {
	t      *testing.T
	ctx    context.Context
	engine *dataplane.Engine
	plane  *guest.Plane
	server *Server
	gen    uint64
	clock  atomic.Int64 // what Options.Now says, Unix nanoseconds
	hops   int
}

func newRig(t *testing.T, max int) *rig {
	start := time.Now()
	now := func() int64 { return start.UnixNano() + int64(time.Since(start)) }
	r := &rig{t: t}
	r.clock.Store(start.UnixNano())
	r.engine = dataplane.New(dataplane.Options{Workers: 2, Now: now, Seed: 1})
	lab := guest.NewLab(guest.Options{Engine: r.engine, Now: now, Seed: 1})
	r.plane = &guest.Plane{Engine: r.engine, Lab: lab}
	var err error
	if r.server, err = New(Options{Engine: r.engine, Answer: r.answer, MaxStacks: max, Now: func() time.Time { return time.Unix(0, r.clock.Load()) }}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.ctx = ctx
	t.Cleanup(cancel)

	// After the others, for the sum is exact only when no worker runs.
	t.Cleanup(func() {
		if n := r.engine.Totals().Unaccounted(); n != 0 {
			t.Errorf("%d frames unaccounted for", n)
		}
	})
	r.start("engine", func(ctx context.Context) error { r.engine.Start(ctx); r.engine.Wait(); return nil })
	r.start("guests", lab.Run)
	r.start("metadata", r.server.Run)
	sub := func(id, vpc string, router frame.MAC) spec.Subnet {
		cidr := netip.MustParsePrefix("192.168.0.0/24")
		return spec.Subnet{ID: id, VPC: vpc, CIDR: cidr, VPCCIDRs: []netip.Prefix{cidr}, RouterMAC: router}
	}
	r.apply(spec.Delta{
		Subnets: []spec.Subnet{sub("subnet-1", "vpc-1", 0x0200000000a1), sub("subnet-2", "vpc-2", 0x0200000000b1)},
		Groups: []spec.Group{
			{ID: "sg-nothing", Ref: 1},
			{ID: "sg-all", Ref: 2, Egress: []spec.Rule{{Name: "sgr-1", Rule: secgroup.Rule{
				ID: 16, Proto: secgroup.AllProtocols, Prefix: netip.MustParsePrefix("0.0.0.0/0")}}}},
		},
		VNICs: []spec.VNIC{
			vnic("eni-a", 0x21, "subnet-1", "i-0000000000000000a", 0, "192.168.0.21"),
			vnic("eni-s", 0x42, "subnet-1", "i-0000000000000000a", 1, "192.168.0.42"),
			vnic("eni-b", 0x22, "subnet-1", "i-0000000000000000b", 0, "192.168.0.22"),
			vnic("eni-x", 0x31, "subnet-2", "i-0000000000000000f", 0, "192.168.0.21"), // as eni-a, in another VPC
		},
		Hosts: []spec.Host{on("i-0000000000000000a"), on("i-0000000000000000b"), on("i-0000000000000000f")},
	})
	if _, err := r.get("i-0000000000000000a", "192.168.0.21", "/"); err != nil {
		t.Fatal(err)
	}
	return r
}

func vnic(id string, mac int, subnet, host string, index int, addr string) spec.VNIC {
	return spec.VNIC{
		ID: id, MAC: frame.MAC(0x02_00_00_00_00_00 | mac), Subnet: subnet, Addrs: []netip.Addr{netip.MustParseAddr(addr)},
		Groups: []string{"sg-nothing"}, SourceDestCheck: true, Host: host, DeviceIndex: index,
	}
}

func on(id string) spec.Host {
	return spec.Host{ID: id, Power: spec.PowerOn, Boot: 1}
}

func (r *rig) start(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	r.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("%s: %v", name, err)
		}
	})
}

func (r *rig) apply(d spec.Delta) {
	r.t.Helper()
	r.gen++
	d.Generation = r.gen
	if _, err := r.plane.Apply(r.ctx, d); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) answer(q imds.Request) *imds.Response {
	resp := &imds.Response{
		Status: 200, Header: http.Header{"Content-Type": {"text/plain"}, "Server": {"EC2ws"}},
		Body: fmt.Sprintf("%s %s %s %s", q.Instance, q.Method, q.Path, strings.Join(q.Header("X-Two"), "+")),
	}
	if q.Method == http.MethodPut {
		resp.HopLimit = r.hops
	}
	return resp
}

// client is an HTTP client in a guest, bound to one of its addresses.
func (r *rig) client(host, local string) *http.Client {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		h := r.plane.Lab.Host(host)
		if h == nil {
			return nil, fmt.Errorf("no host %s", host)
		}
		return h.DialTCP(ctx, netip.MustParseAddr(local), metadata)
	}}
	r.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (r *rig) do(c *http.Client, method, path string) (*http.Response, string, error) {
	req, err := http.NewRequestWithContext(r.ctx, method, "http://169.254.169.254"+path, nil)
	if err != nil {
		return nil, "", err
	}
	req.Header["X-Two"] = []string{"one", "two"}
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

// get asks over a connection of its own.
func (r *rig) get(host, local, path string) (string, error) {
	c := r.client(host, local)
	defer c.CloseIdleConnections()
	_, body, err := r.do(c, http.MethodGet, path)
	return body, err
}

// Every interface of every guest reaches metadata, whatever its groups refuse,
// and is told apart by its attachment even where addresses are the same.
func TestEveryInterfaceIsAnsweredForItsInstance(t *testing.T) {
	r := newRig(t, 0)
	for _, x := range []struct{ host, local string }{
		{"i-0000000000000000a", "192.168.0.21"}, {"i-0000000000000000a", "192.168.0.42"},
		{"i-0000000000000000b", "192.168.0.22"}, {"i-0000000000000000f", "192.168.0.21"},
	} {
		body, err := r.get(x.host, x.local, "//latest//meta-data/%6dac/?x=1")
		if want := x.host + " GET //latest//meta-data/%6dac/ one+two"; err != nil || body != want {
			t.Errorf("%s from %s: %q, %v; want %q", x.host, x.local, body, err, want)
		}
	}
	tot := r.engine.Totals()
	for why, n := range tot.Dropped {
		if n > 0 && verdict.Reason(why) != verdict.ARPAnswered {
			t.Errorf("%d frames dropped as %s, want none", n, verdict.Reason(why))
		}
	}
	for _, id := range []string{"eni-a", "eni-s", "eni-b", "eni-x"} {
		if _, n, err := r.engine.Flows(id, 0); err != nil || n != 0 {
			t.Errorf("%s tracks %d connections (%v), want none", id, n, err)
		}
	}
}

func TestHeadHasNoBody(t *testing.T) {
	r := newRig(t, 0)
	resp, body, err := r.do(r.client("i-0000000000000000a", "192.168.0.21"), http.MethodHead, "/latest")
	if err != nil || body != "" || resp.ContentLength != int64(len("i-0000000000000000a HEAD /latest one+two")) || resp.Header.Get("Server") != "EC2ws" {
		t.Errorf("HEAD: %+v %q %v", resp, body, err)
	}
}

// The hop limit is the TTL of the packets that carry the answer to a PUT, and
// of no other answer on the same connection.
func TestHopLimitIsTheTTLOfTheAnswer(t *testing.T) {
	for _, hops := range []int{1, 2, 64, 0} {
		r := newRig(t, 0)
		r.hops = hops
		w := tap.New(tap.Config{Points: verdict.GuestRX, Workers: 2})
		r.engine.AddTap(w, []string{"eni-b"})
		c := r.client("i-0000000000000000b", "192.168.0.22")
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodGet} {
			if _, _, err := r.do(c, method, "/"+method); err != nil {
				t.Fatal(err)
			}
		}
		r.engine.RemoveTap(w)
		ttl := map[string]int{}
		w.Read(func(p tap.Packet) {
			var v frame.View
			if v.Parse(p.Data) != frame.KindIPv4 || v.Proto != frame.ProtoTCP {
				return
			}
			for _, method := range []string{http.MethodGet, http.MethodPut} {
				if strings.Contains(string(p.Data), " "+method+" /") {
					ttl[method] = int(v.TTL)
				}
			}
			if v.TCPFlags&frame.TCPSyn != 0 {
				ttl["SYN"] = int(v.TTL)
			}
		})
		want := hops
		if hops == 0 {
			want = 64
		}
		if ttl[http.MethodPut] != want || ttl[http.MethodGet] != 64 || ttl["SYN"] != 64 {
			t.Errorf("hop limit %d: TTLs %v", hops, ttl)
		}
	}
}

// stackOf returns the stack that answers an attachment, nil if there is none.
func (r *rig) stackOf(host string, index int) *stacks.Session {
	return r.server.stacks.Session(r.engine.Port(host, index))
}

func TestIdleStacksEnd(t *testing.T) {
	const idle, busy = "i-0000000000000000a", "i-0000000000000000b"
	r := newRig(t, 0)
	c := r.client(busy, "192.168.0.22") // keeps its connection
	if _, _, err := r.do(c, http.MethodGet, "/"); err != nil {
		t.Fatal(err)
	}
	if n := r.server.stacks.Len(); n != 2 {
		t.Fatalf("%d stacks run, want those of eni-a and eni-b", n)
	}
	last := r.clock.Load()
	r.server.stacks.Sweep(time.Unix(0, last+int64(stacks.IdleTime)-1))
	if n := r.server.stacks.Len(); n != 2 {
		t.Errorf("%d stacks run before their time, want 2", n)
	}
	// The last frames of the idle guest's connection may still be on their way,
	// and count from when they come.
	asked := r.stackOf(busy, 0)
	for r.stackOf(idle, 0) != nil {
		r.clock.Add(int64(stacks.IdleTime))
		if _, _, err := r.do(c, http.MethodGet, "/"); err != nil {
			t.Fatalf("while an idle stack runs: %v", err)
		}
		r.server.stacks.Sweep(time.Unix(0, r.clock.Load()))
		if r.stackOf(busy, 0) != asked {
			t.Fatal("the stack that was asked has ended")
		}
	}
	if n := r.server.stacks.Len(); n != 1 {
		t.Errorf("%d stacks run, want the one that was asked", n)
	}
	r.server.stacks.Sweep(time.Unix(0, r.clock.Load()+int64(stacks.IdleTime)))
	if n := r.server.stacks.Len(); n != 0 {
		t.Errorf("%d stacks run, want none", n)
	}
	if body, err := r.get(idle, "192.168.0.21", "/again"); err != nil || !strings.Contains(body, "/again") {
		t.Errorf("after the end: %q, %v", body, err)
	}
}

// What is left of a connection whose stack has ended, and what metadata does
// not serve, is reset, and neither starts a stack nor ends another's. The
// answers are RFC 9293's, section 3.10.7.1.
func TestSegmentsOfNoConnection(t *testing.T) {
	const host = "i-0000000000000000b"
	r := newRig(t, 1)
	others := r.stackOf("i-0000000000000000a", 0)
	w := tap.New(tap.Config{Points: verdict.GuestRX, Workers: 2})
	r.engine.AddTap(w, []string{"eni-b"})
	defer r.engine.RemoveTap(w)
	port := r.engine.Port(host, 0)
	h := frame.Header{Dst: port.Subnet().RouterMAC, Src: port.VNIC().MAC, SrcIP: 192<<24 | 168<<16 | 22, DstIP: linklocal.Metadata}
	// A guest's stack resets what it does not know, so each is from a port of its own.
	for i, x := range []struct {
		name    string
		seg     frame.Segment
		payload string
		bad     bool // checksum
		want    *frame.Segment
	}{
		{name: "a reset", seg: frame.Segment{DstPort: 80, Seq: 1, Flags: frame.TCPRst}},
		{name: "a reset with an acknowledgement", seg: frame.Segment{DstPort: 80, Seq: 1, Ack: 9, Flags: frame.TCPRst | frame.TCPAck}},
		{name: "a damaged one", seg: frame.Segment{DstPort: 80, Seq: 1, Flags: frame.TCPSyn}, bad: true},
		{name: "an acknowledgement", seg: frame.Segment{DstPort: 80, Seq: 7, Ack: 1000, Flags: frame.TCPAck},
			want: &frame.Segment{Seq: 1000, Flags: frame.TCPRst}},
		{name: "an end", seg: frame.Segment{DstPort: 80, Seq: 7, Ack: 1000, Flags: frame.TCPFin | frame.TCPAck},
			want: &frame.Segment{Seq: 1000, Flags: frame.TCPRst}},
		{name: "a request", seg: frame.Segment{DstPort: 80, Seq: 7, Ack: 1000, Flags: frame.TCPPsh | frame.TCPAck}, payload: "GET / HTTP/1.1\r\n\r\n",
			want: &frame.Segment{Seq: 1000, Flags: frame.TCPRst}},
		{name: "an answer to no call", seg: frame.Segment{DstPort: 80, Seq: 7, Ack: 1000, Flags: frame.TCPSyn | frame.TCPAck},
			want: &frame.Segment{Seq: 1000, Flags: frame.TCPRst}},
		{name: "an end without an acknowledgement", seg: frame.Segment{DstPort: 80, Seq: 7, Flags: frame.TCPFin}, payload: "abc",
			want: &frame.Segment{Ack: 7 + 3 + 1, Flags: frame.TCPRst | frame.TCPAck}},
		{name: "a call to another port", seg: frame.Segment{DstPort: 81, Seq: 0xffff_ffff, Flags: frame.TCPSyn},
			want: &frame.Segment{Ack: 0, Flags: frame.TCPRst | frame.TCPAck}},
	} {
		x.seg.SrcPort = uint16(2000 + i)
		b := frame.AppendTCP(nil, h, x.seg, []byte(x.payload))
		if x.bad {
			b[len(b)-1] ^= 1
		}
		frames := [][]byte{b}
		if x.want == nil { // then the answer to another tells that its turn has passed
			frames = append(frames, frame.AppendTCP(nil, h, frame.Segment{SrcPort: 1999, DstPort: 80, Ack: 5, Flags: frame.TCPAck}, nil))
			x.seg.SrcPort, x.seg.DstPort, x.want = 1999, 80, &frame.Segment{Seq: 5, Flags: frame.TCPRst}
		}
		if n := port.Send(frames); n != len(frames) {
			t.Fatalf("%s: %d frames taken", x.name, n)
		}
		var got []frame.View
		for len(got) == 0 {
			select {
			case <-w.Ready():
			case <-r.ctx.Done():
				t.Fatalf("%s: no answer", x.name)
			}
			w.Read(func(p tap.Packet) {
				var v frame.View
				v.Parse(p.Data)
				got = append(got, v)
				if frame.L4Checksum(v.SrcIP, v.DstIP, frame.ProtoTCP, p.Data[v.L4:v.End]) != 0 {
					t.Errorf("%s: the answer %x is damaged", x.name, p.Data)
				}
			})
		}
		v := got[0]
		if len(got) != 1 || v.SrcIP != h.DstIP || v.DstIP != h.SrcIP || v.Src != h.Dst || v.Dst != h.Src ||
			v.SrcPort != x.seg.DstPort || v.DstPort != x.seg.SrcPort ||
			v.TCPFlags != x.want.Flags || v.TCPSeq != x.want.Seq || v.TCPAckNo != x.want.Ack {
			t.Errorf("%s: answered with %+v, want %+v", x.name, got, x.want)
		}
		if r.stackOf(host, 0) != nil || r.stackOf("i-0000000000000000a", 0) != others {
			t.Fatalf("%s changed which stacks run", x.name)
		}
	}
}

func TestStacksAreBounded(t *testing.T) {
	r := newRig(t, 2)
	for i, x := range []struct{ host, local string }{
		{"i-0000000000000000b", "192.168.0.22"}, {"i-0000000000000000f", "192.168.0.21"}, {"i-0000000000000000a", "192.168.0.42"},
	} {
		r.clock.Add(1e9)
		if body, err := r.get(x.host, x.local, "/"); err != nil || !strings.HasPrefix(body, x.host) {
			t.Errorf("%s: %q, %v", x.host, body, err)
		}
		if n := r.server.stacks.Len(); n != 2 {
			t.Errorf("%d stacks run after %d more guests, want 2", n, i+1)
		}
	}
}

// An ENI that moves is answered for its new instance, and the stack of the old
// attachment ends.
func TestMovedInterface(t *testing.T) {
	r := newRig(t, 0)
	if body, err := r.get("i-0000000000000000a", "192.168.0.42", "/"); err != nil || !strings.HasPrefix(body, "i-0000000000000000a ") {
		t.Fatalf("%q, %v", body, err)
	}
	r.apply(spec.Delta{VNICs: []spec.VNIC{vnic("eni-s", 0x42, "subnet-1", "i-0000000000000000b", 1, "192.168.0.42")}})
	if body, err := r.get("i-0000000000000000b", "192.168.0.42", "/"); err != nil || !strings.HasPrefix(body, "i-0000000000000000b ") {
		t.Errorf("%q, %v", body, err)
	}
	r.server.stacks.Sweep(time.Unix(0, r.clock.Load()))
	if n := r.server.stacks.Len(); n != 2 {
		t.Errorf("%d stacks run, want those of eni-a and the new attachment", n)
	}
}

// A ping and another port are no part of the service.
func TestOnlyHTTPIsServed(t *testing.T) {
	r := newRig(t, 0)
	h := r.plane.Lab.Host("i-0000000000000000a")
	before := r.engine.Totals()
	if _, err := h.DialTCP(r.ctx, netip.Addr{}, netip.MustParseAddrPort("169.254.169.254:443")); err == nil || r.ctx.Err() != nil {
		t.Errorf("port 443: %v, want a refusal at once", err)
	}
	ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := h.Ping(ctx, netip.Addr{}, metadata.Addr(), 0, 1, nil); err == nil {
		t.Error("a ping was answered")
	}
	after := r.engine.Totals()
	if after.LinkLocal-before.LinkLocal < 1 || after.Dropped[verdict.NoService]-before.Dropped[verdict.NoService] != 1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// One engine has one metadata service.
func TestSecondServerIsRefused(t *testing.T) {
	r := newRig(t, 0)
	if _, err := New(Options{Engine: r.engine, Answer: r.answer}); !errors.Is(err, dataplane.ErrServing) {
		t.Errorf("a second server: %v, want %v", err, dataplane.ErrServing)
	}
}
