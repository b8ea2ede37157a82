package rest

import (
	"slices"
	"testing"
)

func TestImpairmentResource(t *testing.T) {
	l := newLab(t)
	for _, bad := range []map[string]any{
		{"kind": "loss"},
		{"kind": "loss", "share": 0.5, "hit": 1, "every": 2},
		{"kind": "loss", "hit": 3, "every": 2},
		{"kind": "delay"},
		{"kind": "delay", "delayMs": 5, "share": 0.5},
		{"kind": "rate", "bitsPerSecond": 1},
		{"kind": "partition", "jitterMs": 1},
		{"kind": "partition", "of": map[string]any{"instance": "nobody"}},
		{"kind": "partition", "of": map[string]any{"networkInterface": "eni-0"}},
		{"kind": "partition", "of": map[string]any{"subnet": "none"}},
		{"kind": "partition", "of": map[string]any{"zone": "mars-1a"}},
		{"kind": "partition", "of": map[string]any{"zone": "a", "subnet": "b"}},
		{"kind": "partition", "of": map[string]any{"deviceIndex": 1}},
		{"kind": "partition", "port": 80},
		{"kind": "partition", "protocol": "icmp", "port": 80},
		{"kind": "partition", "peers": []string{"10.0.0.0/33"}},
		{"kind": "partition", "peers": []string{"2001:db8::1"}},
	} {
		l.refused(400, "InvalidParameterValue", "POST", "/impairments", bad)
	}
	l.refused(422, "", "POST", "/impairments", map[string]any{"kind": "melt"})
	if got := call[list[Impairment]](l, "GET", "/impairments", nil); len(got.Items) != 0 {
		t.Fatalf("a refusal left %+v", got.Items)
	}
	v := call[VPC](l, "POST", "/vpcs", map[string]any{"cidr": "10.0.0.0/16"})
	n := call[Subnet](l, "POST", "/subnets", map[string]any{"vpcId": v.ID, "cidr": "10.0.1.0/24", "zone": "us-east-1a"})
	one := call[Impairment](l, "POST", "/impairments", map[string]any{
		"kind": "loss", "of": map[string]any{"subnet": n.ID}, "to": map[string]any{"zone": "us-east-1a"}, "direction": "in", "hit": 1, "every": 4, "seed": 7,
	})
	if one.ID == "" || one.Of == nil || one.Of.Subnet != n.ID || one.To == nil || one.To.Zone != "us-east-1a" || one.Direction != "in" || one.Every != 4 || one.Seed != 7 {
		t.Errorf("made %+v", one)
	}
	kept := call[Impairment](l, "POST", "/impairments", map[string]any{
		"kind": "partition", "direction": "in", "protocol": "udp", "port": 53, "peers": []string{"10.0.1.7", "192.0.2.9/24"},
	})
	if kept.Protocol != "udp" || kept.Port != 53 || !slices.Equal(kept.Peers, []string{"10.0.1.7/32", "192.0.2.0/24"}) {
		t.Errorf("made %+v", kept)
	}
	two := call[Impairment](l, "POST", "/impairments", map[string]any{"kind": "rate", "bitsPerSecond": 1_000_000})
	if two.Of != nil || two.QueueMs != 100 || two.Direction != "both" {
		t.Errorf("made %+v", two)
	}
	if got := call[Impairment](l, "GET", "/impairments/"+one.ID, nil); got.ID != one.ID {
		t.Errorf("got %+v", got)
	}
	call[any](l, "DELETE", "/impairments/"+one.ID, nil)
	l.refused(404, "", "GET", "/impairments/"+one.ID, nil)
	l.refused(404, "", "DELETE", "/impairments/"+one.ID, nil)
	call[any](l, "DELETE", "/impairments", nil)
	if got := call[list[Impairment]](l, "GET", "/impairments", nil); len(got.Items) != 0 {
		t.Errorf("after the end of all: %+v", got.Items)
	}
	call[Impairment](l, "POST", "/impairments", map[string]any{"kind": "partition"})
	call[any](l, "POST", "/reset", nil)
	if got := call[list[Impairment]](l, "GET", "/impairments", nil); len(got.Items) != 0 {
		t.Errorf("after a reset: %+v", got.Items)
	}
}
