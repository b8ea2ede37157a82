package guest

import (
	"net/netip"
	"strings"
	"testing"

	"enilab/internal/dataplane/spec"
)

// Whoever drives the plane must know what the engine has after an error: the
// acknowledgement tells a guest's mishap from a refusal.
func TestPlaneTellsMishapFromRefusal(t *testing.T) {
	r := newRig(t)
	late := vnic("eni-late", 0x0251, "subnet-a", hostB, 1, netip.MustParseAddr("192.168.0.51"))

	refused := late
	refused.Subnet = "subnet-unknown"
	d := spec.Delta{Generation: r.gen + 1, VNICs: []spec.VNIC{refused}}
	ack, err := r.plane.Apply(r.ctx, d)
	if err == nil || ack != (spec.Ack{}) {
		t.Fatalf("refused with %+v, %v", ack, err)
	}
	if _, there := r.engine.VNICCounters(late.ID); there {
		t.Fatal("the engine has a VNIC that it refused")
	}

	broken := r.hosts[hostA]
	broken.Workloads = []spec.Workload{{Name: "broken", Kind: "no such kind", Target: service, Rate: 1}}
	d = spec.Delta{Generation: r.gen + 1, VNICs: []spec.VNIC{late}, Hosts: []spec.Host{broken}}
	ack, err = r.plane.Apply(r.ctx, d)
	if err == nil || !strings.Contains(err.Error(), hostA) {
		t.Fatalf("the error is %v, want one that names %s", err, hostA)
	}
	if ack.Generation != d.Generation || ack.At == 0 {
		t.Errorf("acknowledged %+v, want generation %d", ack, d.Generation)
	}
	if _, there := r.engine.VNICCounters(late.ID); !there {
		t.Error("the engine has not what it acknowledged")
	}
	r.gen++
	r.apply(spec.Delta{RemoveVNICs: []string{late.ID}, Hosts: []spec.Host{r.hosts[hostA]}})
}
