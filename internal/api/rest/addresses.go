package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// Address is an Elastic IP.
type Address struct {
	AllocationID       string            `json:"allocationId"`
	PublicIP           string            `json:"publicIp"`
	AssociationID      string            `json:"associationId,omitempty"`
	NetworkInterfaceID string            `json:"networkInterfaceId,omitempty"`
	PrivateIP          string            `json:"privateIp,omitempty"`
	Tags               map[string]string `json:"tags"`
}

type allocateAddress struct {
	Tags map[string]string `json:"tags,omitempty"`
}

type associateAddress struct {
	NetworkInterfaceID string `json:"networkInterfaceId" maxLength:"64"`
	PrivateIP          string `json:"privateIp,omitempty" maxLength:"64" doc:"Default: the primary address"`
	AllowReassociation bool   `json:"allowReassociation,omitempty"`
}

type changeTags struct {
	Set    map[string]string `json:"set,omitempty"`
	Remove []string          `json:"remove,omitempty" maxItems:"100"`
}

func addressView(a *control.Address) Address {
	v := Address{
		AllocationID: a.AllocationID, PublicIP: a.PublicIP.String(), AssociationID: a.AssociationID,
		NetworkInterfaceID: a.NetworkInterface, Tags: tagsView(a.Tags),
	}
	if a.PrivateIP.IsValid() {
		v.PrivateIP = a.PrivateIP.String()
	}
	return v
}

func allocationID(a *control.Address) string { return a.AllocationID }

func (s *Server) addressOperations(api huma.API) {
	huma.Register(api, get("addresses", "List Elastic IPs"), func(_ context.Context, in *pageInput) (*listOutput[Address], error) {
		return paginate(*in, s.state().Addresses(), allocationID, addressView)
	})
	huma.Register(api, get("addresses/{id}", "Get an Elastic IP"), func(_ context.Context, in *idInput) (*output[Address], error) {
		return found(s.state().Address(in.ID), "address", in.ID, addressView)
	})
	huma.Register(api, create("addresses", "Allocate an Elastic IP"), func(ctx context.Context, in *struct{ Body *allocateAddress }) (*output[Address], error) {
		var tags control.Tags
		if in.Body != nil {
			tags = in.Body.Tags
		}
		a, err := s.opt.Control.AllocateAddress(ctx, tags)
		return answer(a, err, addressView)
	})
	huma.Register(api, remove("addresses/{id}", "Release an Elastic IP"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.ReleaseAddress(ctx, in.ID))
	})
	huma.Register(api, act("addresses/{id}/associate", "Map to a private address"), func(ctx context.Context, in *idAndBody[associateAddress]) (*output[Address], error) {
		b := in.Body
		a, err := s.opt.Control.AssociateAddress(ctx, in.ID, b.NetworkInterfaceID, b.PrivateIP, b.AllowReassociation)
		return answer(a, err, addressView)
	})
	huma.Register(api, act("addresses/{id}/disassociate", "End the mapping"), func(ctx context.Context, in *idInput) (*output[Address], error) {
		a := s.state().Address(in.ID)
		switch {
		case a == nil:
			return nil, missing("address", in.ID)
		case a.AssociationID == "":
			return nil, newProblem(http.StatusConflict, "IncorrectState", "the address "+in.ID+" is not associated")
		}
		if err := s.opt.Control.DisassociateAddress(ctx, a.AssociationID); err != nil {
			return nil, problem(err)
		}
		return found(s.state().Address(in.ID), "address", in.ID, addressView)
	})

	huma.Register(api, operation(http.MethodPut, "tags/{id}", "Set and remove a resource's tags", http.StatusNoContent),
		func(ctx context.Context, in *idAndBody[changeTags]) (*struct{}, error) {
			return nil, problem(s.opt.Control.SetTags(ctx, in.ID, in.Body.Set, in.Body.Remove))
		})
}
