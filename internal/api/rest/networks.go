package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// VPC is a virtual private cloud.
type VPC struct {
	ID        string            `json:"id"`
	CIDR      string            `json:"cidr"`
	Region    string            `json:"region"`
	Default   bool              `json:"default" doc:"The default VPC that EC2 gives a region"`
	Tags      map[string]string `json:"tags"`
	CreatedAt time.Time         `json:"createdAt"`
}

// Subnet is a range of a VPC in one Availability Zone.
type Subnet struct {
	ID                 string            `json:"id"`
	VPCID              string            `json:"vpcId"`
	Zone               string            `json:"zone"`
	CIDR               string            `json:"cidr"`
	AvailableAddresses int               `json:"availableAddresses"`
	RouterMAC          string            `json:"routerMac"`
	RouteTableID       string            `json:"routeTableId" doc:"Its own, or the main one of its VPC"`
	NetworkACLID       string            `json:"networkAclId"`
	Tags               map[string]string `json:"tags"`
	CreatedAt          time.Time         `json:"createdAt"`
}

type createVPC struct {
	CIDR string            `json:"cidr" maxLength:"64" example:"10.0.0.0/16"`
	Tags map[string]string `json:"tags,omitempty"`
}

type createSubnet struct {
	VPCID string            `json:"vpcId" maxLength:"64"`
	CIDR  string            `json:"cidr" maxLength:"64" example:"10.0.1.0/24"`
	Zone  string            `json:"zone,omitempty" maxLength:"64" doc:"Default: the region's first"`
	Tags  map[string]string `json:"tags,omitempty"`
}

func vpcView(v *control.VPC) VPC {
	return VPC{ID: v.ID, CIDR: v.CIDR.String(), Region: v.Region, Default: v.Default, Tags: tagsView(v.Tags), CreatedAt: v.CreatedAt}
}

func subnetView(st *control.State) func(*control.Subnet) Subnet {
	return func(n *control.Subnet) Subnet {
		v := Subnet{
			ID: n.ID, VPCID: n.VPC, Zone: n.Zone, CIDR: n.CIDR.String(),
			AvailableAddresses: st.AvailableAddresses(n.ID), RouterMAC: n.RouterMAC.String(),
			Tags: tagsView(n.Tags), CreatedAt: n.CreatedAt,
		}
		if t := st.RouteTableOf(n); t != nil {
			v.RouteTableID = t.ID
		}
		if a := st.NetworkACLOf(n.ID); a != nil {
			v.NetworkACLID = a.ID
		}
		return v
	}
}

func tagsView(t control.Tags) map[string]string {
	if t == nil {
		return map[string]string{}
	}
	return t
}

func vpcID(v *control.VPC) string       { return v.ID }
func subnetID(n *control.Subnet) string { return n.ID }

func (s *Server) networkOperations(api huma.API) {
	huma.Register(api, get("vpcs", "List VPCs"), func(_ context.Context, in *pageInput) (*listOutput[VPC], error) {
		return paginate(*in, s.state().VPCs(), vpcID, vpcView)
	})
	huma.Register(api, get("vpcs/{id}", "Get a VPC"), func(_ context.Context, in *idInput) (*output[VPC], error) {
		return found(s.state().VPC(in.ID), "VPC", in.ID, vpcView)
	})
	huma.Register(api, create("vpcs", "Create a VPC"), func(ctx context.Context, in *withBody[createVPC]) (*output[VPC], error) {
		v, err := s.opt.Control.CreateVPC(ctx, control.CreateVPCInput{CIDR: in.Body.CIDR, Tags: in.Body.Tags})
		return answer(v, err, vpcView)
	})
	huma.Register(api, remove("vpcs/{id}", "Delete an empty VPC"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeleteVPC(ctx, in.ID))
	})

	huma.Register(api, get("subnets", "List subnets"), func(_ context.Context, in *pageInput) (*listOutput[Subnet], error) {
		st := s.state()
		return paginate(*in, st.Subnets(), subnetID, subnetView(st))
	})
	huma.Register(api, get("subnets/{id}", "Get a subnet"), func(_ context.Context, in *idInput) (*output[Subnet], error) {
		st := s.state()
		return found(st.Subnet(in.ID), "subnet", in.ID, subnetView(st))
	})
	huma.Register(api, create("subnets", "Create a subnet"), func(ctx context.Context, in *withBody[createSubnet]) (*output[Subnet], error) {
		n, err := s.opt.Control.CreateSubnet(ctx, control.CreateSubnetInput{
			VPC: in.Body.VPCID, CIDR: in.Body.CIDR, Zone: in.Body.Zone, Tags: in.Body.Tags,
		})
		return answer(n, err, subnetView(s.state()))
	})
	huma.Register(api, remove("subnets/{id}", "Delete an empty subnet"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeleteSubnet(ctx, in.ID))
	})
}

func (s *Server) state() *control.State { return s.opt.Control.State() }
