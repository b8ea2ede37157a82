package linklocal

import (
	"testing"

	"enilab/internal/dataplane/frame"
)

func TestRegistry(t *testing.T) {
	var r *Registry[string]
	add := func(name string, at ...Endpoint) bool {
		next, ok := r.With(name, at...)
		r = next
		return ok
	}
	resolver := Endpoint{Place: Resolver, Proto: frame.ProtoUDP, Port: 53}
	if !add("metadata", Endpoint{Place: Fixed, Addr: Metadata, Proto: frame.ProtoTCP}) ||
		!add("dns", resolver, Endpoint{Place: Fixed, Addr: DNS, Proto: frame.ProtoUDP, Port: 53}) {
		t.Fatal("refused a first registration")
	}
	for _, taken := range [][]Endpoint{
		{resolver},
		{{Place: Router, Proto: frame.ProtoUDP, Port: 67}, resolver}, // nothing by half
		{{Place: Fixed, Addr: Metadata, Proto: frame.ProtoTCP, Port: 80}},
		{{Place: Fixed, Addr: DNS, Proto: frame.ProtoUDP}},
	} {
		if add("second", taken...) {
			t.Errorf("%v was registered twice", taken)
		}
	}
	for _, x := range []struct {
		at    Place
		addr  frame.IPv4
		proto uint8
		port  uint16
		want  string
		has   bool
	}{
		{Fixed, Metadata, frame.ProtoTCP, 80, "metadata", true},
		{Fixed, Metadata, frame.ProtoTCP, 443, "metadata", true},
		{Fixed, Metadata, frame.ProtoUDP, 80, "", true},
		{Fixed, DNS, frame.ProtoUDP, 53, "dns", true},
		{Fixed, DNS, frame.ProtoUDP, 54, "", true},
		{Fixed, DNS, frame.ProtoTCP, 53, "", true},
		{Fixed, Time, frame.ProtoUDP, 123, "", false},
		{Resolver, 0, frame.ProtoUDP, 53, "dns", true},
		{Router, 0, frame.ProtoUDP, 67, "", false},
		{Nowhere, 0, frame.ProtoUDP, 53, "", false},
	} {
		if got, has := r.Find(x.at, x.addr, x.proto, x.port), r.Has(x.at, x.addr); got != x.want || has != x.has {
			t.Errorf("%v: found %q, has %t", x, got, has)
		}
	}
	if r = r.Without("dns"); r.Has(Resolver, 0) || r.Has(Fixed, DNS) || !r.Has(Fixed, Metadata) {
		t.Error("dns has not gone alone")
	}
	if r = r.Without("metadata"); r != nil || r.Has(Fixed, Metadata) || r.Find(Fixed, Metadata, frame.ProtoTCP, 80) != "" || r.Without("x") != nil {
		t.Error("an empty registry is not nil")
	}
}

func TestAddresses(t *testing.T) {
	for a, want := range map[frame.IPv4]string{Metadata: "169.254.169.254", DNS: "169.254.169.253", Time: "169.254.169.123"} {
		if a.String() != want {
			t.Errorf("%s, want %s", a, want)
		}
	}
}
