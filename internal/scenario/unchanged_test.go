package scenario

import (
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// TestUnchanged: an address more, or another group, is a change.
func TestUnchanged(t *testing.T) {
	sc, err := Parse(t.Context(), "steps.yaml", []byte(network+"  - expect: [networkInterface: {name: eth1, unchanged: true}]"))
	if err != nil {
		t.Fatal(err)
	}
	svc := newService(t, "us-east-1")
	ctx := bounded(t)
	loaded, err := sc.Load(ctx, svc)
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Service: svc, Now: func() int64 { return time.Now().UnixNano() }}
	expect := func(want string) {
		t.Helper()
		_, err := Run(ctx, env, sc, loaded)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	eth1 := loaded.Interfaces["eth1"]
	expect("")
	if _, _, err := svc.AssignAddresses(ctx, control.AssignAddressesInput{ID: eth1, IPs: []string{"10.0.0.13"}}); err != nil {
		t.Fatal(err)
	}
	expect("addresses [{10.0.0.12 true} {10.0.0.13 false}], were [{10.0.0.12 true}]")
	if _, err := svc.UnassignAddresses(ctx, eth1, []string{"10.0.0.13"}); err != nil {
		t.Fatal(err)
	}
	expect("")
	g, err := svc.CreateGroup(ctx, control.CreateGroupInput{VPC: loaded.VPCs["lab"], Name: "other", Description: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := svc.ModifyInterface(ctx, control.ModifyInterfaceInput{ID: eth1, Groups: []string{g.ID}}); err != nil {
		t.Fatal(err)
	}
	expect("groups [" + g.ID + "], were")
}
