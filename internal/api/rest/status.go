package rest

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
)

// Status is the server as a whole.
type Status struct {
	Version       string   `json:"version"`
	Region        string   `json:"region"`
	Epoch         string   `json:"epoch" doc:"Of this run: cursors of the stream count within it"`
	Revision      uint64   `json:"revision"`
	UptimeSeconds float64  `json:"uptimeSeconds"`
	Timing        string   `json:"timing"`
	Counters      Totals   `json:"counters"`
	Reasons       []Reason `json:"reasons" doc:"By the number that packet records carry"`
	Steps         []Step   `json:"steps" doc:"By the number that packet records carry: where on its path a frame can end"`

	Scenario *ScenarioStatus `json:"scenario,omitempty" doc:"Of the scenario that the server was started with; absent if it has no steps"`
}

// ScenarioStatus is how far a scenario's steps are.
type ScenarioStatus struct {
	Name  string `json:"name"`
	State string `json:"state" enum:"playing,completed,failed"`
	Step  int    `json:"step" doc:"Steps that are done"`
	Steps int    `json:"steps" doc:"Of so many"`
	Error string `json:"error,omitempty" doc:"Why it has failed"`
}

// Totals are the engine's: sent = delivered + linkLocal + dropped + inFlight.
type Totals struct {
	Sent      uint64            `json:"sent" doc:"By guests and by the network itself"`
	Delivered uint64            `json:"delivered"`
	LinkLocal uint64            `json:"linkLocal" doc:"Taken by the network's own services: instance metadata, DHCP, DNS and time"`
	InFlight  uint64            `json:"inFlight"`
	Dropped   map[string]uint64 `json:"dropped" doc:"By reason, those that happened"`
	ByVerdict VerdictTotals     `json:"byVerdict"`
}

// VerdictTotals are the frames whose fate is known.
type VerdictTotals struct {
	Accept  uint64 `json:"accept"`
	Reject  uint64 `json:"reject"`
	Lost    uint64 `json:"lost"`
	Control uint64 `json:"control"`
}

// Reason is one of the closed set of fates.
type Reason struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Text    string `json:"text"`
	Code    string `json:"code" doc:"AWS Reachability Analyzer's code, where one fits; of no_public_host that of what comes in, as what leaves for nobody has none"`
}

// Step is one of the places on a frame's path where it can end.
type Step struct {
	Name  string `json:"name"`
	Point string `json:"point,omitempty" doc:"The tap point at which a frame that ends there was seen last"`
	Text  string `json:"text" doc:"What decides there"`
}

// Traffic is what the measured clients see now.
type Traffic struct {
	Paused bool          `json:"paused" doc:"Every workload is paused"`
	Flows  []TrafficFlow `json:"flows"`
}

// TrafficFlow is one measured client.
type TrafficFlow struct {
	InstanceID  string     `json:"instanceId"`
	Workload    string     `json:"workload"`
	Kind        string     `json:"kind"`
	Target      string     `json:"target"`
	Sent        uint64     `json:"sent"`
	Received    uint64     `json:"received"`
	Lost        uint64     `json:"lost" doc:"Not answered within a second"`
	RTTP50Ms    *float64   `json:"rttP50Ms,omitempty" doc:"Over the last second"`
	RTTP99Ms    *float64   `json:"rttP99Ms,omitempty"`
	LastReplyAt *time.Time `json:"lastReplyAt,omitempty"`

	WaitingSince *time.Time `json:"waitingSince,omitempty" doc:"When the oldest request after the last reply left"`
	SilenceFrom  *time.Time `json:"silenceFrom,omitempty" doc:"The last reply before the newest silence of 200 ms or more that has ended"`
	SilenceTo    *time.Time `json:"silenceTo,omitempty" doc:"The first reply after it"`
}

// Event is one entry of the event log.
type Event struct {
	Seq      uint64            `json:"seq"`
	Revision uint64            `json:"revision"`
	At       time.Time         `json:"at"`
	Type     string            `json:"type"`
	Resource string            `json:"resource"`
	Detail   map[string]string `json:"detail"`
}

// Events is a part of the log.
type Events struct {
	Items  []Event `json:"items"`
	Oldest uint64  `json:"oldest" doc:"The first sequence number still kept"`
}

type eventsInput struct {
	After uint64 `query:"after" doc:"Only events with a higher sequence number"`
	Limit int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

type pauseTraffic struct {
	Paused bool `json:"paused"`
}

func (s *Server) statusOperations(api huma.API) {
	huma.Register(api, get("status", "The server, its counters and the reasons of drops"), func(context.Context, *struct{}) (*output[Status], error) {
		return &output[Status]{Body: Status{
			Version: s.opt.Version, Region: s.opt.Region, Epoch: s.epoch, Revision: s.state().Revision(),
			UptimeSeconds: time.Since(s.started).Seconds(), Timing: s.opt.Timing,
			Counters: totalsView(s.opt.Engine.Totals()), Reasons: reasonViews(), Steps: stepViews(), Scenario: s.opt.Scenario(),
		}}, nil
	})
	huma.Register(api, get("traffic", "What the measured clients see"), func(context.Context, *struct{}) (*output[Traffic], error) {
		return &output[Traffic]{Body: s.traffic()}, nil
	})
	huma.Register(api, operation(http.MethodPut, "traffic", "Pause or resume every workload", http.StatusOK),
		func(ctx context.Context, in *withBody[pauseTraffic]) (*output[Traffic], error) {
			if err := s.opt.Control.PauseTraffic(ctx, in.Body.Paused); err != nil {
				return nil, problem(err)
			}
			return &output[Traffic]{Body: s.traffic()}, nil
		})
	huma.Register(api, get("events", "The event log"), func(ctx context.Context, in *eventsInput) (*output[Events], error) {
		// The store's numbers are signed.
		evs, oldest, err := s.opt.Control.Events(ctx, min(in.After, math.MaxInt64), in.Limit)
		if err != nil {
			return nil, problem(err)
		}
		return &output[Events]{Body: Events{Items: views(evs, eventView), Oldest: oldest}}, nil
	})
	huma.Register(api, get("topology", "Everything the dashboard needs, in one answer"), func(context.Context, *struct{}) (*output[Topology], error) {
		return &output[Topology]{Body: s.topology()}, nil
	})
}

func totalsView(t dataplane.Totals) Totals {
	v := Totals{
		Sent: t.TxFrames + t.Originated, Delivered: t.RxFrames, LinkLocal: t.LinkLocal, InFlight: t.InFlight, Dropped: droppedView(t.Dropped),
	}
	by := [verdict.NumVerdicts]uint64{verdict.Accept: t.RxFrames, verdict.Control: t.LinkLocal}
	for r, n := range t.Dropped {
		by[verdict.Reason(r).Verdict()] += n
	}
	v.ByVerdict = VerdictTotals{
		Accept: by[verdict.Accept], Reject: by[verdict.Reject], Lost: by[verdict.Lost], Control: by[verdict.Control],
	}
	return v
}

func reasonViews() []Reason {
	out := make([]Reason, verdict.NumReasons)
	for i := range out {
		r := verdict.Reason(i)
		out[i] = Reason{Name: r.String(), Verdict: r.Verdict().String(), Text: r.Text(), Code: r.Code()}
	}
	return out
}

func stepViews() []Step {
	out := make([]Step, verdict.NumSteps)
	for i := range out {
		s := verdict.Step(i)
		out[i] = Step{Name: s.String(), Point: pointName(s), Text: s.Text()}
	}
	return out
}

// pointName is the tap point of a step, "" of none.
func pointName(s verdict.Step) string {
	if s == verdict.StepNone {
		return ""
	}
	return s.Point().String()
}

func (s *Server) traffic() Traffic {
	return Traffic{Paused: paused(s.state()), Flows: s.flows()}
}

func (s *Server) flows() []TrafficFlow {
	if s.opt.Guests == nil {
		return []TrafficFlow{}
	}
	return views(s.opt.Guests.Stats(), flowStatsView)
}

func flowStatsView(f guest.FlowStats) TrafficFlow {
	v := TrafficFlow{
		InstanceID: f.Host, Workload: f.Workload, Kind: f.Kind, Target: f.Target.String(),
		Sent: f.Sent, Received: f.Received, Lost: f.Lost, RTTP50Ms: ifSet(f.RTTp50), RTTP99Ms: ifSet(f.RTTp99),
	}
	v.LastReplyAt, v.WaitingSince = timeIfSet(f.LastReplyAt), timeIfSet(f.WaitingSince)
	v.SilenceFrom, v.SilenceTo = timeIfSet(f.Silence.From), timeIfSet(f.Silence.To)
	return v
}

func timeIfSet(nanos int64) *time.Time {
	if nanos == 0 {
		return nil
	}
	at := time.Unix(0, nanos).UTC()
	return &at
}

// paused reports whether there are workloads and none is running.
func paused(st *control.State) bool {
	any := false
	for _, i := range st.Instances() {
		for _, w := range i.Workloads {
			if !w.Paused {
				return false
			}
			any = true
		}
	}
	return any
}

func eventView(e control.Event) Event {
	return Event{
		Seq: e.Seq, Revision: e.Revision, At: e.At, Type: e.Type, Resource: e.Resource,
		Detail: tagsView(e.Detail),
	}
}

// streamStatus is the stream's message four times a second; the hub adds its type.
type streamStatus struct {
	Type string `json:"type"`
	Totals
	Paused bool          `json:"paused"`
	Flows  []TrafficFlow `json:"flows"`
	// Policies by id: how a watch stands changes without an event.
	Policies map[string]PolicyStatus `json:"policies"`
}

func (s *Server) streamStatus() any {
	policies := map[string]PolicyStatus{}
	for _, p := range s.state().Policies() {
		policies[p.ID] = s.policyStatus(p)
	}
	return streamStatus{
		Policies: policies,
		Type:     "status", Totals: totalsView(s.opt.Engine.Totals()),
		Paused: paused(s.state()), Flows: s.flows(),
	}
}
