package rest

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Instance is a virtual machine.
type Instance struct {
	ID            string              `json:"id"`
	Name          string              `json:"name" doc:"The Name tag"`
	Type          string              `json:"type"`
	State         string              `json:"state" enum:"pending,running,shutting-down,terminated,stopping,stopped"`
	StateAt       time.Time           `json:"stateAt"`
	Zone          string              `json:"zone"`
	VPCID         string              `json:"vpcId"`
	SubnetID      string              `json:"subnetId"`
	Fault         string              `json:"fault" doc:"The injected failure: freeze, link, stop or empty"`
	FaultAt       *time.Time          `json:"faultAt,omitempty"`
	MaxInterfaces int                 `json:"maxInterfaces" doc:"How many network interfaces the type takes"`
	Role          string              `json:"role,omitempty" doc:"The tag enilab:role: client, active, standby, ..."`
	Workloads     []Workload          `json:"workloads"`
	Serve         []ServedPort        `json:"serve" doc:"Ports it serves beside UDP echo on 7 and HTTP on 80"`
	Interfaces    []InstanceInterface `json:"interfaces"`
	Stale         []StaleInterface    `json:"staleInterfaces" doc:"What forced detaches have left: device indexes that cannot be used and metadata that still shows the interface, until the instance is stopped and started"`
	Tags          map[string]string   `json:"tags"`
	LaunchedAt    time.Time           `json:"launchedAt"`
	MetadataLagMs float64             `json:"metadataLagMs" doc:"How far its metadata is behind"`
}

// InstanceInterface is one network interface at its device index.
type InstanceInterface struct {
	NetworkInterfaceID string `json:"networkInterfaceId"`
	DeviceIndex        int    `json:"deviceIndex"`
	AttachmentState    string `json:"attachmentState"`
}

// StaleInterface is a device index that a forced detach has made unusable.
type StaleInterface struct {
	NetworkInterfaceID string    `json:"networkInterfaceId" doc:"That was forced off"`
	DeviceIndex        int       `json:"deviceIndex"`
	Since              time.Time `json:"since"`
}

// Workload is a client or generator that a guest runs.
type Workload struct {
	Name        string  `json:"name" maxLength:"64"`
	Kind        string  `json:"kind" enum:"udp-echo,ping,http,frames"`
	Target      string  `json:"target" maxLength:"64" doc:"IPv4 address"`
	Port        uint16  `json:"port,omitempty" maximum:"65535" doc:"Default: the kind's"`
	Rate        float64 `json:"rate" doc:"Requests a second; for http per connection"`
	Connections int     `json:"connections,omitempty"`
	Size        int     `json:"size,omitempty" doc:"Payload bytes"`
	Paused      bool    `json:"paused,omitempty"`
}

// ServedPort is a port on which a guest answers: HTTP on TCP, echo on UDP.
type ServedPort struct {
	Protocol string `json:"protocol" enum:"tcp,udp"`
	Port     int    `json:"port" minimum:"1" maximum:"65535"`
}

type runInstance struct {
	SubnetID           string            `json:"subnetId,omitempty" maxLength:"64"`
	Type               string            `json:"type,omitempty" maxLength:"64" doc:"Default: t3.micro"`
	PrivateIP          string            `json:"privateIp,omitempty" maxLength:"64"`
	GroupIDs           []string          `json:"groupIds,omitempty" maxItems:"100"`
	Workloads          []Workload        `json:"workloads,omitempty" maxItems:"64"`
	Serve              []ServedPort      `json:"serve,omitempty" maxItems:"64"`
	Tags               map[string]string `json:"tags,omitempty"`
	NetworkInterfaceID string            `json:"networkInterfaceId,omitempty" maxLength:"64" doc:"An existing interface as primary, instead of subnetId, privateIp and groupIds"`
}

type stopInstance struct {
	Force bool `json:"force,omitempty"`
}

type failInstance struct {
	Mode string `json:"mode,omitempty" enum:"freeze,link,stop" default:"freeze"`
}

// metadataLag is up to an hour (control.MaxMetadataLag).
type metadataLag struct {
	LagMs float64 `json:"lagMs" minimum:"0" maximum:"3600000" doc:"Metadata shows the truth of so long ago; 0: it is up to date"`
}

const roleTag = "enilab:role"

func instanceView(st *control.State) func(*control.Instance) Instance {
	return func(i *control.Instance) Instance {
		v := Instance{
			ID: i.ID, Name: i.Name(), Type: i.Type, State: string(i.State), StateAt: i.StateAt,
			Zone: i.Zone, VPCID: i.VPC, SubnetID: i.Subnet, Fault: string(i.Fault),
			Role: i.Tags[roleTag], Tags: tagsView(i.Tags), LaunchedAt: i.LaunchTime(),
			Workloads:  views(i.Workloads, workloadView),
			Serve:      views(i.Serve, servedView),
			Interfaces: views(st.InterfacesOf(i.ID), instanceInterfaceView),
			Stale: views(i.Stale, func(o control.StaleInterface) StaleInterface {
				return StaleInterface{o.NetworkInterface, o.DeviceIndex, o.Since}
			}),

			MetadataLagMs: float64(i.MetadataLag) / float64(time.Millisecond),
		}
		if !i.FaultAt.IsZero() && i.Fault != control.FaultNone {
			v.FaultAt = &i.FaultAt
		}
		if t, ok := control.InstanceTypeByName(i.Type); ok {
			v.MaxInterfaces = t.Interfaces
		}
		return v
	}
}

func instanceInterfaceView(n *control.NetworkInterface) InstanceInterface {
	return InstanceInterface{n.ID, n.Attachment.DeviceIndex, string(n.Attachment.State)}
}

func workloadView(w spec.Workload) Workload {
	v := Workload{
		Name: w.Name, Kind: w.Kind, Port: w.Port, Rate: w.Rate,
		Connections: w.Connections, Size: w.Size, Paused: w.Paused,
	}
	if w.Target.IsValid() {
		v.Target = w.Target.String()
	}
	return v
}

func servedView(p spec.ServedPort) ServedPort {
	return ServedPort{Protocol: p.Protocol, Port: int(p.Port)}
}

func servedPorts(ps []ServedPort) []spec.ServedPort {
	return views(ps, func(p ServedPort) spec.ServedPort {
		return spec.ServedPort{Protocol: p.Protocol, Port: uint16(p.Port)}
	})
}

func workloadSpecs(ws []Workload) ([]spec.Workload, error) {
	out := make([]spec.Workload, 0, len(ws))
	for i, w := range ws {
		target, err := netip.ParseAddr(w.Target)
		if err != nil {
			return nil, wrong("body.workloads["+strconv.Itoa(i)+"].target", "want an IPv4 address", w.Target)
		}
		out = append(out, spec.Workload{
			Name: w.Name, Kind: w.Kind, Target: target, Port: w.Port, Rate: w.Rate,
			Connections: w.Connections, Size: w.Size, Paused: w.Paused,
		})
	}
	return out, nil
}

// wrong is for values whose form the schema cannot check.
func wrong(location, want, value string) error {
	return newProblem(http.StatusBadRequest, "", location+": "+want,
		&huma.ErrorDetail{Location: location, Message: want, Value: value})
}

func (s *Server) instanceOperations(api huma.API) {
	huma.Register(api, get("instances", "List instances"), func(_ context.Context, in *pageInput) (*listOutput[Instance], error) {
		st := s.state()
		return paginate(*in, st.Instances(), func(i *control.Instance) string { return i.ID }, instanceView(st))
	})
	huma.Register(api, get("instances/{id}", "Get an instance"), func(_ context.Context, in *idInput) (*output[Instance], error) {
		st := s.state()
		return found(st.Instance(in.ID), "instance", in.ID, instanceView(st))
	})
	huma.Register(api, create("instances", "Launch an instance"), func(ctx context.Context, in *withBody[runInstance]) (*output[Instance], error) {
		b := in.Body
		workloads, err := workloadSpecs(b.Workloads)
		if err != nil {
			return nil, err
		}
		return s.instance(s.opt.Control.RunInstance(ctx, control.RunInstanceInput{
			Subnet: b.SubnetID, Type: b.Type, PrivateIP: b.PrivateIP, Groups: b.GroupIDs,
			Workloads: workloads, Serve: servedPorts(b.Serve), Tags: b.Tags, Interface: b.NetworkInterfaceID,
		}))
	})
	huma.Register(api, operation(http.MethodDelete, "instances/{id}", "Terminate an instance", http.StatusOK),
		func(ctx context.Context, in *idInput) (*output[Instance], error) {
			return s.instance(s.opt.Control.TerminateInstance(ctx, in.ID))
		})
	huma.Register(api, act("instances/{id}/start", "Start a stopped instance"), func(ctx context.Context, in *idInput) (*output[Instance], error) {
		return s.instance(s.opt.Control.StartInstance(ctx, in.ID))
	})
	huma.Register(api, act("instances/{id}/stop", "Stop an instance"), func(ctx context.Context, in *idAndOptional[stopInstance]) (*output[Instance], error) {
		return s.instance(s.opt.Control.StopInstance(ctx, in.ID, in.body().Force))
	})
	huma.Register(api, act("instances/{id}/reboot", "Reboot an instance"), func(ctx context.Context, in *idInput) (*output[Instance], error) {
		return s.instance(s.opt.Control.RebootInstance(ctx, in.ID))
	})
	huma.Register(api, act("instances/{id}/fail", "Inject a failure"), func(ctx context.Context, in *idAndOptional[failInstance]) (*output[Instance], error) {
		mode := control.Fault(in.body().Mode)
		if mode == control.FaultNone {
			mode = control.FaultFreeze
		}
		return s.instance(s.opt.Faults.Fail(ctx, in.ID, mode))
	})
	huma.Register(api, act("instances/{id}/recover", "Clear the injected failure"), func(ctx context.Context, in *idInput) (*output[Instance], error) {
		return s.instance(s.opt.Faults.Recover(ctx, in.ID))
	})
	huma.Register(api, replace("instances/{id}/workloads", "Replace what runs in an instance"), func(ctx context.Context, in *idAndBody[[]Workload]) (*output[Instance], error) {
		workloads, err := workloadSpecs(in.Body)
		if err != nil {
			return nil, err
		}
		return s.instance(s.opt.Control.SetWorkloads(ctx, in.ID, workloads))
	})
	huma.Register(api, replace("instances/{id}/serve", "Replace the ports that an instance serves"), func(ctx context.Context, in *idAndBody[[]ServedPort]) (*output[Instance], error) {
		return s.instance(s.opt.Control.SetServe(ctx, in.ID, servedPorts(in.Body)))
	})
	huma.Register(api, replace("instances/{id}/metadata-lag", "Have an instance's metadata lag behind"), func(ctx context.Context, in *idAndBody[metadataLag]) (*output[Instance], error) {
		lag := time.Duration(in.Body.LagMs * float64(time.Millisecond))
		return s.instance(s.opt.Control.SetMetadataLag(ctx, in.ID, lag))
	})
}

// idAndOptional is for actions that scripts call without a body.
type idAndOptional[T any] struct {
	ID   string `path:"id" maxLength:"64"`
	Body *T
}

func (in *idAndOptional[T]) body() (b T) {
	if in.Body != nil {
		return *in.Body
	}
	return b
}

func (s *Server) instance(i *control.Instance, err error) (*output[Instance], error) {
	return answer(i, err, instanceView(s.state()))
}
