package guest

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = time.Minute // bound of every wait; never reached by a good run

var (
	anywhere = netip.MustParsePrefix("0.0.0.0/0")

	clientAddr = netip.MustParseAddr("192.168.0.10")
	service    = netip.MustParseAddr("192.168.0.42")
	ownA       = netip.MustParseAddr("192.168.0.21")
	ownB       = netip.MustParseAddr("192.168.0.22")
	farAddr    = netip.MustParseAddr("192.168.1.5")
)

// Instance ids have the length of real ones: the echo payload has room for just that.
const (
	clientID = "i-00000000000000c11"
	hostA    = "i-0000000000000000a"
	hostB    = "i-0000000000000000b"
	farHost  = "i-0000000000000000f"
)

// rig is an engine with guests: a client, two candidates for the service
// address, and a host in another subnet.
type rig struct {
	t      testing.TB
	engine *dataplane.Engine
	lab    *Lab
	plane  *Plane
	gen    uint64
	hosts  map[string]spec.Host
	ctx    context.Context // ends with the test's patience
}

// monotonic is a clock of the kind that the server gives the engine.
func monotonic() func() int64 {
	start := time.Now()
	base := start.UnixNano()
	return func() int64 { return base + int64(time.Since(start)) }
}

func newRig(t testing.TB) *rig {
	now := monotonic()
	e := dataplane.New(dataplane.Options{Workers: 2, Now: now, Seed: 1})
	l := NewLab(Options{Engine: e, Now: now, Seed: 1})
	r := &rig{t: t, engine: e, lab: l, plane: &Plane{Engine: e, Lab: l}, hosts: map[string]spec.Host{}}
	var enough context.CancelFunc
	r.ctx, enough = context.WithTimeout(context.Background(), 4*patience)
	t.Cleanup(enough)
	ctx, cancel := context.WithCancel(context.Background())
	e.Start(ctx)
	ended := make(chan struct{})
	labCtx, stopLab := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		_ = l.Run(labCtx)
	}()
	t.Cleanup(func() {
		stopLab()
		<-ended
		cancel()
		e.Wait()
		if tot := e.Totals(); tot.Unaccounted() != 0 {
			t.Errorf("%d frames unaccounted for", tot.Unaccounted())
		}
	})
	all := []spec.Rule{{Name: "sgr-all", Rule: secgroup.Rule{ID: 16, Proto: secgroup.AllProtocols, Prefix: anywhere}}}
	vpc := []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}
	r.apply(spec.Delta{
		Subnets: []spec.Subnet{
			{ID: "subnet-a", VPC: "vpc-1", Zone: "a", CIDR: netip.MustParsePrefix("192.168.0.0/24"), VPCCIDRs: vpc, RouterMAC: 0x0200000000a1},
			{ID: "subnet-b", VPC: "vpc-1", Zone: "b", CIDR: netip.MustParsePrefix("192.168.1.0/24"), VPCCIDRs: vpc, RouterMAC: 0x0200000000b1},
		},
		Groups: []spec.Group{{ID: "sg-open", Ref: 1, Ingress: all, Egress: all}},
		VNICs: []spec.VNIC{
			vnic("eni-c", 0x0210, "subnet-a", clientID, 0, clientAddr),
			vnic("eni-a", 0x0221, "subnet-a", hostA, 0, ownA),
			vnic("eni-b", 0x0222, "subnet-a", hostB, 0, ownB),
			serviceAt(hostA),
			vnic("eni-f", 0x0305, "subnet-b", farHost, 0, farAddr),
		},
		Hosts: []spec.Host{r.on(clientID), r.on(hostA), r.on(hostB), r.on(farHost)},
	})
	return r
}

func vnic(id string, mac int, subnet, host string, index int, addrs ...netip.Addr) spec.VNIC {
	return spec.VNIC{
		ID: id, MAC: frame.MAC(0x02_00_00_00_00_00 | mac), Subnet: subnet, Addrs: addrs,
		Groups: []string{"sg-open"}, SourceDestCheck: true, MTU: 9001, Host: host, DeviceIndex: index,
	}
}

// serviceAt is the movable interface, attached to a host as eth1.
func serviceAt(host string) spec.VNIC {
	return vnic("eni-service", 0x0242, "subnet-a", host, 1, service)
}

func (r *rig) on(id string) spec.Host {
	h := spec.Host{ID: id, Power: spec.PowerOn, Boot: 1}
	r.hosts[id] = h
	return h
}

func (r *rig) apply(d spec.Delta) {
	r.t.Helper()
	r.gen++
	d.Generation = r.gen
	if _, err := r.plane.Apply(r.ctx, d); err != nil {
		r.t.Fatal(err)
	}
}

// host changes what is known of a host.
func (r *rig) host(id string, change func(*spec.Host)) {
	r.t.Helper()
	h := r.hosts[id]
	change(&h)
	r.hosts[id] = h
	r.apply(spec.Delta{Hosts: []spec.Host{h}})
}

func (r *rig) move(v spec.VNIC) {
	r.t.Helper()
	r.apply(spec.Delta{VNICs: []spec.VNIC{v}})
}

// brief is a context for what must not succeed.
func (r *rig) brief() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	r.t.Cleanup(cancel)
	return ctx
}

// eventually polls a condition that a meter or a worker brings about.
func (r *rig) eventually(what string, ok func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("not within %s: %s", patience, what)
		}
	}
}
