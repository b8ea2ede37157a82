package control

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"enilab/internal/dataplane/spec"
)

func TestWorkloadRefusals(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	good := spec.Workload{Name: "w", Kind: spec.WorkloadHTTP, Target: netip.MustParseAddr("192.168.0.42"), Rate: 10, Connections: 8}
	with := func(change func(*spec.Workload)) []spec.Workload {
		w := good
		change(&w)
		return []spec.Workload{w}
	}
	for name, c := range map[string]struct {
		ws   []spec.Workload
		text string
	}{
		"no name":      {with(func(w *spec.Workload) { w.Name = "" }), "A workload's name has 1 to 64 characters."},
		"long name":    {with(func(w *spec.Workload) { w.Name = strings.Repeat("x", 65) }), "A workload's name has 1 to 64 characters."},
		"name twice":   {[]spec.Workload{good, good}, "Workload name 'w' is given more than once."},
		"unknown kind": {with(func(w *spec.Workload) { w.Kind = "ftp" }), "Workload 'w' has kind 'ftp', want udp-echo, ping, http or frames."},
		"no target":    {with(func(w *spec.Workload) { w.Target = netip.Addr{} }), "Workload 'w' has no unicast IPv4 target."},
		"multicast":    {with(func(w *spec.Workload) { w.Target = netip.MustParseAddr("224.0.0.1") }), "Workload 'w' has no unicast IPv4 target."},
		"rate 0":       {with(func(w *spec.Workload) { w.Rate = 0 }), "Workload 'w' has rate 0, want more than 0 and at most 100000 a second."},
		"rate NaN":     {with(func(w *spec.Workload) { w.Rate = math.NaN() }), "Workload 'w' has rate NaN, want more than 0 and at most 100000 a second."},
		"rate above":   {with(func(w *spec.Workload) { w.Rate = 100_001 }), "Workload 'w' has rate 100001, want more than 0 and at most 100000 a second."},
		"size":         {with(func(w *spec.Workload) { w.Size = -1 }), "Workload 'w' has size -1, want 0 to 1048576 bytes."},
		"datagram size": {with(func(w *spec.Workload) { w.Kind, w.Connections, w.Size = "ping", 0, 8974 }),
			"Workload 'w' has size 8974, want 0 to 8973 bytes."},
		"connections": {with(func(w *spec.Workload) { w.Kind = "ping" }), "Workload 'w' has 8 connections, which only http has."},
		"too many":    {make([]spec.Workload, 65), "An instance runs at most 64 workloads."},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			refused(s.lab, "InvalidParameterValue", c.text, func(t *tx) (*Instance, error) { return t.setWorkloads(i.ID, c.ws) })
		})
	}
	s.t = t
	must(s.lab, func(t *tx) (*Instance, error) { return t.setWorkloads(i.ID, []spec.Workload{good}) })
	if got := s.state.Instance(i.ID).Workloads; len(got) != 1 || got[0] != good {
		t.Errorf("runs %+v", got)
	}
}

func TestTags(t *testing.T) {
	s := newSite(t)
	many := make(Tags)
	for i := range 51 {
		many[strings.Repeat("k", i+1)] = ""
	}
	for _, c := range []struct {
		set        Tags
		code, text string
	}{
		{Tags{"": "x"}, "InvalidParameterValue", "Tag key cannot be empty."},
		{Tags{strings.Repeat("é", 129): "x"}, "InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters"},
		{Tags{"x": strings.Repeat("é", 257)}, "InvalidParameterValue", "Tag value exceeds the maximum length of 256 characters"},
		{Tags{"AWS:x": "x"}, "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"},
		{many, "TagLimitExceeded", "The maximum number of Tags for a resource has been reached."},
	} {
		s.refuses(c.code, c.text, func(t *tx) error { return t.setTags(s.vpc.ID, c.set, nil) })
	}
	s.refuses("InvalidID", "The ID 'vgw-0123456789abcdef0' is not valid",
		func(t *tx) error { return t.setTags("vgw-0123456789abcdef0", Tags{"a": "b"}, nil) })
	i, n, a := s.run(s.a, ""), s.eni(s.a, ""), s.eip()
	for _, id := range []string{s.vpc.ID, s.a.ID, i.ID, n.ID, a.AllocationID, s.state.SecurityGroups()[0].ID} {
		s.ok(func(t *tx) error { return t.setTags(id, Tags{"Name": "x", "old": "y"}, nil) })
		s.ok(func(t *tx) error { return t.setTags(id, Tags{"Name": "z"}, []string{"old", "never"}) })
	}
	if got := s.state.Instance(i.ID); got.Name() != "z" || len(got.Tags) != 1 {
		t.Errorf("tags %v", got.Tags)
	}
	s.ok(func(t *tx) error { return t.setTags(n.ID, nil, []string{"Name"}) })
	if got := s.state.NetworkInterface(n.ID).Tags; got != nil {
		t.Errorf("no tags are %v, want nil as the store gives them back", got)
	}
}

func TestInstanceTypes(t *testing.T) {
	if got := len(instanceTypes()); got != 1263 {
		t.Errorf("%d types, want 1263", got)
	}
	for name, typ := range instanceTypes() {
		if len(typ.Cards) < 1 || typ.Cards[0] < 1 || typ.Cards[0] > typ.Interfaces || typ.AddressesPerInterface < 1 || typ.TCPEstablished <= 0 {
			t.Errorf("%s: %+v", name, typ)
		}
	}
	for name, want := range map[string][2]int{"t3.micro": {2, 2}, "t3.medium": {3, 6}, "m5.24xlarge": {15, 50}, "p4d.24xlarge": {15, 50}} {
		if typ, ok := InstanceTypeByName(name); !ok || typ.Cards[0] != want[0] || typ.AddressesPerInterface != want[1] {
			t.Errorf("%s: %+v, want %v", name, typ, want)
		}
	}
	if typ, _ := InstanceTypeByName("m8i.large"); typ.TCPEstablished.Seconds() != 350 {
		t.Errorf("Nitro v6 keeps idle TCP connections %v", typ.TCPEstablished)
	}
	if zones := Zones("us-east-1"); len(zones) != 6 || zones[0] != "us-east-1a" || Zones("mars-1") != nil {
		t.Errorf("zones %v", zones)
	}
}
