package rest

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/answers"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

type askReachability struct {
	Source             string `json:"source" maxLength:"64" doc:"Who sends: the id of an instance, a network interface or a host of the modelled internet"`
	Destination        string `json:"destination" maxLength:"64" doc:"Who is meant: one of those, or an IPv4 address"`
	SourceAddress      string `json:"sourceAddress,omitempty" maxLength:"64" doc:"Default: the sender's primary address"`
	DestinationAddress string `json:"destinationAddress,omitempty" maxLength:"64" doc:"Default: the private address, and between VPCs that are not joined the public one"`
	Protocol           string `json:"protocol,omitempty" enum:"tcp,udp,icmp" default:"tcp"`
	Port               uint16 `json:"port,omitempty" minimum:"1" maximum:"65535" doc:"Default: 80 of tcp, 7 of udp"`
	SourcePort         uint16 `json:"sourcePort,omitempty" maximum:"65535" doc:"Default: 40000; other ports are looked at in ephemeral-ports"`
	Bytes              int    `json:"bytes,omitempty" minimum:"0" maximum:"65535" doc:"Length of the IP packet; default: as small as they come"`
	MayFragment        bool   `json:"mayFragment,omitempty" doc:"Leaves out the flag don't-fragment, which is set otherwise"`
	Probes             int    `json:"probes,omitempty" minimum:"0" maximum:"20" doc:"So many packets are really sent besides, one after the other, each with a port of its own"`
}

// Reachability is an answer, and what probes have found.
type Reachability struct {
	answers.Answer
	Live *Live `json:"live,omitempty" doc:"With probes: what has become of packets that were really sent"`
}

// Live is what probes have found.
type Live struct {
	Sent     int         `json:"sent"`
	Arrived  int         `json:"arrived" doc:"At who was meant"`
	Answered int         `json:"answered" doc:"Whose answer came back"`
	Agrees   bool        `json:"agrees" doc:"Every probe has ended as was predicted"`
	Probes   []LiveProbe `json:"probes"`
}

// LiveProbe is one packet that was really sent.
type LiveProbe struct {
	SentAt     time.Time `json:"sentAt"`
	EndedAt    time.Time `json:"endedAt" doc:"When its fate, and its answer's, were known"`
	SourcePort uint16    `json:"sourcePort,omitempty"`
	Arrived    bool      `json:"arrived"`
	Answered   bool      `json:"answered"`
	Reason     string    `json:"reason" doc:"Of the packet, or if it has arrived of its answer"`
	At         string    `json:"at,omitempty" doc:"The interface where that was decided"`
	Fate       Injection `json:"fate" doc:"As POST /packets tells it"`
}

func (s *Server) answerOperations(api huma.API) {
	huma.Register(api, act("reachability", "Say whether one end could reach another, without sending, and all that is in the way"),
		func(ctx context.Context, in *withBody[askReachability]) (*output[Reachability], error) {
			q, err := question(in.Body)
			if err != nil {
				return nil, err
			}
			a, err := answers.Reach(s.state(), q)
			if err != nil {
				return nil, refusedQuestion(err, map[string]string{"from": "source", "to": "destination"})
			}
			out := Reachability{Answer: *a}
			if in.Body.Probes > 0 {
				if out.Live, err = s.probe(ctx, a, in.Body); err != nil {
					return nil, err
				}
			}
			return &output[Reachability]{Body: out}, nil
		})
}

func question(b askReachability) (q answers.Question, err error) {
	q = answers.Question{
		From: b.Source, To: b.Destination, Protocol: b.Protocol, Port: b.Port, SourcePort: b.SourcePort, Bytes: b.Bytes, MayFragment: b.MayFragment,
	}
	if q.FromAddress, err = optionalAddress("sourceAddress", b.SourceAddress); err != nil {
		return q, err
	}
	q.ToAddress, err = optionalAddress("destinationAddress", b.DestinationAddress)
	return q, err
}

func optionalAddress(field, text string) (netip.Addr, error) {
	if text == "" {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return a, wrong("body."+field, "want an IPv4 address", text)
	}
	return a, nil
}

// refusedQuestion says in which field of a body a question is wrong.
func refusedQuestion(err error, fields map[string]string) error {
	var r *answers.Refusal
	if !errors.As(err, &r) {
		return problem(err)
	}
	field := r.Field
	if fields[field] != "" {
		field = fields[field]
	}
	return wrong("body."+field, "want "+r.Want, r.Value)
}

// probe sends what a was asked about, and has who gets it answer.
func (s *Server) probe(ctx context.Context, a *answers.Answer, b askReachability) (*Live, error) {
	live := &Live{Probes: []LiveProbe{}, Agrees: true}
	for i := range b.Probes {
		f := PacketFields{
			Src: a.From.Address, Dst: a.To.Address, Protocol: a.Protocol, DstPort: a.Port, SrcPort: uint16(1 + i), MayFragment: b.MayFragment,
		}
		if a.Protocol != "icmp" {
			f.SrcPort = probePort(a.SourcePort, i)
		}
		if b.Bytes > 0 {
			f.Length = b.Bytes + etherHeader
		}
		raw, err := s.build(a.From.NetworkInterfaceID, &f)
		if err != nil {
			return nil, err
		}
		identify(raw)
		p := LiveProbe{SentAt: s.instant(), SourcePort: f.SrcPort}
		there, end, err := s.put(ctx, a.From.NetworkInterfaceID, raw, true)
		if err != nil {
			return nil, newProblem(http.StatusServiceUnavailable, "", err.Error())
		}
		last := end.Hops[len(end.Hops)-1]
		taken := end.Reason == verdict.LinkLocal // by a service of the network, which answers the guest
		p.Arrived = taken || end.Arrived != nil && (a.To.NetworkInterfaceID == "" || last.VNIC == a.To.NetworkInterfaceID)
		p.Reason, p.At = end.Reason.String(), last.VNIC
		if reply := answerTo(end.Arrived); p.Arrived && reply != nil && end.Passed != dataplane.AnsweredICMP {
			identify(reply)
			back, ended, err := s.put(ctx, last.VNIC, reply, true)
			if err != nil {
				return nil, newProblem(http.StatusServiceUnavailable, "", err.Error())
			}
			there.Answer = &back
			// Whatever a guest that forwards makes of an answer that nobody waits for.
			p.Answered = reached(&back, a.From.NetworkInterfaceID)
			p.Reason, p.At = ended.Reason.String(), ended.Hops[len(ended.Hops)-1].VNIC
		}
		p.Fate, p.EndedAt = there, s.instant()
		live.Sent++
		if p.Arrived {
			live.Arrived++
		}
		if p.Answered {
			live.Answered++
		}
		delivered := taken || end.Arrived != nil // to whoever
		live.Agrees = live.Agrees && delivered == a.Forward.Arrives && (!delivered || taken || last.VNIC == a.Forward.NetworkInterfaceID) &&
			(!p.Arrived || a.Return == nil || p.Answered == a.Return.Arrives)
		live.Probes = append(live.Probes, p)
	}
	return live, nil
}

// reached reports whether a frame was delivered to an interface, or what guests on
// the way have sent on of it.
func reached(i *Injection, eni string) bool {
	for _, one := range append([]Injection{*i}, i.Followed...) {
		if one.Arrived != nil && one.Hops[len(one.Hops)-1].NetworkInterfaceID == eni {
			return true
		}
	}
	return false
}

const etherHeader = 14

// probePort is the source port of the i-th probe: of a connection that nobody has
// had, as far as ports go round.
func probePort(first uint16, i int) uint16 {
	port := int(first) + i
	if port > 65535 {
		port -= 65535 - 1024
	}
	return uint16(port)
}

// instant is now, by the clock of the data plane.
func (s *Server) instant() time.Time { return time.Unix(0, s.opt.Clock.Now()).UTC() }

// PredictedHop is a component on the way of a packet that was not sent.
type PredictedHop = answers.PredictedHop
