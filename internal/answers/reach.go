package answers

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
	"enilab/internal/predict"
)

// Question is: could From reach To.
type Question struct {
	From string // id of an instance, a network interface, a host of the internet, or an internet gateway for any address behind it
	To   string // the same, or an IPv4 address

	FromAddress netip.Addr // the zero Addr: the primary one of From
	ToAddress   netip.Addr // the zero Addr: the one by which From reaches To
	Protocol    string     // "tcp", "udp", "icmp"
	Port        uint16     // of TCP and UDP; 0: 80 of TCP, 7 of UDP
	SourcePort  uint16     // 0: 40000
	Bytes       int        // of the IP packet; 0: as small as they come
	MayFragment bool
}

// Answer is what becomes of a packet and of what answers it.
type Answer struct {
	Revision     uint64         `json:"revision" doc:"Of the state of the laboratory that was read"`
	Reachable    string         `json:"reachable" enum:"yes,partly,no" doc:"partly: the packet and an answer get through, but not from every port that a client may use"`
	From         Station        `json:"from"`
	To           Station        `json:"to"`
	Protocol     string         `json:"protocol"`
	Port         uint16         `json:"port,omitempty"`
	SourcePort   uint16         `json:"sourcePort,omitempty"`
	Explanations []Explanation  `json:"explanations" doc:"Everything that is in the way, the decisive one first; empty if nothing is"`
	Forward      PredictedPath  `json:"forward"`
	Return       *PredictedPath `json:"return,omitempty" doc:"Of the answer; absent if the packet is not known to get anywhere, or has no answer"`
	LookedAt     []Look         `json:"lookedAt" doc:"What this answer has looked at, and what was found there"`
}

// Station is an end of a question.
type Station struct {
	ID                 string `json:"id,omitempty" doc:"As asked for"`
	NetworkInterfaceID string `json:"networkInterfaceId,omitempty" doc:"The interface or host of the internet that sends or is meant; absent if nobody is known to have the address"`
	Address            string `json:"address"`
}

// Look is one thing that an answer has looked at.
type Look struct {
	What    string `json:"what" enum:"forward-path,return-path,ephemeral-ports,connection-state,guest-state,listener,mtu,impairments"`
	Finding string `json:"finding"`
	OK      bool   `json:"ok"`
}

const (
	defaultSourcePort = 40000
	defaultTCPPort    = 80
	defaultUDPPort    = 7
)

var protocols = map[string]uint8{"tcp": frame.ProtoTCP, "udp": frame.ProtoUDP, "icmp": frame.ProtoICMP}

// Refusal is a question that cannot be asked: in which field, and what would be right.
type Refusal struct{ Field, Value, Want string }

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s %s: want %s", r.Field, strconv.Quote(r.Value), r.Want)
}

// asked is a Question whose ends have been found.
type asked struct {
	Question
	from, to string // VNICs; to is "" if nobody is known to have the address
	packet   predict.Packet
	outside  netip.Addr // of an address of the internet that stands behind an internet gateway; the zero Addr: none
}

// Reach answers a Question from a State that shows all regions.
func Reach(s *control.State, q Question) (*Answer, error) { return asker{s: s}.ask(q) }

// asker asks several questions of one State; what has been compiled for one is there
// for the next. It is for one caller at a time.
type asker struct {
	s *control.State
	n *predict.Network // of plan.Of(s); nil: each question has its own
}

func newAsker(s *control.State) asker { return asker{s, network(plan.Of(s))} }

// services are those of every network.
var services = linklocal.ByName()

// network is what questions are asked of.
func network(src predict.Source) *predict.Network {
	n := predict.New(src)
	n.Appliances, n.Services = true, services
	return n
}

func (k asker) ask(q Question) (*Answer, error) {
	s := k.s
	a, err := find(s, q)
	if err != nil {
		return nil, err
	}
	view, n := plan.Of(s), k.n
	if n == nil || a.outside.IsValid() {
		n = network(a.source(view))
	}
	var memory predict.Memory
	there, err := n.Send(a.from, a.packet, a.to, &memory)
	if err != nil {
		return nil, err
	}
	back, answered := n.Answer(there, &memory, 0)
	t := teller{s: s}
	out := &Answer{
		Revision: s.Revision(), Protocol: a.Protocol, Port: a.Port, SourcePort: a.SourcePort,
		From:    Station{q.From, a.from, a.packet.Src.String()},
		To:      Station{q.To, a.to, a.packet.Dst.String()},
		Forward: t.path(there), Explanations: t.explain("forward", there),
	}
	if q.To == out.To.Address {
		out.To.ID = ""
	}
	var refused []predict.Refused
	if answered {
		p := t.path(back)
		out.Return, refused = &p, n.Ephemeral(back)
		out.Explanations = append(out.Explanations, t.explain("return", back)...)
	}
	// The one that decides comes first, also where only the answer is stopped.
	switch {
	case !there.Delivered() || answered && !back.Delivered():
		out.Reachable = "no"
	case len(refused) > 0:
		out.Reachable = "partly"
	default:
		out.Reachable = "yes"
	}
	if there.Delivered() && a.to != "" && there.To != a.to && there.Service == "" {
		out.Reachable = "no"
		out.Explanations = append([]Explanation{t.elsewhere(there, a.to)}, out.Explanations...)
	}
	out.LookedAt = t.looks(view, a, there, back, answered, refused)
	if out.Explanations == nil {
		out.Explanations = []Explanation{}
	}
	return out, nil
}

// find makes of a Question the packet that is asked about.
func find(s *control.State, q Question) (a asked, err error) {
	a = asked{Question: q}
	a.Protocol = cmp.Or(q.Protocol, "tcp")
	proto, ok := protocols[a.Protocol]
	switch {
	case !ok:
		return a, &Refusal{"protocol", q.Protocol, "tcp, udp or icmp"}
	case a.Protocol == "icmp" && q.Port != 0:
		return a, &Refusal{"port", strconv.Itoa(int(q.Port)), "none: ICMP has no ports"}
	case q.Bytes < 0 || q.Bytes > 65535:
		return a, &Refusal{"bytes", strconv.Itoa(q.Bytes), "at most 65535"}
	}
	from, err := a.station(s, "from", q.From, q.FromAddress)
	if err != nil {
		return a, err
	}
	a.from = from.vnic
	a.packet = predict.Packet{Src: cmp.Or(q.FromAddress, from.private), Proto: proto, Size: q.Bytes, DontFrag: !q.MayFragment}
	a.SourcePort = cmp.Or(q.SourcePort, defaultSourcePort)
	a.packet.SrcPort = a.SourcePort
	switch a.Protocol {
	case "tcp":
		a.Port = cmp.Or(q.Port, defaultTCPPort)
	case "udp":
		a.Port = cmp.Or(q.Port, defaultUDPPort)
	case "icmp":
		a.SourcePort = 0
	}
	a.packet.DstPort = a.Port
	to, perr := netip.ParseAddr(q.To)
	if perr != nil {
		station, err := a.station(s, "to", q.To, q.ToAddress)
		if err != nil {
			return a, err
		}
		a.to = station.vnic
		to = station.private
		if from.vpc != station.vpc && station.public.IsValid() && !joined(s, from.vpc, station.vpc) {
			to = station.public
		}
	} else {
		a.to = holderOf(s, from.vpc, to)
	}
	a.packet.Dst = cmp.Or(q.ToAddress, to)
	if !a.packet.Dst.Is4() {
		return a, &Refusal{"to", q.To, "an IPv4 address: the data plane carries no IPv6"}
	}
	if !a.packet.Src.Is4() {
		return a, &Refusal{"from", q.From, "an interface with an IPv4 address"}
	}
	return a, nil
}

// end is what is known of who sends or is meant.
type end struct {
	vnic, vpc       string // vpc is "" on the internet
	private, public netip.Addr
}

func stationOf(s *control.State, field, id string) (end, error) {
	if h := s.InternetHost(id); h != nil {
		return end{h.ID, "", h.Address, h.Address}, nil
	}
	n := s.NetworkInterface(id)
	if i := s.Instance(id); i != nil {
		if n = s.PrimaryInterface(id); n == nil {
			return end{}, &Refusal{field, id, "an instance that has a network interface: it is " + string(i.State)}
		}
	}
	if n == nil {
		return end{}, &Refusal{field, id, "the id of an instance, a network interface or a host of the internet that exists"}
	}
	e := end{vnic: n.ID, vpc: n.VPC, private: n.PrimaryAddress(), public: n.PublicIP}
	for _, a := range s.AddressesOf(n.ID) {
		if a.PrivateIP == e.private {
			e.public = a.PublicIP
		}
	}
	return e, nil
}

// joined reports whether two VPCs have a way to each other's private addresses: a
// peering connection, or a transit gateway that both are attached to.
func joined(s *control.State, a, b string) bool {
	for _, p := range s.Peerings() {
		if p.Requester.VPC == a && p.Accepter.VPC == b || p.Requester.VPC == b && p.Accepter.VPC == a {
			return true
		}
	}
	at := map[string]bool{}
	for _, t := range s.TransitAttachments() {
		if t.VPC == a {
			at[t.Gateway] = true
		}
	}
	for _, t := range s.TransitAttachments() {
		if t.VPC == b && at[t.Gateway] {
			return true
		}
	}
	return false
}

// holderOf is who has an address, seen from a VPC: within it, or in public.
func holderOf(s *control.State, vpc string, a netip.Addr) string {
	if n := s.InterfaceByAddr(vpc, a); n != nil {
		return n.ID
	}
	return plan.Of(s).Holder(spec.InternetVPC, a)
}
