package guest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

func TestPing(t *testing.T) {
	r := newRig(t)
	c := r.lab.Host(clientID)
	for _, to := range []netip.Addr{ownA, service, farAddr} {
		rtt, err := c.Ping(r.ctx, clientAddr, to, 77, 1, []byte("hello"))
		if err != nil || rtt <= 0 {
			t.Errorf("ping %s: %v, rtt %v", to, err, rtt)
		}
	}
	if _, err := c.Ping(r.brief(), clientAddr, netip.MustParseAddr("192.168.0.99"), 0, 1, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ping of nobody: %v, want deadline exceeded", err)
	}
	if _, err := c.Ping(r.ctx, ownA, service, 0, 1, nil); err == nil {
		t.Error("ping from an address of another host succeeded")
	}
}

// get asks for / over one connection from local, like any HTTP client.
func get(t *testing.T, ctx context.Context, h *Host, local, to netip.Addr) (header, body string, err error) {
	t.Helper()
	return getOn(t, ctx, h, local, netip.AddrPortFrom(to, httpPort))
}

func getOn(t *testing.T, ctx context.Context, h *Host, local netip.Addr, to netip.AddrPort) (header, body string, err error) {
	t.Helper()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return h.DialTCP(ctx, local, to)
	}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+to.String()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.Header.Get(instanceHeader), string(b), err
}

func TestWebServerNamesItsInstance(t *testing.T) {
	r := newRig(t)
	for to, want := range map[netip.Addr]string{ownA: hostA, service: hostA, ownB: hostB, farAddr: farHost} {
		header, body, err := get(t, r.ctx, r.lab.Host(clientID), clientAddr, to)
		if err != nil || header != want || body != want+"\n" {
			t.Errorf("%s answers %q, %q, %v; want %s", to, header, body, err, want)
		}
	}
}

// exchange sends one datagram to port 7 and returns the answer and who sent it.
func exchange(r *rig, h *Host, local, to netip.Addr, payload []byte) (reply []byte, from netip.Addr) {
	r.t.Helper()
	return exchangeOn(r, h, local, to, echoPort, payload)
}

func exchangeOn(r *rig, h *Host, local, to netip.Addr, port uint16, payload []byte) (reply []byte, from netip.Addr) {
	r.t.Helper()
	wq := new(waiter.Queue)
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)
	ep, err := h.open(udp.ProtocolNumber, netip.AddrPortFrom(local, 0), wq, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	defer ep.Close()
	if _, err := ep.Write(bytes.NewReader(payload), tcpip.WriteOptions{To: &tcpip.FullAddress{Addr: address(to), Port: port}}); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-ready:
	case <-r.ctx.Done():
		r.t.Fatalf("no echo from %s", to)
	}
	var b bytes.Buffer
	res, terr := ep.Read(&b, tcpip.ReadOptions{NeedRemoteAddr: true})
	if terr != nil {
		r.t.Fatal(terr)
	}
	return b.Bytes(), addrOf(res.RemoteAddr.Addr)
}

func TestEchoServer(t *testing.T) {
	r := newRig(t)
	c := r.lab.Host(clientID)

	request := bytes.Repeat([]byte{0xee}, 64)
	echo{kind: echoRequest, flow: 7, seq: 1 << 40, sent: 99}.put(request)
	reply, from := exchange(r, c, clientAddr, service, request)
	if from != service {
		t.Errorf("echo from %s, want the address asked, %s", from, service)
	}
	e, ok := echoOf(reply)
	if want := (echo{kind: echoReply, flow: 7, seq: 1 << 40, sent: 99}); !ok || e != want {
		t.Errorf("echo header %+v, want %+v", e, want)
	}
	if got := string(echoResponder(reply)); got != hostA {
		t.Errorf("responder %q, want %s", got, hostA)
	}
	if !bytes.Equal(reply[echoHeaderLen:], request[echoHeaderLen:]) {
		t.Error("padding changed")
	}
	if reply, _ := exchange(r, c, clientAddr, service, []byte("plain")); string(reply) != "plain" {
		t.Errorf("plain datagram echoed as %q", reply)
	}
}

// TestEchoServerKeepsSilent about datagrams with a wrong checksum and about
// those of another echo server, which would bounce for ever.
func TestEchoServerKeepsSilent(t *testing.T) {
	r := newRig(t)
	w := newWire()
	w.there.Src, w.there.Dst = 0x020000000210, 0x020000000242
	forged := frame.AppendUDP(nil, w.there, 1000, echoPort, []byte("data"))
	forged[len(forged)-1]++
	for name, f := range map[string][]byte{
		"wrong checksum": forged,
		"echo server":    frame.AppendUDP(nil, w.there, echoPort, echoPort, []byte("data")),
	} {
		before, _ := r.engine.VNICCounters("eni-service")
		tr, err := r.engine.Inject(r.ctx, "eni-c", f)
		if err != nil || tr.Reason != verdict.Delivered {
			t.Fatalf("%s: %v, %v", name, tr.Reason, err)
		}
		// The host answers a ping after what came before it.
		if _, err := r.lab.Host(clientID).Ping(r.ctx, clientAddr, service, 0, 1, nil); err != nil {
			t.Fatal(err)
		}
		after, _ := r.engine.VNICCounters("eni-service")
		if after.RxFrames-before.RxFrames != 2 && after.RxFrames-before.RxFrames != 3 { // with an ARP reply
			t.Fatalf("%s: %d frames reached the host", name, after.RxFrames-before.RxFrames)
		}
		if n := after.TxFrames - before.TxFrames; n != after.RxFrames-before.RxFrames-1 {
			t.Errorf("%s: the host sent %d frames for %d", name, n, after.RxFrames-before.RxFrames)
		}
	}
}

// TestJumboPacket holds that an IP packet of 9001 bytes crosses unfragmented.
func TestJumboPacket(t *testing.T) {
	r := newRig(t)
	c := r.lab.Host(clientID)
	ep, terr := c.stack.GetNetworkEndpoint(c.nics[0].id, ipv4.ProtocolNumber)
	if terr != nil || ep.MTU() != 9001-20 {
		t.Errorf("room for IP payload is %d (%v), want 8981", ep.MTU(), terr)
	}
	before, _ := r.engine.VNICCounters("eni-c")
	if _, err := c.Ping(r.ctx, clientAddr, ownA, 1, 1, make([]byte, 9001-20-8)); err != nil {
		t.Fatal(err)
	}
	after, _ := r.engine.VNICCounters("eni-c")
	if frames, bytes := after.TxFrames-before.TxFrames, after.TxBytes-before.TxBytes; frames > 2 || bytes < 9001+14 {
		t.Errorf("%d frames of %d bytes, want one of 9015 and at most an ARP request", frames, bytes)
	}
}

// TestBootIsSilent: a host that boots sends nothing of its own accord.
func TestBootIsSilent(t *testing.T) {
	r := newRig(t)
	if tot := r.engine.Totals(); tot.TxFrames != 0 {
		t.Errorf("hosts sent %d frames while booting", tot.TxFrames)
	}
}

func TestOwnAddressStaysInside(t *testing.T) {
	r := newRig(t)
	if _, err := r.lab.Host(hostA).Ping(r.ctx, ownA, service, 1, 1, nil); err != nil {
		t.Errorf("ping between two addresses of a host: %v", err)
	}
	if tot := r.engine.Totals(); tot.TxFrames != 0 {
		t.Errorf("%d frames left the host", tot.TxFrames)
	}
}

// TestSourceChoosesNIC: with two NICs in one subnet, each address is served
// and spoken through its own; the engine would refuse anything else.
func TestSourceChoosesNIC(t *testing.T) {
	r := newRig(t)
	for _, local := range []netip.Addr{ownA, service} {
		if _, err := r.lab.Host(hostA).Ping(r.ctx, local, clientAddr, 5, 1, nil); err != nil {
			t.Errorf("ping from %s: %v", local, err)
		}
	}
	for _, id := range []string{"eni-a", "eni-service"} {
		if c, _ := r.engine.VNICCounters(id); c.TxFrames == 0 {
			t.Errorf("nothing left through %s", id)
		}
	}
}

func TestHostWithoutNIC(t *testing.T) {
	r := newRig(t)
	lone := "i-00000000000000a10"
	r.apply(spec.Delta{Hosts: []spec.Host{r.on(lone)}})
	h := r.lab.Host(lone)
	if h == nil || h.stack != nil {
		t.Fatalf("host %+v, want one without a stack", h)
	}
	if _, err := h.DialTCP(r.ctx, netip.Addr{}, netip.AddrPortFrom(service, 80)); !errors.Is(err, errNoNIC) {
		t.Errorf("dialing: %v, want %v", err, errNoNIC)
	}
}
