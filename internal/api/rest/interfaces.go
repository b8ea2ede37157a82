package rest

import (
	"cmp"
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

// NetworkInterface is an ENI.
type NetworkInterface struct {
	ID              string            `json:"id"`
	MACAddress      string            `json:"macAddress"`
	Description     string            `json:"description"`
	Status          string            `json:"status" enum:"available,in-use"`
	VPCID           string            `json:"vpcId"`
	SubnetID        string            `json:"subnetId"`
	Zone            string            `json:"zone"`
	Type            string            `json:"type" doc:"interface, efa, efa-only, trunk, branch, nat_gateway, transit_gateway or vpc_endpoint"`
	PrivateIPs      []PrivateIP       `json:"privateIps" doc:"The primary address first"`
	Prefixes        []string          `json:"prefixes,omitempty" doc:"IPv4 prefixes, each of sixteen addresses"`
	IPv6            []string          `json:"ipv6,omitempty" doc:"IPv6 addresses and prefixes"`
	Groups          []GroupName       `json:"groups"`
	SourceDestCheck bool              `json:"sourceDestCheck"`
	Attachment      *Attachment       `json:"attachment,omitempty"`
	Counters        Counters          `json:"counters"`
	Tags            map[string]string `json:"tags"`
	CreatedAt       time.Time         `json:"createdAt"`
}

// PrivateIP is a private address and the public one in front of it.
type PrivateIP struct {
	Address      string `json:"address"`
	Primary      bool   `json:"primary"`
	PublicIP     string `json:"publicIp,omitempty" doc:"An Elastic IP, or the address that was assigned automatically"`
	AllocationID string `json:"allocationId,omitempty" doc:"Of the Elastic IP"`
}

// GroupName is a security group an interface carries.
type GroupName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Attachment binds an interface to an instance.
type Attachment struct {
	ID                  string    `json:"id"`
	InstanceID          string    `json:"instanceId"`
	DeviceIndex         int       `json:"deviceIndex"`
	NetworkCard         int       `json:"networkCard" doc:"0 unless the instance type has several"`
	State               string    `json:"state" enum:"attaching,attached,detaching,detached"`
	DeleteOnTermination bool      `json:"deleteOnTermination"`
	AttachedAt          time.Time `json:"attachedAt"`
}

// Counters are an interface's frames, seen from its guest. A drop is counted
// at the interface that decided it.
type Counters struct {
	TxFrames  uint64            `json:"txFrames"`
	TxBytes   uint64            `json:"txBytes"`
	RxFrames  uint64            `json:"rxFrames"`
	RxBytes   uint64            `json:"rxBytes"`
	LinkLocal uint64            `json:"linkLocal" doc:"Frames that the network's own services took (instance metadata, DHCP, DNS, time); they are no drops"`
	Dropped   map[string]uint64 `json:"dropped" doc:"Frames by reason, those that happened"`
}

type createInterface struct {
	SubnetID       string            `json:"subnetId" maxLength:"64"`
	Description    string            `json:"description,omitempty" maxLength:"255"`
	PrivateIP      string            `json:"privateIp,omitempty" maxLength:"64" doc:"Default: any free address"`
	SecondaryIPs   []string          `json:"secondaryIps,omitempty" maxItems:"100"`
	SecondaryCount int               `json:"secondaryCount,omitempty" minimum:"0" maximum:"100"`
	GroupIDs       []string          `json:"groupIds,omitempty" maxItems:"100" doc:"Default: the VPC's default group"`
	Tags           map[string]string `json:"tags,omitempty"`
}

type changeInterface struct {
	Description         *string  `json:"description,omitempty" maxLength:"255"`
	GroupIDs            []string `json:"groupIds,omitempty" maxItems:"100" doc:"Replaces the whole set"`
	SourceDestCheck     *bool    `json:"sourceDestCheck,omitempty"`
	DeleteOnTermination *bool    `json:"deleteOnTermination,omitempty" doc:"Of the present attachment"`
}

type attachInterface struct {
	InstanceID  string `json:"instanceId" maxLength:"64"`
	DeviceIndex int    `json:"deviceIndex"`
}

type detachInterface struct {
	Force bool `json:"force,omitempty"`
}

type assignAddresses struct {
	Addresses         []string `json:"addresses,omitempty" maxItems:"100"`
	Count             int      `json:"count,omitempty" minimum:"0" maximum:"100"`
	AllowReassignment bool     `json:"allowReassignment,omitempty" doc:"Take the addresses away from other interfaces"`
	Announce          *bool    `json:"announce,omitempty" doc:"Whether the guests of the subnet are told of those addresses that were another interface's; default: announceMoves of timings"`
}

func (s *Server) interfaceView(st *control.State) func(*control.NetworkInterface) NetworkInterface {
	return func(n *control.NetworkInterface) NetworkInterface {
		v := NetworkInterface{
			ID: n.ID, MACAddress: n.MAC.String(), Description: n.Description, Status: n.Status(),
			VPCID: n.VPC, SubnetID: n.Subnet, Zone: n.Zone, SourceDestCheck: n.SourceDestCheck, Type: cmp.Or(n.Type, control.TypeInterface),
			PrivateIPs: privateIPViews(st, n), Groups: make([]GroupName, 0, len(n.Groups)),
			Tags: tagsView(n.Tags), CreatedAt: n.CreatedAt,
		}
		for _, p := range n.Prefixes {
			v.Prefixes = append(v.Prefixes, p.String())
		}
		for _, a := range n.IPv6 {
			v.IPv6 = append(v.IPv6, a.Addr.String())
		}
		for _, p := range n.IPv6Prefixes {
			v.IPv6 = append(v.IPv6, p.String())
		}
		for _, id := range n.Groups {
			g := GroupName{ID: id}
			if group := st.SecurityGroup(id); group != nil {
				g.Name = group.Name
			}
			v.Groups = append(v.Groups, g)
		}
		if a := n.Attachment; a != nil {
			v.Attachment = &Attachment{
				ID: a.ID, InstanceID: a.Instance, DeviceIndex: a.DeviceIndex, NetworkCard: a.NetworkCard, State: string(a.State),
				DeleteOnTermination: a.DeleteOnTermination, AttachedAt: a.AttachTime,
			}
		}
		c, _ := s.opt.Engine.VNICCounters(n.ID)
		v.Counters = countersView(c)
		return v
	}
}

func privateIPViews(st *control.State, n *control.NetworkInterface) []PrivateIP {
	elastic := map[netip.Addr]*control.Address{}
	for _, a := range st.AddressesOf(n.ID) {
		elastic[a.PrivateIP] = a
	}
	return views(n.Addresses, func(a control.PrivateAddress) PrivateIP {
		v := PrivateIP{Address: a.Addr.String(), Primary: a.Primary}
		switch e := elastic[a.Addr]; {
		case e != nil:
			v.PublicIP, v.AllocationID = e.PublicIP.String(), e.AllocationID
		case a.Primary && n.PublicIP.IsValid():
			v.PublicIP = n.PublicIP.String()
		}
		return v
	})
}

func countersView(c dataplane.Counters) Counters {
	return Counters{
		TxFrames: c.TxFrames, TxBytes: c.TxBytes, RxFrames: c.RxFrames, RxBytes: c.RxBytes,
		LinkLocal: c.LinkLocal, Dropped: droppedView(c.Dropped),
	}
}

func droppedView(dropped [verdict.NumReasons]uint64) map[string]uint64 {
	out := map[string]uint64{}
	for r, n := range dropped {
		if n > 0 {
			out[verdict.Reason(r).String()] = n
		}
	}
	return out
}

func interfaceID(n *control.NetworkInterface) string { return n.ID }

func (s *Server) interfaceOperations(api huma.API) {
	huma.Register(api, get("network-interfaces", "List network interfaces"), func(_ context.Context, in *pageInput) (*listOutput[NetworkInterface], error) {
		st := s.state()
		return paginate(*in, st.NetworkInterfaces(), interfaceID, s.interfaceView(st))
	})
	huma.Register(api, get("network-interfaces/{id}", "Get a network interface"), func(_ context.Context, in *idInput) (*output[NetworkInterface], error) {
		st := s.state()
		return found(st.NetworkInterface(in.ID), "network interface", in.ID, s.interfaceView(st))
	})
	huma.Register(api, create("network-interfaces", "Create a network interface"), func(ctx context.Context, in *withBody[createInterface]) (*output[NetworkInterface], error) {
		b := in.Body
		return s.networkInterface(s.opt.Control.CreateInterface(ctx, control.CreateInterfaceInput{
			Subnet: b.SubnetID, Description: b.Description, PrivateIP: b.PrivateIP,
			SecondaryIPs: b.SecondaryIPs, SecondaryCount: b.SecondaryCount, Groups: b.GroupIDs, Tags: b.Tags,
		}))
	})
	huma.Register(api, operation(http.MethodPatch, "network-interfaces/{id}", "Change one attribute of a network interface", http.StatusOK),
		func(ctx context.Context, in *idAndBody[changeInterface]) (*output[NetworkInterface], error) {
			b := in.Body
			change := control.ModifyInterfaceInput{
				ID: in.ID, Description: b.Description, Groups: b.GroupIDs,
				SourceDestCheck: b.SourceDestCheck, DeleteOnTermination: b.DeleteOnTermination,
			}
			if n := s.state().NetworkInterface(in.ID); n != nil && n.Attachment != nil && b.DeleteOnTermination != nil {
				change.AttachmentID = n.Attachment.ID
			}
			return s.networkInterface(s.opt.Control.ModifyInterface(ctx, change))
		})
	huma.Register(api, remove("network-interfaces/{id}", "Delete an unattached network interface"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeleteInterface(ctx, in.ID))
	})
	huma.Register(api, act("network-interfaces/{id}/attach", "Attach to an instance"), func(ctx context.Context, in *idAndBody[attachInterface]) (*output[NetworkInterface], error) {
		return s.networkInterface(s.opt.Control.Attach(ctx, control.AttachInput{
			Interface: in.ID, Instance: in.Body.InstanceID, DeviceIndex: in.Body.DeviceIndex,
		}))
	})
	huma.Register(api, act("network-interfaces/{id}/detach", "Detach from its instance"), func(ctx context.Context, in *idAndOptional[detachInterface]) (*output[NetworkInterface], error) {
		attachment, err := s.attachmentOf(in.ID)
		if err != nil {
			return nil, err
		}
		return s.networkInterface(s.opt.Control.Detach(ctx, control.DetachInput{Attachment: attachment, Force: in.body().Force}))
	})
	huma.Register(api, act("network-interfaces/{id}/private-ips", "Assign secondary addresses"), func(ctx context.Context, in *idAndBody[assignAddresses]) (*output[NetworkInterface], error) {
		n, _, err := s.opt.Control.AssignAddresses(ctx, control.AssignAddressesInput{
			ID: in.ID, IPs: in.Body.Addresses, Count: in.Body.Count, AllowReassignment: in.Body.AllowReassignment,
			Announce: in.Body.Announce,
		})
		return s.networkInterface(n, err)
	})
	huma.Register(api, operation(http.MethodDelete, "network-interfaces/{id}/private-ips/{address}", "Unassign a secondary address", http.StatusOK),
		func(ctx context.Context, in *struct {
			ID      string `path:"id" maxLength:"64"`
			Address string `path:"address" maxLength:"64"`
		}) (*output[NetworkInterface], error) {
			return s.networkInterface(s.opt.Control.UnassignAddresses(ctx, in.ID, []string{in.Address}))
		})
	s.flowOperations(api)
}

// attachmentOf names the attachment that a detach by interface means.
func (s *Server) attachmentOf(eni string) (string, error) {
	n := s.state().NetworkInterface(eni)
	switch {
	case n == nil:
		return "", missing("network interface", eni)
	case n.Attachment == nil:
		return "", newProblem(http.StatusConflict, "IncorrectState", "the network interface "+eni+" is not attached")
	}
	return n.Attachment.ID, nil
}

func (s *Server) networkInterface(n *control.NetworkInterface, err error) (*output[NetworkInterface], error) {
	return answer(n, err, s.interfaceView(s.state()))
}
