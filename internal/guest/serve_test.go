package guest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane/spec"
)

// TestFurtherPortsAreServed: the guest listens where its spec says, answers
// with its name, and stops when the spec says so. Nothing else is open.
func TestFurtherPortsAreServed(t *testing.T) {
	r := newRig(t)
	c := r.lab.Host(clientID)
	dial := func(port uint16) (string, error) {
		who, _, err := getOn(t, r.ctx, c, clientAddr, netip.AddrPortFrom(service, port))
		return who, err
	}
	if _, err := dial(8080); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("port 8080 is not closed before anybody serves it: %v", err)
	}
	r.host(hostA, func(h *spec.Host) {
		h.Serve = []spec.ServedPort{{Protocol: "tcp", Port: 8080}, {Protocol: "udp", Port: 5000}, {Protocol: "tcp", Port: 80}}
	})
	for _, port := range []uint16{80, 8080} {
		if who, err := dial(port); err != nil || who != hostA {
			t.Errorf("port %d is answered by %q, %v; want %s", port, who, err, hostA)
		}
	}
	request := make([]byte, echoHeaderLen)
	echo{kind: echoRequest, flow: 7, seq: 1}.put(request)
	if reply, _ := exchangeOn(r, c, clientAddr, service, 5000, request); string(echoResponder(reply)) != hostA {
		t.Errorf("port 5000 answers an echo request with %q", reply)
	}
	if reply, _ := exchangeOn(r, c, clientAddr, service, 5000, []byte("plain")); string(reply) != "enilab "+hostA+"\nplain" {
		t.Errorf("port 5000 answers a plain datagram with %q", reply)
	}
	if slices.Contains(*r.lab.Host(hostA).udp.Load(), 5001) {
		t.Error("a port that nobody asked for is served")
	}
	r.host(hostA, func(h *spec.Host) { h.Serve = nil })
	if _, err := dial(8080); err == nil {
		t.Error("port 8080 is served after its spec is gone")
	}
	if who, err := dial(80); err != nil || who != hostA {
		t.Errorf("port 80 is answered by %q, %v after that", who, err)
	}
}

// TestAnswersAreNotAnswered: two instances that serve one UDP port must not
// keep each other busy.
func TestAnswersAreNotAnswered(t *testing.T) {
	if !isAnswer(append(answerTo(hostA), "plain"...)) || isAnswer([]byte("plain")) {
		t.Error("an answer is not told from a question")
	}
}
