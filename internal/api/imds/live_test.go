package imds

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"enilab/internal/control"
)

// TestMove is what the agents of a failover pair read while an ENI changes
// sides.
func TestMove(t *testing.T) {
	l := newLab(t, "us-east-1")
	one, two := l.run("192.168.0.21"), l.run("192.168.0.22")
	n := l.eni(one, "192.168.0.42")
	eip := must(l.AllocateAddress(t.Context(), nil))(t)
	must(l.AssociateAddress(t.Context(), eip.AllocationID, n.ID, "", false))(t)
	const macs = "meta-data/network/interfaces/macs/"
	mac := n.MAC.String()
	before := make(map[string]string)
	l.crawl(one, macs+mac+"/", before)

	must(l.Move(t.Context(), control.MoveInput{Interface: n.ID, Instance: two, DeviceIndex: 2, Force: true}))(t)

	if got := l.get(one, macs); strings.Contains(got, mac) || strings.Count(got, "/") != 1 {
		t.Errorf("the old owner still has %q", got)
	}
	if got := l.get(one, macs+mac+"/interface-id"); got != "" {
		t.Errorf("the old owner still knows %s", got)
	}
	after := make(map[string]string)
	l.crawl(two, macs+mac+"/", after)
	before[macs+mac+"/device-number"] = "2"
	for path, want := range before {
		if after[path] != want {
			t.Errorf("%s became %q, want %q", path, after[path], want)
		}
	}
	if got, want := l.get(two, "meta-data/local-ipv4"), "192.168.0.22"; got != want {
		t.Errorf("the new owner's own address became %s, want %s", got, want)
	}
}

func TestChangesShowAtOnce(t *testing.T) {
	l := newLab(t, "us-east-1")
	ctx := t.Context()
	one := l.run("192.168.0.21")
	eth0 := l.State().InterfacesOf(one)[0]
	mac := "meta-data/network/interfaces/macs/" + eth0.MAC.String() + "/"
	shows := func(what, path, want string) {
		t.Helper()
		if got := l.get(one, path); got != want {
			t.Errorf("%s: %s is %q, want %q", what, path, got, want)
		}
	}

	shows("no Elastic IP", "meta-data/public-ipv4", "")
	shows("no Elastic IP", mac+"public-ipv4s", "")
	shows("no Elastic IP", mac+"ipv4-associations/", "")
	eip := must(l.AllocateAddress(ctx, nil))(t)
	public := eip.PublicIP.String()
	eip = must(l.AssociateAddress(ctx, eip.AllocationID, eth0.ID, "", false))(t)
	shows("an Elastic IP", "meta-data/public-ipv4", public)
	shows("an Elastic IP", mac+"ipv4-associations/"+public, "192.168.0.21")
	l.ok(l.DisassociateAddress(ctx, eip.AssociationID))
	shows("the Elastic IP gone", "meta-data/public-ipv4", "")

	_, _, err := l.AssignAddresses(ctx, control.AssignAddressesInput{ID: eth0.ID, IPs: []string{"192.168.0.50"}})
	l.ok(err)
	shows("a secondary address", mac+"local-ipv4s", "192.168.0.21\n192.168.0.50")
	must(l.AssociateAddress(ctx, eip.AllocationID, eth0.ID, "192.168.0.50", false))(t)
	shows("an Elastic IP on the secondary address", "meta-data/public-ipv4", "")
	shows("an Elastic IP on the secondary address", mac+"public-ipv4s", public)
	must(l.UnassignAddresses(ctx, eth0.ID, []string{"192.168.0.50"}))(t)
	shows("the secondary address gone", mac+"local-ipv4s", "192.168.0.21")
	shows("the secondary address gone", mac+"public-ipv4s", "")

	web := must(l.CreateGroup(ctx, control.CreateGroupInput{VPC: l.vpc.ID, Name: "web", Description: "web"}))(t)
	must(l.ModifyInterface(ctx, control.ModifyInterfaceInput{ID: eth0.ID, Groups: []string{web.ID}}))(t)
	shows("another group", "meta-data/security-groups", "web")
	shows("another group", mac+"security-group-ids", web.ID)

	eth1 := l.eni(one, "")
	shows("attached", "meta-data/network/interfaces/macs/", eth0.MAC.String()+"/\n"+eth1.MAC.String()+"/")
	must(l.Detach(ctx, control.DetachInput{Attachment: eth1.Attachment.ID}))(t)
	shows("detached", "meta-data/network/interfaces/macs/", eth0.MAC.String()+"/")
}

// TestTransitions holds the tree to the instants at which the data plane
// switches: the beginning of attaching and of detaching.
func TestTransitions(t *testing.T) {
	l := newTimedLab(t, "us-east-1", control.Timing{}.With(control.OpAttach, control.Fixed(time.Hour)).With(control.OpDetach, control.Fixed(time.Hour)))
	one := l.run("")
	n := l.eni(one, "")
	path := "meta-data/network/interfaces/macs/" + n.MAC.String() + "/interface-id"
	if got := l.get(one, path); n.Attachment.State != control.Attaching || got != n.ID {
		t.Errorf("%s: %q, want %s", n.Attachment.State, got, n.ID)
	}
	n = must(l.Detach(t.Context(), control.DetachInput{Attachment: n.Attachment.ID}))(t)
	if got := l.get(one, path); n.Attachment.State != control.Detaching || got != "" {
		t.Errorf("%s: %q, want nothing", n.Attachment.State, got)
	}
}

// TestPendingInstance: a guest boots while its instance is pending, and asks.
func TestPendingInstance(t *testing.T) {
	l := newTimedLab(t, "us-east-1", control.Timing{}.With(control.OpLaunch, control.Fixed(time.Hour)))
	i := must(l.RunInstance(t.Context(), control.RunInstanceInput{Subnet: l.subnet.ID}))(t)
	if got := l.get(i.ID, "meta-data/instance-id"); i.State != control.InstancePending || got != i.ID {
		t.Errorf("%s: %q, want %s", i.State, got, i.ID)
	}
}

func TestOnlyRunningInstances(t *testing.T) {
	l := newLab(t, "us-east-1")
	ctx := t.Context()
	one := l.run("")
	expect := func(what string, status int, text string) {
		t.Helper()
		for _, method := range []string{"GET", "PUT"} {
			path := "/imds/" + one + "/latest/meta-data/instance-id"
			if method == "PUT" {
				path = "/imds/" + one + "/latest/api/token"
			}
			a := l.do(method, path, headerTokenTTL, "60")
			if a.status != status || !strings.Contains(a.body, text) {
				t.Errorf("%s, %s: %d %s, want %d with %q", what, method, a.status, a.body, status, text)
			}
		}
	}
	is := func(state control.InstanceState) {
		t.Helper()
		l.await(func(s *control.State) bool { return s.Instance(one).State == state })
	}

	expect("running", http.StatusOK, "")
	must(l.FailInstance(ctx, one, control.FaultFreeze))(t)
	expect("frozen, but running", http.StatusOK, "")
	must(l.StopInstance(ctx, one, false))(t)
	is(control.InstanceStopped)
	expect("stopped", http.StatusNotFound, one+" is stopped")
	must(l.StartInstance(ctx, one))(t)
	expect("started", http.StatusOK, "")
	is(control.InstanceRunning)
	must(l.TerminateInstance(ctx, one))(t)
	is(control.InstanceTerminated)
	expect("terminated", http.StatusNotFound, one+" is terminated")
	one = "i-0123456789abcdef0"
	expect("unknown", http.StatusNotFound, one)
	one = "%3Cscript%3E" + strings.Repeat("x", 100)
	expect("hostile", http.StatusNotFound, "&lt;script&gt;")
	one = ""
	expect("none", http.StatusNotFound, "404 - Not Found")
}

func TestConcurrentReaders(t *testing.T) {
	l := newLab(t, "us-east-1")
	one, two := l.run(""), l.run("")
	n := l.eni(one, "192.168.0.42")
	s := New(l, Options{})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				// One State has the ENI exactly once, whoever has it.
				st, found := l.State(), 0
				for _, id := range []string{one, two} {
					tree := s.tree(st, st.Instance(id), options{}, time.Now())
					if _, ok := tree.find([]string{"meta-data", "network", "interfaces", "macs", n.MAC.String()}); ok {
						found++
					}
				}
				if found != 1 {
					t.Errorf("%d instances have the ENI", found)
					return
				}
			}
		})
	}
	for k := range 50 {
		to := []string{two, one}[k%2]
		must(l.Move(t.Context(), control.MoveInput{Interface: n.ID, Instance: to, DeviceIndex: -1}))(t)
	}
	close(stop)
	readers.Wait()
}
