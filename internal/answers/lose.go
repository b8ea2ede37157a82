package answers

import (
	"cmp"
	"maps"
	"slices"

	"enilab/internal/control"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/plan"
	"enilab/internal/predict"
)

// Losses are what goes with something that fails.
type Losses struct {
	Revision    uint64   `json:"revision"`
	Target      string   `json:"target"`
	Kind        string   `json:"kind" enum:"instance,interface,subnet,zone,gateway"`
	Interfaces  []string `json:"interfaces" doc:"Ids of the network interfaces that fail with it"`
	Instances   []string `json:"instances" doc:"Ids of the instances that fail with it: those whose every interface does"`
	Addresses   []string `json:"addresses" doc:"Private and public addresses that nobody answers at any more"`
	Looked      int      `json:"looked" doc:"Living connections that were looked at"`
	Connections int      `json:"connections" doc:"Living connections that end with it"`
	Clients     []Loser  `json:"clients" doc:"Who began them, those with the most first"`
	Lost        []Effect `json:"lost" doc:"The connections with the most frames, up to the limit"`
}

// Loser is who loses connections.
type Loser struct {
	NetworkInterfaceID string `json:"networkInterfaceId" doc:"Or the id of a host of the internet"`
	InstanceID         string `json:"instanceId,omitempty"`
	Connections        int    `json:"connections"`
	Frames             uint64 `json:"frames"`
	FailsItself        bool   `json:"failsItself,omitempty" doc:"It is among what fails"`
}

// Lose tells who loses what if an instance, an interface, a subnet, a zone or a
// gateway fails. The error is a Refusal.
func Lose(s *control.State, target string, flows []Flow, limit int) (*Losses, error) {
	l, doomed, err := doomedBy(s, target)
	if err != nil {
		return nil, err
	}
	n := predict.New(plan.Of(s))
	n.Appliances = true
	n.Doom(doomed)
	var m predict.Memory
	clients := map[string]*Loser{}
	for i := range flows {
		c, ok := connectionOf(n, &flows[i])
		if !ok {
			continue
		}
		l.Looked++
		if stop := n.Fresh(&c, &m); !stop.Touched {
			continue
		}
		frames := flows[i].Packets[0] + flows[i].Packets[1]
		l.Connections++
		e := effect(affected{c: &c, frames: frames, connection: true})
		e.Reason = ""
		l.Lost = append(l.Lost, e)
		who := clients[c.From]
		if who == nil {
			who = &Loser{NetworkInterfaceID: c.From, FailsItself: doomed[c.From]}
			if i := s.NetworkInterface(c.From); i != nil && i.Attachment != nil {
				who.InstanceID = i.Attachment.Instance
			}
			clients[c.From] = who
		}
		who.Connections++
		who.Frames += frames
	}
	for _, id := range slices.Sorted(maps.Keys(clients)) {
		l.Clients = append(l.Clients, *clients[id])
	}
	slices.SortStableFunc(l.Clients, func(a, b Loser) int { return cmp.Compare(b.Connections, a.Connections) })
	slices.SortStableFunc(l.Lost, func(a, b Effect) int { return cmp.Compare(b.Frames, a.Frames) })
	l.Lost = l.Lost[:min(len(l.Lost), limit)]
	return l, nil
}

// connectionOf is a living connection by who began it; false if another table has it,
// and of IPv6, of which nothing is predicted since no frame of it is forwarded.
func connectionOf(n *predict.Network, f *Flow) (c predict.Connection, ok bool) {
	local, four := frame.IPv4From(f.Local)
	remote, _ := frame.IPv4From(f.Remote)
	if !four {
		return c, false
	}
	from, src, dst := n.Initiator(f.Interface, local, remote, f.AdmittedBy)
	if from == "" || f.State == conntrack.Fragment {
		return c, false
	}
	c = predict.Connection{From: from, Src: src, Dst: dst, Proto: f.Proto, SrcPort: f.LocalPort, DstPort: f.RemotePort, ICMPType: f.ICMPType}
	switch {
	case f.Proto == frame.ProtoICMP:
		c.SrcPort, c.DstPort = f.ICMPID, 0
	case f.AdmittedBy == conntrack.Ingress:
		c.SrcPort, c.DstPort = f.RemotePort, f.LocalPort
	}
	return c, true
}

// doomedBy finds what fails with a target.
func doomedBy(s *control.State, target string) (*Losses, map[string]bool, error) {
	l := &Losses{Revision: s.Revision(), Target: target, Interfaces: []string{}, Instances: []string{}, Addresses: []string{}, Clients: []Loser{}, Lost: []Effect{}}
	doomed := map[string]bool{}
	var is func(n *control.NetworkInterface) bool
	switch {
	case s.Instance(target) != nil:
		l.Kind = "instance"
		is = func(n *control.NetworkInterface) bool { return n.Attachment != nil && n.Attachment.Instance == target }
	case s.NetworkInterface(target) != nil:
		l.Kind = "interface"
		is = func(n *control.NetworkInterface) bool { return n.ID == target }
	case s.Subnet(target) != nil:
		l.Kind = "subnet"
		is = func(n *control.NetworkInterface) bool { return n.Subnet == target }
	case slices.ContainsFunc(s.Subnets(), func(n *control.Subnet) bool { return n.Zone == target }):
		l.Kind = "zone"
		is = func(n *control.NetworkInterface) bool { return n.Zone == target }
	case s.NATGateway(target) != nil:
		l.Kind = "gateway"
		eni := s.NATGateway(target).Interface
		is = func(n *control.NetworkInterface) bool { return n.ID == eni }
	case s.InternetGateway(target) != nil, s.TransitGateway(target) != nil, s.Peering(target) != nil, s.VPCEndpoint(target) != nil:
		l.Kind = "gateway"
		doomed[target] = true
		is = func(*control.NetworkInterface) bool { return false }
	default:
		return nil, nil, &Refusal{"target", target, "the id of an instance, a network interface, a subnet, an internet, NAT or transit gateway, a peering connection or an endpoint, or the name of a zone that has a subnet"}
	}
	v := plan.Of(s)
	left := map[string]bool{} // instances that keep an interface
	for _, n := range s.NetworkInterfaces() {
		if !is(n) {
			if n.Attachment != nil {
				left[n.Attachment.Instance] = true
			}
			continue
		}
		doomed[n.ID] = true
		l.Interfaces = append(l.Interfaces, n.ID)
		if n.Attachment != nil && !slices.Contains(l.Instances, n.Attachment.Instance) {
			l.Instances = append(l.Instances, n.Attachment.Instance)
		}
		for _, a := range n.Addresses {
			l.Addresses = append(l.Addresses, a.Addr.String())
		}
		if spec := v.VNIC(n.ID); spec != nil {
			for _, p := range spec.Public {
				l.Addresses = append(l.Addresses, p.Public.String())
			}
		}
	}
	l.Instances = slices.DeleteFunc(l.Instances, func(id string) bool { return left[id] })
	if l.Kind == "gateway" && s.InternetGateway(target) != nil {
		for _, n := range s.NetworkInterfaces() {
			if spec := v.VNIC(n.ID); spec != nil && n.VPC == s.InternetGateway(target).VPC {
				for _, p := range spec.Public {
					l.Addresses = append(l.Addresses, p.Public.String())
				}
			}
		}
	}
	return l, doomed, nil
}
