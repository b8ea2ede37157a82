package rest

import (
	"net/netip"

	"enilab/internal/control"
)

// Failover is the record of one move of a network interface, of addresses or of a
// route. Instants are Unix
// nanoseconds as strings, because JavaScript's numbers cannot hold them.
type Failover struct {
	ID                 string          `json:"id"`
	Kind               string          `json:"kind" enum:"failover,failback,move"`
	State              string          `json:"state" enum:"running,completed,failed"`
	Error              string          `json:"error,omitempty"`
	PolicyID           string          `json:"policyId,omitempty"`
	NetworkInterfaceID string          `json:"networkInterfaceId" doc:"The interface that moved, or that has now what moved"`
	Moved              FailoverMoved   `json:"moved"`
	FromInstanceID     string          `json:"fromInstanceId"`
	ToInstanceID       string          `json:"toInstanceId"`
	StartedAt          string          `json:"startedAt" doc:"Fault injected, or move accepted"`
	EndedAt            string          `json:"endedAt,omitempty"`
	Phases             []FailoverPhase `json:"phases"`
	Control            FailoverControl `json:"control" doc:"The control plane's own times, apart from what clients saw"`
	OutageMs           *float64        `json:"outageMs" doc:"The largest of traffic; null if no measured client used the interface"`
	RequestsSent       uint64          `json:"requestsSent"`
	RequestsLost       uint64          `json:"requestsLost"`
	Traffic            []ClientTraffic `json:"traffic"`
	TCP                FailoverTCP     `json:"tcp"`
	Checks             []FailoverCheck `json:"checks"`
	Cause              *FailoverCause  `json:"cause,omitempty" doc:"What the policy's probe saw; of a policy's failover only"`
	Notes              []string        `json:"notes"`

	Fencing         *FailoverFencing   `json:"fencing,omitempty" doc:"What a policy did to the former owner first"`
	Calls           []FailoverCall     `json:"calls" doc:"What a policy called in the take-over, as a client of the EC2 API"`
	Answered        []FailoverAnswered `json:"answered" doc:"Which instances' replies reached the clients, and when"`
	AnsweredByTwoMs float64            `json:"answeredByTwoMs" doc:"How long the former and the new owner both answered for one address"`
}

// FailoverFencing is how a policy kept the former owner from answering.
type FailoverFencing struct {
	Fence      string `json:"fence" enum:"stop,detach"`
	InstanceID string `json:"instanceId"`
	Start      string `json:"start"`
	End        string `json:"end"`
	Error      string `json:"error,omitempty" doc:"Why it failed"`
}

// FailoverCall is one call of a policy.
type FailoverCall struct {
	Operation string `json:"operation"`
	Start     string `json:"start"`
	End       string `json:"end,omitempty"`
	Error     string `json:"error,omitempty"`
}

// FailoverAnswered says when an instance's replies reached the clients.
type FailoverAnswered struct {
	InstanceID string `json:"instanceId"`
	Target     string `json:"target"`
	First      string `json:"first"`
	Last       string `json:"last"`
	Replies    uint64 `json:"replies"`
}

// FailoverMoved is what moved, and between which interfaces.
type FailoverMoved struct {
	Kind            string   `json:"kind" enum:"network-interface,private-addresses,elastic-ip,route"`
	FromInterfaceID string   `json:"fromInterfaceId" doc:"The same as toInterfaceId of a network interface that moved itself"`
	ToInterfaceID   string   `json:"toInterfaceId"`
	Scope           string   `json:"scope" enum:"subnet,zone,region" doc:"How far what moved could have moved"`
	Addresses       []string `json:"addresses,omitempty" doc:"Private addresses that moved"`
	AllocationID    string   `json:"allocationId,omitempty" doc:"Of an Elastic IP"`
	PublicIP        string   `json:"publicIp,omitempty" doc:"Of an Elastic IP"`
	RouteTableID    string   `json:"routeTableId,omitempty" doc:"Of a route"`
	Destination     string   `json:"destination,omitempty" doc:"Of a route: a block or the id of a prefix list"`
}

// FailoverCause is why a policy moved the interface.
type FailoverCause struct {
	Misses          int        `json:"misses" doc:"Probes missed in a row"`
	FromInterfaceID string     `json:"fromInterfaceId,omitempty" doc:"The interface that probed; none if the owner was gone"`
	Detail          string     `json:"detail" doc:"What became of the last probe"`
	Seen            *FrameFate `json:"seen,omitempty" doc:"Where a frame of the last probe ended, if one was dropped"`
}

// FailoverPhase is one part of the way.
type FailoverPhase struct {
	Name  string  `json:"name" enum:"detect,fence,decide,detach,attach,recover"`
	Start string  `json:"start"`
	End   string  `json:"end,omitempty"`
	Ms    float64 `json:"ms"`
}

// FailoverControl are the control plane's own times.
type FailoverControl struct {
	FaultAt          string   `json:"faultAt,omitempty"`
	DetectedAt       string   `json:"detectedAt,omitempty"`
	AcceptedAt       string   `json:"acceptedAt,omitempty"`
	DetachedAt       string   `json:"detachedAt,omitempty"`
	AttachedAt       string   `json:"attachedAt,omitempty"`
	DetachToAttachMs *float64 `json:"detachToAttachMs,omitempty"`
}

// ClientTraffic is what one client saw.
type ClientTraffic struct {
	Client             string   `json:"client" doc:"Instance id"`
	NetworkInterfaceID string   `json:"networkInterfaceId"`
	Workload           string   `json:"workload"`
	Kind               string   `json:"kind"`
	Target             string   `json:"target"`
	LastReplyAt        string   `json:"lastReplyAt,omitempty" doc:"The last good reply before the gap"`
	LastReplyFrom      string   `json:"lastReplyFrom,omitempty"`
	LastReplySeq       uint64   `json:"lastReplySeq"`
	FirstReplyAt       string   `json:"firstReplyAt,omitempty" doc:"The first good reply after the gap"`
	FirstReplyFrom     string   `json:"firstReplyFrom,omitempty"`
	FirstReplySeq      uint64   `json:"firstReplySeq"`
	OutageMs           *float64 `json:"outageMs"`
	Sent               uint64   `json:"sent"`
	Lost               uint64   `json:"lost" doc:"Requests not answered within a second"`
	LostFirst          uint64   `json:"lostFirst"`
	LostLast           uint64   `json:"lostLast"`
	Incomplete         string   `json:"incomplete,omitempty" doc:"Why the measurement is not whole"`
}

// FailoverTCP is the fate of the connections that were open.
type FailoverTCP struct {
	Open               int      `json:"open"`
	Reset              int      `json:"reset"`
	Closed             int      `json:"closed"`
	Survived           int      `json:"survived"`
	Reconnected        int      `json:"reconnected"`
	ReconnectedAfterMs *float64 `json:"reconnectedAfterMs,omitempty"`
}

// FailoverCheck compares a value before and after.
type FailoverCheck struct {
	Name   string `json:"name" enum:"ip,mac,groups,eni,eip,destination,source-dest-check"`
	Before string `json:"before"`
	After  string `json:"after"`
	Result string `json:"result" enum:"same,changed,not-exercised"`
}

func failoverID(f *control.Failover) string { return f.ID }

func failoverView(f *control.Failover) Failover {
	v := Failover{
		ID: f.ID, Kind: string(f.Kind), State: string(f.State), Error: f.Error, PolicyID: f.Policy,
		NetworkInterfaceID: f.NetworkInterface, Moved: movedView(f.Moved), FromInstanceID: f.From, ToInstanceID: f.To,
		StartedAt: instant(f.StartedAt), EndedAt: instant(f.EndedAt),
		Phases: views(f.Phases, phaseView), Control: controlTimesView(f.Control),
		Traffic: views(f.Traffic, trafficView), Checks: views(f.Checks, checkView),
		Cause: causeView(f.Cause), Notes: append([]string{}, f.Notes...),
		TCP: FailoverTCP{
			Open: f.TCP.Open, Reset: f.TCP.Reset, Closed: f.TCP.Closed, Survived: f.TCP.Survived,
			Reconnected: f.TCP.Reconnected, ReconnectedAfterMs: ifSet(f.TCP.ReconnectedAfter),
		},
	}
	v.Calls, v.AnsweredByTwoMs = views(f.Calls, callView), millis(f.AnsweredByTwo)
	v.Answered = views(f.Answered, answeredView)
	if g := f.Fencing; g != nil {
		v.Fencing = &FailoverFencing{Fence: string(g.Fence), InstanceID: g.Instance, Start: instant(g.Start), End: instant(g.End), Error: g.Error}
	}
	for i, t := range f.Traffic {
		v.RequestsSent += t.Sent
		v.RequestsLost += t.Lost
		if ms := v.Traffic[i].OutageMs; ms != nil && (v.OutageMs == nil || *ms > *v.OutageMs) {
			v.OutageMs = ms
		}
	}
	return v
}

func callView(c control.APICall) FailoverCall {
	return FailoverCall{Operation: c.Operation, Start: instant(c.Start), End: instant(c.End), Error: c.Error}
}

func answeredView(a control.Answered) FailoverAnswered {
	return FailoverAnswered{
		InstanceID: a.Instance, Target: a.Target.String(), First: instant(a.First), Last: instant(a.Last), Replies: a.Replies,
	}
}

// failoverView is what the stream says of a record; nil if it is gone.
func (s *Server) failoverView(id string) any {
	f := s.state().Failover(id)
	if f == nil {
		return nil
	}
	return failoverView(f)
}

func movedView(m control.Moved) FailoverMoved {
	v := FailoverMoved{
		Kind: string(m.Kind), Scope: m.Kind.Scope(), FromInterfaceID: m.From, ToInterfaceID: m.To, Addresses: views(m.Addresses, netip.Addr.String),
		AllocationID: m.Allocation, RouteTableID: m.RouteTable, Destination: m.Destination,
	}
	if m.PublicIP.IsValid() {
		v.PublicIP = m.PublicIP.String()
	}
	return v
}

func causeView(c *control.FailoverCause) *FailoverCause {
	if c == nil {
		return nil
	}
	v := &FailoverCause{Misses: c.Misses, FromInterfaceID: c.From, Detail: c.Detail}
	if c.Reason != "" {
		v.Seen = &FrameFate{Reason: c.Reason, Point: c.Point, NetworkInterfaceID: c.At}
	}
	return v
}

func phaseView(p control.Phase) FailoverPhase {
	v := FailoverPhase{Name: p.Name, Start: instant(p.Start), End: instant(p.End)}
	if p.Start != 0 && p.End != 0 {
		v.Ms = millis(p.End - p.Start)
	}
	return v
}

func controlTimesView(c control.ControlTimes) FailoverControl {
	v := FailoverControl{
		FaultAt: instant(c.FaultAt), DetectedAt: instant(c.DetectedAt), AcceptedAt: instant(c.AcceptedAt),
		DetachedAt: instant(c.DetachedAt), AttachedAt: instant(c.AttachedAt),
	}
	if c.DetachedAt != 0 && c.AttachedAt != 0 {
		ms := millis(c.AttachedAt - c.DetachedAt)
		v.DetachToAttachMs = &ms
	}
	return v
}

func trafficView(t control.TrafficResult) ClientTraffic {
	v := ClientTraffic{
		Client: t.Client, NetworkInterfaceID: t.NetworkInterface, Workload: t.Workload, Kind: t.Kind,
		LastReplyAt: instant(t.LastReplyAt), LastReplyFrom: t.LastReplyFrom, LastReplySeq: t.LastReplySeq,
		FirstReplyAt: instant(t.FirstReplyAt), FirstReplyFrom: t.FirstReplyFrom, FirstReplySeq: t.FirstReplySeq,
		Sent: t.Sent, Lost: t.Lost, LostFirst: t.LostFirst, LostLast: t.LostLast, Incomplete: t.Incomplete,
	}
	if t.Target.IsValid() {
		v.Target = t.Target.String()
	}
	// Without both replies there is no gap to measure, which is not a gap of 0.
	if t.LastReplyAt != 0 && t.FirstReplyAt != 0 {
		ms := millis(t.OutageNanos)
		v.OutageMs = &ms
	}
	return v
}

func checkView(c control.Check) FailoverCheck { return FailoverCheck(c) }

func ifSet(nanos int64) *float64 {
	if nanos == 0 {
		return nil
	}
	ms := millis(nanos)
	return &ms
}
