package control

import (
	"net/netip"
	"testing"
)

func TestDeparturesAreBounded(t *testing.T) {
	var d departures
	addr := func(i int) subnetAddr {
		return subnetAddr{"subnet-a", netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
	}
	for i := range 3 * maxDepartures {
		d.leave(addr(0), "eni-restless")
		d.leave(addr(1+i), "eni-other")
	}
	if len(d.last) > maxDepartures || len(d.order) > 2*maxDepartures {
		t.Errorf("%d remembered, %d in order", len(d.last), len(d.order))
	}
	if _, known := d.last[addr(0)]; !known {
		t.Error("an address that left a moment ago is forgotten")
	}
}
