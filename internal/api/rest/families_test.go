package rest

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/verdict"
)

type ruleNames struct{ Engine }

func (ruleNames) RuleName(verdict.RuleID) string { return "sgr-1" }

// Connections and translations are listed with the addresses and ICMP fields of their family.
func TestFlowsOfBothFamilies(t *testing.T) {
	s := &Server{opt: Options{Engine: ruleNames{}}}
	for _, c := range []struct {
		local, remote string
		proto         uint8
		want          string
	}{
		{"192.168.0.10", "192.168.0.42", 1, `"protocol":"icmp","localAddress":"192.168.0.10","remoteAddress":"192.168.0.42","icmpType":8,"icmpId":7`},
		{"2001:db8::a", "2001:db8::2a", 58, `"protocol":"icmpv6","localAddress":"2001:db8::a","remoteAddress":"2001:db8::2a","icmpType":8,"icmpId":7`},
		{"2001:db8::a", "2001:db8::2a", 6, `"protocol":"tcp","localAddress":"2001:db8::a","localPort":9,"remoteAddress":"2001:db8::2a","remotePort":80`},
	} {
		b, err := json.Marshal(s.flowView(conntrack.FlowInfo{
			Local: netip.MustParseAddr(c.local), Remote: netip.MustParseAddr(c.remote), LocalPort: 9, RemotePort: 80, ICMPType: 8, ICMPID: 7, Proto: c.proto,
		}))
		if err != nil || !strings.Contains(string(b), c.want) {
			t.Errorf("%s, %v; want %s", b, err, c.want)
		}
	}
	v := natFlowView(nat.Flow{Inside: netip.MustParseAddr("2001:db8::a"), Outside: 0x0a000009, Remote: 0xc6336401, Proto: 17, State: nat.UDP})
	if v.Address != "2001:db8::a" || v.NATAddress != "10.0.0.9" || v.RemoteAddress != "198.51.100.1" {
		t.Errorf("listed %+v", v)
	}
}
