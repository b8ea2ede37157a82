package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/dataplane/spec"
	"enilab/internal/impair"
)

// ImpairedPlace is a set of network interfaces: one of its fields, or deviceIndex
// beside instance.
type ImpairedPlace struct {
	Instance         string `json:"instance,omitempty" maxLength:"128" doc:"An instance or internet host, by id or name, with all that is attached to it"`
	DeviceIndex      *int   `json:"deviceIndex,omitempty" minimum:"0" maximum:"31" doc:"Only this device index of the instance, whatever is attached there"`
	NetworkInterface string `json:"networkInterface,omitempty" maxLength:"128" doc:"By id or name, wherever it is attached"`
	Subnet           string `json:"subnet,omitempty" maxLength:"128" doc:"By id or name"`
	Zone             string `json:"zone,omitempty" maxLength:"64" doc:"An Availability Zone that has a subnet"`
}

// Impairment is what the network does to frames until it is deleted.
type Impairment struct {
	ID            string         `json:"id"`
	Kind          string         `json:"kind"`
	Of            *ImpairedPlace `json:"of,omitempty" doc:"By ids; absent: everywhere"`
	To            *ImpairedPlace `json:"to,omitempty" doc:"The other end, by ids; absent: whoever"`
	Direction     string         `json:"direction" enum:"both,out,in"`
	Protocol      string         `json:"protocol,omitempty" enum:"tcp,udp,icmp" doc:"Absent: every frame, ARP too, unless there are peers"`
	Port          int            `json:"port,omitempty" doc:"The destination port"`
	Peers         []string       `json:"peers,omitempty" doc:"Blocks of the other end"`
	Share         float64        `json:"share,omitempty"`
	Hit           uint32         `json:"hit,omitempty"`
	Every         uint32         `json:"every,omitempty"`
	DelayMs       float64        `json:"delayMs,omitempty"`
	JitterMs      float64        `json:"jitterMs,omitempty"`
	Ordered       bool           `json:"ordered,omitempty"`
	BitsPerSecond int64          `json:"bitsPerSecond,omitempty"`
	QueueMs       float64        `json:"queueMs,omitempty"`
	Seed          uint64         `json:"seed" doc:"A frame's fate depends on the seed, the impairment, the interface and the frame's ordinal there alone"`
	Seen          uint64         `json:"seen" doc:"Frames that it has judged"`
	Acted         uint64         `json:"acted" doc:"Of them lost, delayed, duplicated or changed"`
	CreatedAt     time.Time      `json:"createdAt"`
}

type createImpairment struct {
	Kind          string        `json:"kind" enum:"loss,delay,reorder,duplicate,corrupt,rate,partition"`
	Of            ImpairedPlace `json:"of,omitempty" doc:"Default: everywhere"`
	To            ImpairedPlace `json:"to,omitempty" doc:"The other end; default: whoever, and beyond the boundary if the one end is a subnet or zone"`
	Direction     string        `json:"direction,omitempty" enum:"both,out,in" default:"both" doc:"Frames that the place sends (out), receives (in), or both"`
	Protocol      string        `json:"protocol,omitempty" enum:"tcp,udp,icmp" doc:"Only its frames; default: every frame, ARP too"`
	Port          int           `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Only frames to this destination port, of tcp or udp"`
	Peers         []string      `json:"peers,omitempty" maxItems:"100" doc:"Only frames to or from these IPv4 addresses and blocks at the other end, as the place sees them"`
	Share         float64       `json:"share,omitempty" minimum:"0" maximum:"1" doc:"Of loss, reorder, duplicate, corrupt: the probability of each frame"`
	Hit           int           `json:"hit,omitempty" minimum:"0" maximum:"1000000" doc:"In place of share: exactly so many of every so many frames"`
	Every         int           `json:"every,omitempty" minimum:"0" maximum:"1000000"`
	DelayMs       float64       `json:"delayMs,omitempty" minimum:"0" maximum:"600000" doc:"Of delay, and of reorder (default 10)"`
	JitterMs      float64       `json:"jitterMs,omitempty" minimum:"0" maximum:"600000" doc:"Of delay: up to so much more"`
	Ordered       bool          `json:"ordered,omitempty" doc:"Frames with jitter do not overtake each other"`
	BitsPerSecond int64         `json:"bitsPerSecond,omitempty" minimum:"0" maximum:"1000000000000" doc:"Of rate, each interface and direction for itself"`
	QueueMs       float64       `json:"queueMs,omitempty" minimum:"0" maximum:"60000" doc:"Of rate: frames that would wait longer are lost; default 100"`
	Seed          uint64        `json:"seed,omitempty" maximum:"9007199254740991" doc:"Default: the laboratory's"`
}

func (p ImpairedPlace) place() impair.Place {
	return impair.Place{Instance: p.Instance, DeviceIndex: p.DeviceIndex, NetworkInterface: p.NetworkInterface, Subnet: p.Subnet, Zone: p.Zone}
}

func placeView(s spec.Scope) *ImpairedPlace {
	switch s.Kind {
	case spec.ScopeLink:
		return &ImpairedPlace{Instance: s.ID, DeviceIndex: &s.DeviceIndex}
	case spec.ScopeHost:
		return &ImpairedPlace{Instance: s.ID}
	case spec.ScopeVNIC:
		return &ImpairedPlace{NetworkInterface: s.ID}
	case spec.ScopeSubnet:
		return &ImpairedPlace{Subnet: s.ID}
	case spec.ScopeZone:
		return &ImpairedPlace{Zone: s.ID}
	}
	return nil
}

func impairmentView(i impair.Impairment) Impairment {
	m := i.MatchOf()
	return Impairment{
		Protocol: m.Protocol, Port: m.Port, Peers: m.Peers,
		ID: i.ID, Kind: i.Kind.String(), Of: placeView(i.Of), To: placeView(i.To), Direction: string(i.Direction),
		Share: i.Share, Hit: i.Hit, Every: i.Impairment.Of, DelayMs: millis(int64(i.Delay)), JitterMs: millis(int64(i.Jitter)), Ordered: i.Ordered,
		BitsPerSecond: i.Rate, QueueMs: millis(int64(i.Queue)), Seed: i.Seed, Seen: i.Seen, Acted: i.Acted, CreatedAt: i.CreatedAt,
	}
}

func (s *Server) impairmentOperations(api huma.API) {
	huma.Register(api, get("impairments", "List the network's impairments, oldest first"), func(_ context.Context, in *pageInput) (*listOutput[Impairment], error) {
		return paginate(*in, s.opt.Impairments.List(), func(i impair.Impairment) string { return i.ID }, impairmentView)
	})
	huma.Register(api, create("impairments", "Impair the network: lose, delay, duplicate or corrupt frames, or part its ends"), func(_ context.Context, in *withBody[createImpairment]) (*output[Impairment], error) {
		b := in.Body
		i, err := s.opt.Impairments.Add(impair.Input{
			Kind: b.Kind, Of: b.Of.place(), To: b.To.place(), Direction: impair.Direction(b.Direction),
			Match: impair.Match{Protocol: b.Protocol, Port: b.Port, Peers: b.Peers}, Share: b.Share, Hit: b.Hit, Every: b.Every,
			Delay: duration(b.DelayMs), Jitter: duration(b.JitterMs), Ordered: b.Ordered, Rate: b.BitsPerSecond, Queue: duration(b.QueueMs), Seed: b.Seed,
		})
		if err != nil {
			return nil, problem(err)
		}
		return &output[Impairment]{Body: impairmentView(i)}, nil
	})
	huma.Register(api, get("impairments/{id}", "Get an impairment and how often it has acted"), func(_ context.Context, in *idInput) (*output[Impairment], error) {
		for _, i := range s.opt.Impairments.List() {
			if i.ID == in.ID {
				return &output[Impairment]{Body: impairmentView(i)}, nil
			}
		}
		return nil, missing("impairment", in.ID)
	})
	huma.Register(api, remove("impairments/{id}", "End an impairment"), func(_ context.Context, in *idInput) (*struct{}, error) {
		if ok, err := s.opt.Impairments.Remove(in.ID); err != nil || ok {
			return nil, problem(err)
		}
		return nil, missing("impairment", in.ID)
	})
	huma.Register(api, operation(http.MethodDelete, "impairments", "End every impairment", http.StatusNoContent), func(context.Context, *struct{}) (*struct{}, error) {
		return nil, problem(s.opt.Impairments.Clear())
	})
}
