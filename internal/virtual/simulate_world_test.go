package virtual

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"enilab/internal/control"
	"enilab/internal/impair"
)

func (w *world) pick(of []string) string { return of[w.rand.IntN(len(of))] }

func (w *world) one(of ...string) string { return w.pick(of) }

// network writes a random scenario: two subnets, instances with interfaces of
// their own, clients inside and on the internet, and policies of every strategy.
func (w *world) network() {
	p := func(format string, args ...any) { fmt.Fprintf(&w.text, format+"\n", args...) }
	p("vpcs: [{name: v, cidr: 10.0.0.0/16}]")
	p("subnets:\n  - {name: s1, vpc: v, cidr: 10.0.1.0/24, zone: 1}\n  - {name: s2, vpc: v, cidr: 10.0.2.0/24, zone: %s}", w.one("1", "2"))
	p("securityGroups: [{name: all, vpc: v, description: everything, ingress: [{protocol: \"-1\", from: 0.0.0.0/0}]}]")
	p("internetGateways: [{name: way, vpc: v}]")
	p("routeTables: [{name: out, vpc: v, subnets: [s1, s2], routes: [{destination: 0.0.0.0/0, internetGateway: way}]}]")
	n := 2 + w.rand.IntN(2)
	w.judge.forwarders = w.chance(30)
	workloads := func(targets []string) string {
		var out []string
		for k := range 1 + w.rand.IntN(2) {
			kind := w.one("{name: w%d, kind: udp-echo, target: %s, rate: 20}", "{name: w%d, kind: ping, target: %s, rate: 10}", "{name: w%d, kind: http, target: %s, rate: 5, connections: 3}")
			out = append(out, fmt.Sprintf(kind, k, w.pick(targets)))
		}
		return strings.Join(out, ", ")
	}
	inside := []string{"10.0.1.42", "10.0.1.50", "10.0.2.42", "10.0.1.10"}
	p("instances:")
	for i := range n {
		w.instances = append(w.instances, fmt.Sprintf("i%d", i))
		p("  - {name: i%d, subnet: s1, ip: 10.0.1.%d, groups: [all], sourceDestCheck: %v}", i, 10+i, !w.judge.forwarders || w.chance(50))
	}
	p("  - {name: far, subnet: s2, ip: 10.0.2.10, groups: [all]}")
	p("  - {name: client, subnet: %s, ip: %s, groups: [all], workloads: [%s]}", "s2", "10.0.2.30", workloads(inside))
	p("  - {name: near, subnet: s1, ip: 10.0.1.30, groups: [all], workloads: [%s]}", workloads(inside))
	w.instances = append(w.instances, "far", "client", "near")
	p("networkInterfaces:")
	p("  - {name: e1, subnet: s1, ip: 10.0.1.42, secondaryIps: [10.0.1.50], groups: [all], attach: {instance: i0, deviceIndex: 1}}")
	p("  - {name: e2, subnet: s1, ip: 10.0.1.43, groups: [all], attach: {instance: i1, deviceIndex: 1}}")
	p("  - {name: e3, subnet: s2, ip: 10.0.2.42, groups: [all], attach: {instance: far, deviceIndex: 1}}")
	w.interfaces = []string{"e1", "e2", "e3"}
	p("elasticIps:\n  - {name: x1, networkInterface: e1, ip: %s}\n  - {name: x2, networkInterface: client/eth0}", w.one("10.0.1.42", "10.0.1.50"))
	p("internet: {hosts: [{name: customer, address: 198.51.100.10, workloads: [%s]}]}", workloads([]string{"x1", "x2"}))
	if w.rand.IntN(5) > 0 {
		terms := w.one("", ", strategy: address, addresses: [10.0.1.50]", ", strategy: eip, elasticIp: x1", ", fence: stop", ", fence: detach", ", failBack: true", ", failBack: true, holdDown: 5s")
		p("policies: [{networkInterface: e1, standbys: [%s], probe: {type: %s, from: %s, interval: %s, misses: %d}%s}]",
			w.one("i1", "i1, i0"), w.one("icmp", "tcp, port: 80", "http"), w.one("near/eth0", "i1/eth0"), w.one("100ms", "200ms", "1s"), 1+w.rand.IntN(3), terms)
	}
}

// breakOwner has an instance fail whose address a policy watches.
func (w *world) breakOwner() {
	s := w.lab.State()
	for _, p := range s.Policies() {
		if n := s.Holder(p); n != nil && n.Attachment != nil {
			f := control.Fault(w.one("freeze", "link", "stop"))
			_, err := w.lab.FailInstance(w.t.Context(), n.Attachment.Instance, f)
			w.done(fmt.Sprintf("fail %s, which has what is watched, by %s", n.Attachment.Instance, f), err)
			return
		}
	}
	w.act(false)
}

// act does something at random; midway: while frames are on their way, when
// nobody can wait. What EC2 refuses is no mistake.
func (w *world) act(midway bool) {
	ctx, l := w.t.Context(), w.lab
	in, eni := w.pick(w.instances), w.pick(w.interfaces)
	if w.chance(50) {
		in, eni = w.one("i0", "i1"), "e1" // which the policies are about
	}
	instance, nic := w.loaded.Instances[in], w.loaded.Interfaces[eni]
	var what string
	var err error
	kind := w.rand.IntN(17)
	if midway && w.chance(60) {
		kind = 13 + w.rand.IntN(4) // what decides of frames that have left their sender
	}
	switch kind {
	case 0, 1, 2:
		f := control.Fault(w.one("freeze", "link", "stop"))
		what = fmt.Sprintf("fail %s by %s", in, f)
		_, err = l.FailInstance(ctx, instance, f)
	case 3, 4:
		what = "recover " + in
		_, err = l.RecoverInstance(ctx, instance)
	case 5:
		what = "stop " + in
		_, err = l.StopInstance(ctx, instance, w.chance(50))
	case 6:
		what = "start " + in
		_, err = l.StartInstance(ctx, instance)
	case 7:
		what = "reboot " + in
		_, err = l.RebootInstance(ctx, instance)
	case 8:
		what = "move " + eni + " to " + in
		move := control.MoveInput{Interface: nic, Instance: instance, DeviceIndex: -1, Force: true, Kind: control.KindMove}
		if midway {
			_, err = l.Service.Move(ctx, move)
		} else {
			_, _, err = l.Failover.Move(ctx, move)
		}
	case 9:
		what = "detach " + eni
		if n := l.State().NetworkInterface(nic); n != nil && n.Attachment != nil {
			_, err = l.Detach(ctx, control.DetachInput{Attachment: n.Attachment.ID, Force: w.chance(50)})
		}
	case 10:
		what = "attach " + eni + " to " + in
		_, err = l.Attach(ctx, control.AttachInput{Interface: nic, Instance: instance, DeviceIndex: 1 + w.rand.IntN(2)})
	case 11:
		j := impair.Input{Kind: w.one("loss", "delay", "reorder", "duplicate", "corrupt", "partition")}
		switch j.Kind {
		case "delay":
			j.Delay, j.Jitter = time.Duration(w.rand.IntN(300))*time.Millisecond, time.Duration(1+w.rand.IntN(50))*time.Millisecond
		case "partition":
		default:
			j.Share = 0.1 + w.rand.Float64()/2
		}
		j.Of = impair.Place{Instance: instance}
		what = "inject " + j.Kind + " of " + in
		_, err = l.Impairments.Add(j)
		w.judge.impaired = true
	case 12:
		what = "clear"
		if err = l.Impairments.Clear(); err == nil {
			w.judge.impaired, w.judge.heldUntil = false, l.Now()+int64(mostHeld)
		}
	}
	if kind >= 13 {
		what, err = w.reroute(kind, nic)
	}
	if midway {
		what += " while frames are on their way"
	}
	w.done(what, err)
}

// reroute changes which way frames go, or who has an address.
func (w *world) reroute(kind int, nic string) (what string, err error) {
	ctx, l := w.t.Context(), w.lab
	s := l.State()
	switch kind {
	case 13, 14:
		table := w.loaded.RouteTables["out"]
		to := control.DestinationInput{CIDR: "0.0.0.0/0"}
		if routed(s, table) {
			return "delete the route to the internet", l.DeleteRoute(ctx, table, to)
		}
		return "create the route to the internet", l.CreateRoute(ctx, control.RouteInput{Table: table, DestinationInput: to, Gateway: w.loaded.InternetGateways["way"]})
	case 15:
		x := s.Address(w.loaded.Addresses[w.one("x1", "x2")])
		if x.AssociationID != "" && w.chance(60) {
			return "disassociate " + x.PublicIP.String(), l.DisassociateAddress(ctx, x.AssociationID)
		}
		_, err = l.Associate(ctx, control.AssociateAddressInput{Allocation: x.AllocationID, Interface: nic, AllowReassociation: true})
		return fmt.Sprintf("associate %s with %s", x.PublicIP, nic), err
	default:
		to := w.loaded.Interfaces[w.one("e1", "e2", "i1/eth0")]
		_, _, err = l.AssignAddresses(ctx, control.AssignAddressesInput{ID: to, IPs: []string{"10.0.1.50"}, AllowReassignment: true})
		return "assign 10.0.1.50 to " + to, err
	}
}

// routed reports whether a table leads to the internet.
func routed(s *control.State, table string) bool {
	return slices.ContainsFunc(s.RouteTable(table).Routes, func(r control.Route) bool { return r.Gateway != "" })
}

// done notes what was done. What has failed has changed nothing.
func (w *world) done(what string, err error) {
	var refusal *control.Error
	switch {
	case err == nil:
		w.Acted++
	case w.store.dead, errors.Is(err, errStore), errors.Is(err, errPlane):
		what += ": " + err.Error()
	case errors.As(err, &refusal) && refusal.Code != "InternalError":
		w.Refused++
		what += ": " + refusal.Code
	default:
		w.fail("%s: %w", what, err)
	}
	w.say("%s", what)
}
