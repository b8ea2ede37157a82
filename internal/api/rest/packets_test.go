package rest

import (
	"strings"
	"testing"

	"enilab/internal/control"
	"enilab/internal/dataplane/verdict"
)

func TestInjectTellsTheFate(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	sender := s.primary(s.two)
	for _, c := range []struct {
		name    string
		fields  map[string]any
		verdict verdict.Verdict
		reason  verdict.Reason
		hops    int
	}{
		{"nobody takes frames behind these instances' ports, but they are delivered",
			map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": 7}, verdict.Accept, verdict.Delivered, 4},
		{"a ping", map[string]any{"dst": "192.168.0.42", "protocol": "icmp"}, verdict.Accept, verdict.Delivered, 4},
		{"no rule for the port", map[string]any{"dst": "192.168.0.42", "protocol": "tcp", "dstPort": 23},
			verdict.Reject, verdict.IngressDenied, 3},
		{"a stolen address", map[string]any{"dst": "192.168.0.42", "src": "192.168.0.99", "protocol": "udp"},
			verdict.Reject, verdict.SpoofedIP, 1},
		{"a stolen MAC", map[string]any{"dst": "192.168.0.42", "srcMac": "02:00:00:00:00:01", "protocol": "udp"},
			verdict.Reject, verdict.SpoofedMAC, 1},
		{"nobody's address", map[string]any{"dst": "192.168.0.99", "protocol": "udp"}, verdict.Lost, verdict.NoMapping, 0},
		{"a tag", map[string]any{"dst": "192.168.0.42", "protocol": "udp", "tags": []int{7}}, verdict.Lost, verdict.Tagged, 1},
		{"too long", map[string]any{"dst": "192.168.0.42", "protocol": "udp", "length": 9016}, verdict.Lost, verdict.Oversize, 1},
		{"as long as can be", map[string]any{"dst": "192.168.0.42", "protocol": "udp", "length": 65535}, verdict.Lost, verdict.Oversize, 1},
		{"for all", map[string]any{"dst": "255.255.255.255", "protocol": "udp"}, verdict.Lost, verdict.Broadcast, 1},
		{"for all of the subnet", map[string]any{"dst": "192.168.0.255", "protocol": "udp"}, verdict.Lost, verdict.Broadcast, 1},
		{"for a group", map[string]any{"dst": "239.129.2.3", "protocol": "udp"}, verdict.Lost, verdict.Broadcast, 1},
		{"jumbo", map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": 7, "length": 9015}, verdict.Accept, verdict.Delivered, 4},
	} {
		got := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": sender, "fields": c.fields})
		if got.Verdict != c.verdict.String() || got.Reason != c.reason.String() || c.hops > 0 && len(got.Hops) != c.hops {
			t.Errorf("%s: %+v", c.name, got)
		}
		if got.Frame.Hex == "" || got.Frame.Tree == nil || got.ReasonText == "" {
			t.Errorf("%s: the frame is not shown: %+v", c.name, got)
		}
	}
	denied := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": sender,
		"fields": map[string]any{"dst": "192.168.0.42", "protocol": "tcp"}})
	if denied.Rule != "implicit deny" || denied.Code != "ENI_SG_RULES_MISMATCH" {
		t.Errorf("denied by %q (%s)", denied.Rule, denied.Code)
	}
	again := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": sender, "hex": denied.Frame.Hex})
	if again.Reason != denied.Reason {
		t.Errorf("the same frame as hex: %+v", again)
	}
	short := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": sender, "hex": "00:11 22\n33"})
	if short.Reason != verdict.Malformed.String() {
		t.Errorf("four bytes: %+v", short)
	}
	flows := call[FlowList](s.lab, "GET", "/network-interfaces/"+s.eni.ID+"/flows", nil)
	if flows.Total == 0 || len(flows.Items) != flows.Total || flows.Items[0].LocalAddress != "192.168.0.42" {
		t.Errorf("flows: %+v", flows)
	}
}

// TestInjectAnswers: the answer goes the way back, by the connection that the
// frame has made, which no rule would let in.
func TestInjectAnswers(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	for _, fields := range []map[string]any{
		{"dst": "192.168.0.42", "protocol": "udp", "dstPort": 7, "srcPort": 9999},
		{"dst": "192.168.0.42", "protocol": "icmp", "srcPort": 77},
		{"dst": "192.168.0.42", "protocol": "icmp", "srcPort": 78, "ipOptionsHex": "07 07 04 00000000", "mayFragment": true},
	} {
		got := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "fields": fields, "answer": true})
		a := got.Answer
		if a == nil || a.Reason != "delivered" || a.Hops[len(a.Hops)-1].NetworkInterfaceID != from || !strings.HasPrefix(a.Rule, "established") {
			t.Errorf("%v: %+v", fields, a)
		}
	}
	denied := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "answer": true,
		"fields": map[string]any{"dst": "192.168.0.42", "protocol": "tcp", "dstPort": 23}})
	if denied.Answer != nil {
		t.Errorf("what was denied was answered: %+v", denied.Answer)
	}
	odd := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "answer": true,
		"fields": map[string]any{"dst": "192.168.0.42", "protocol": "icmp", "icmpType": 13}})
	if odd.Answer != nil || !strings.Contains(odd.Frame.Hex, "0d00") {
		t.Errorf("a timestamp request: %+v", odd)
	}
}

func TestDecode(t *testing.T) {
	l := newLab(t)
	got := call[Decoding](l, "POST", "/packets/decode", map[string]any{
		"hex": "ffffffffffff 02000000000a 0806 0001 0800 06 04 0001 02000000000a c0a8000a 000000000000 c0a8002a"})
	if got.Error != "" || len(got.Tree.Layers) != 2 || got.Summary == "" {
		t.Errorf("an ARP request: %+v", got)
	}
	for _, broken := range []string{"", "00", "ffffffffffff02000000000a080045"} {
		if got := call[Decoding](l, "POST", "/packets/decode", map[string]any{"hex": broken}); got.Error == "" {
			t.Errorf("%q decodes: %+v", broken, got)
		}
	}
}

// TestInjectFollows: nobody answers for these instances, so that a frame that an
// interface without source/destination check gets is waited for in vain, and one
// that another gets is not waited for at all.
func TestInjectFollows(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	ask := func(port int) Injection {
		return call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": s.primary(s.two), "follow": true, "answer": true,
			"fields": map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": port}})
	}
	got := ask(7)
	if got.Ended != "arrived" || got.Followed != nil || got.Answer == nil || got.Answer.Ended != "arrived" {
		t.Errorf("to an interface with source/destination check: %q, %+v; answer %+v", got.Ended, got.Followed, got.Answer)
	}
	if again := ask(7); got.Frame.Hex[36:40] == "0000" || again.Frame.Hex[36:40] == got.Frame.Hex[36:40] {
		t.Errorf("identifications %s and %s", got.Frame.Hex[36:40], again.Frame.Hex[36:40])
	}
	if got := ask(23); got.Ended != "undelivered" || got.Reason != "ingress_denied" || got.Answer != nil {
		t.Errorf("what no rule lets in: %q, %s", got.Ended, got.Reason)
	}
	off := false
	if _, err := s.svc.ModifyInterface(t.Context(), control.ModifyInterfaceInput{ID: s.eni.ID, SourceDestCheck: &off}); err != nil {
		t.Fatal(err)
	}
	if got := ask(7); got.Ended != "arrived" || got.Reason != "delivered" || got.Answer == nil {
		t.Errorf("to an appliance itself: %q, %s; answer %+v", got.Ended, got.Reason, got.Answer)
	}
	beyond := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": s.primary(s.two), "follow": true,
		"fields": map[string]any{"dst": "10.9.9.9", "dstMac": s.eni.MACAddress, "protocol": "udp", "dstPort": 7}})
	if beyond.Ended != "silent" || beyond.Reason != "delivered" {
		t.Errorf("by way of a silent appliance: %q, %s", beyond.Ended, beyond.Reason)
	}
	plain := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": s.primary(s.two),
		"fields": map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": 7}})
	if plain.Ended != "" || plain.Frame.Hex[36:40] != "0000" {
		t.Errorf("not asked to follow: %q, %s", plain.Ended, plain.Frame.Hex)
	}
}
