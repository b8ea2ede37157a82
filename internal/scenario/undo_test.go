package scenario

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

var errInjected = errors.New("injected")

// failing refuses the nth call that makes something.
type failing struct {
	*control.Service
	left int
}

func (f *failing) call() error {
	if f.left--; f.left == 0 {
		return errInjected
	}
	return nil
}

func try[T any](f *failing, do func() (T, error)) (T, error) {
	if err := f.call(); err != nil {
		var none T
		return none, err
	}
	return do()
}

func (f *failing) CreateVPC(ctx context.Context, in control.CreateVPCInput) (*control.VPC, error) {
	return try(f, func() (*control.VPC, error) { return f.Service.CreateVPC(ctx, in) })
}

func (f *failing) CreateSubnet(ctx context.Context, in control.CreateSubnetInput) (*control.Subnet, error) {
	return try(f, func() (*control.Subnet, error) { return f.Service.CreateSubnet(ctx, in) })
}

func (f *failing) CreateGroup(ctx context.Context, in control.CreateGroupInput) (*control.SecurityGroup, error) {
	return try(f, func() (*control.SecurityGroup, error) { return f.Service.CreateGroup(ctx, in) })
}

func (f *failing) AuthorizeRules(ctx context.Context, group string, egress bool, rs []control.RuleInput) ([]control.SecurityGroupRule, error) {
	return try(f, func() ([]control.SecurityGroupRule, error) { return f.Service.AuthorizeRules(ctx, group, egress, rs) })
}

func (f *failing) CreateInterface(ctx context.Context, in control.CreateInterfaceInput) (*control.NetworkInterface, error) {
	return try(f, func() (*control.NetworkInterface, error) { return f.Service.CreateInterface(ctx, in) })
}

func (f *failing) RunInstance(ctx context.Context, in control.RunInstanceInput) (*control.Instance, error) {
	return try(f, func() (*control.Instance, error) { return f.Service.RunInstance(ctx, in) })
}

func (f *failing) Attach(ctx context.Context, in control.AttachInput) (*control.NetworkInterface, error) {
	return try(f, func() (*control.NetworkInterface, error) { return f.Service.Attach(ctx, in) })
}

func (f *failing) CreateInternetGateway(ctx context.Context, tags control.Tags) (*control.InternetGateway, error) {
	return try(f, func() (*control.InternetGateway, error) { return f.Service.CreateInternetGateway(ctx, tags) })
}

func (f *failing) AttachInternetGateway(ctx context.Context, gateway, vpc string) error {
	_, err := try(f, func() (*struct{}, error) { return nil, f.Service.AttachInternetGateway(ctx, gateway, vpc) })
	return err
}

func (f *failing) AllocateAddress(ctx context.Context, tags control.Tags) (*control.Address, error) {
	return try(f, func() (*control.Address, error) { return f.Service.AllocateAddress(ctx, tags) })
}

func (f *failing) AssociateAddress(ctx context.Context, allocation, eni, ip string, re bool) (*control.Address, error) {
	return try(f, func() (*control.Address, error) { return f.Service.AssociateAddress(ctx, allocation, eni, ip, re) })
}

func (f *failing) PutPolicy(ctx context.Context, p control.FailoverPolicy) (*control.FailoverPolicy, error) {
	return try(f, func() (*control.FailoverPolicy, error) { return f.Service.PutPolicy(ctx, p) })
}

func (f *failing) SetWorkloads(ctx context.Context, id string, w []spec.Workload) (*control.Instance, error) {
	return try(f, func() (*control.Instance, error) { return f.Service.SetWorkloads(ctx, id, w) })
}

func (f *failing) CreateNATGateway(ctx context.Context, in control.CreateNATGatewayInput) (*control.NATGateway, error) {
	return try(f, func() (*control.NATGateway, error) { return f.Service.CreateNATGateway(ctx, in) })
}

func (f *failing) CreateRouteTable(ctx context.Context, vpc string, tags control.Tags) (*control.RouteTable, error) {
	return try(f, func() (*control.RouteTable, error) { return f.Service.CreateRouteTable(ctx, vpc, tags) })
}

func (f *failing) CreateRoute(ctx context.Context, in control.RouteInput) error {
	_, err := try(f, func() (*struct{}, error) { return nil, f.Service.CreateRoute(ctx, in) })
	return err
}

func (f *failing) ReplaceRoute(ctx context.Context, in control.RouteInput) error {
	_, err := try(f, func() (*struct{}, error) { return nil, f.Service.ReplaceRoute(ctx, in) })
	return err
}

func (f *failing) AssociateRouteTable(ctx context.Context, in control.AssociateRouteTableInput) (control.RouteTableAssociation, error) {
	return try(f, func() (control.RouteTableAssociation, error) { return f.Service.AssociateRouteTable(ctx, in) })
}

func (f *failing) ModifyVPC(ctx context.Context, in control.ModifyVPCInput) (*control.VPC, error) {
	return try(f, func() (*control.VPC, error) { return f.Service.ModifyVPC(ctx, in) })
}

func (f *failing) CreatePeering(ctx context.Context, in control.CreatePeeringInput) (*control.Peering, error) {
	return try(f, func() (*control.Peering, error) { return f.Service.CreatePeering(ctx, in) })
}

func (f *failing) AcceptPeering(ctx context.Context, id string) (*control.Peering, error) {
	return try(f, func() (*control.Peering, error) { return f.Service.AcceptPeering(ctx, id) })
}

func (f *failing) CreateTransitGateway(ctx context.Context, in control.CreateTransitGatewayInput) (*control.TransitGateway, error) {
	return try(f, func() (*control.TransitGateway, error) { return f.Service.CreateTransitGateway(ctx, in) })
}

func (f *failing) CreateTransitAttachment(ctx context.Context, in control.CreateTransitAttachmentInput) (*control.TransitAttachment, error) {
	return try(f, func() (*control.TransitAttachment, error) { return f.Service.CreateTransitAttachment(ctx, in) })
}

func (f *failing) CreateTransitTable(ctx context.Context, gateway string, tags control.Tags) (*control.TransitTable, error) {
	return try(f, func() (*control.TransitTable, error) { return f.Service.CreateTransitTable(ctx, gateway, tags) })
}

func (f *failing) AssociateTransitTable(ctx context.Context, table, attachment string) (*control.TransitAttachment, error) {
	return try(f, func() (*control.TransitAttachment, error) {
		return f.Service.AssociateTransitTable(ctx, table, attachment)
	})
}

func (f *failing) EnableTransitPropagation(ctx context.Context, table, attachment string) (*control.TransitAttachment, error) {
	return try(f, func() (*control.TransitAttachment, error) {
		return f.Service.EnableTransitPropagation(ctx, table, attachment)
	})
}

func (f *failing) CreateTransitRoute(ctx context.Context, in control.TransitRouteInput) (control.TransitRoute, error) {
	return try(f, func() (control.TransitRoute, error) { return f.Service.CreateTransitRoute(ctx, in) })
}

func (f *failing) CreateVPCEndpoint(ctx context.Context, in control.CreateVPCEndpointInput) (*control.VPCEndpoint, error) {
	return try(f, func() (*control.VPCEndpoint, error) { return f.Service.CreateVPCEndpoint(ctx, in) })
}

func (f *failing) CreateNetworkACL(ctx context.Context, vpc string, tags control.Tags) (*control.NetworkACL, error) {
	return try(f, func() (*control.NetworkACL, error) { return f.Service.CreateNetworkACL(ctx, vpc, tags) })
}

func (f *failing) CreateNetworkACLEntry(ctx context.Context, in control.NetworkACLEntryInput) error {
	_, err := try(f, func() (*struct{}, error) { return nil, f.Service.CreateNetworkACLEntry(ctx, in) })
	return err
}

func (f *failing) ReplaceNetworkACLAssociation(ctx context.Context, association, acl string) (string, error) {
	return try(f, func() (string, error) { return f.Service.ReplaceNetworkACLAssociation(ctx, association, acl) })
}

func (f *failing) CreateInternetHost(ctx context.Context, in control.CreateInternetHostInput) (*control.InternetHost, error) {
	return try(f, func() (*control.InternetHost, error) { return f.Service.CreateInternetHost(ctx, in) })
}

func (f *failing) SetInternetWorkloads(ctx context.Context, id string, w []spec.Workload) (*control.InternetHost, error) {
	return try(f, func() (*control.InternetHost, error) { return f.Service.SetInternetWorkloads(ctx, id, w) })
}

// TestEveryCallMayFail breaks each call of a load in turn. Nothing but
// terminated instances may be left, and another load must succeed.
func TestEveryCallMayFail(t *testing.T) {
	sc := mustOpen(t, "../../testdata/scenarios/everything.yaml")
	for n := 1; ; n++ {
		if n > 100 {
			t.Fatal("the load never gets through")
		}
		svc := newService(t, "us-east-1")
		f := &failing{Service: svc, left: n}
		_, err := sc.Load(bounded(t), f)
		if f.left > 0 {
			if err != nil {
				t.Fatal(err)
			}
			if n < 20 {
				t.Errorf("only %d calls", n)
			}
			return
		}
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			if !errors.Is(err, errInjected) {
				t.Fatalf("got %v", err)
			}
			if s := svc.State(); !Empty(s) || len(s.NetworkInterfaces()) != 0 || len(s.SecurityGroups()) != 0 || len(s.Policies()) != 0 || len(s.Subnets()) != 0 || len(s.InternetGateways()) != 0 || len(s.RouteTables()) != 0 || len(s.NetworkACLs()) != 0 || len(s.VPCEndpoints()) != 0 {
				t.Errorf("left behind: %d VPCs, %d subnets, %d interfaces, %d groups, %d policies, %d addresses, %d internet hosts",
					len(s.VPCs()), len(s.Subnets()), len(s.NetworkInterfaces()), len(s.SecurityGroups()), len(s.Policies()), len(s.Addresses()),
					len(s.InternetHosts()))
			}
			if _, err := sc.Load(bounded(t), svc); err != nil {
				t.Errorf("loading after the failure: %v", err)
			}
		})
	}
}

// impatient cancels the load within its nth call, and as control does, answers
// a call that is cancelled without saying what it has made.
type impatient struct {
	*control.Service
	left   int
	cancel context.CancelFunc
}

func patient[T any](i *impatient, ctx context.Context, do func(context.Context) (T, error)) (T, error) {
	if i.left--; i.left == 0 {
		i.cancel()
	}
	made, err := do(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		var none T
		return none, ctx.Err()
	}
	return made, err
}

func (i *impatient) CreateVPC(ctx context.Context, in control.CreateVPCInput) (*control.VPC, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.VPC, error) { return i.Service.CreateVPC(ctx, in) })
}

func (i *impatient) CreateSubnet(ctx context.Context, in control.CreateSubnetInput) (*control.Subnet, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.Subnet, error) { return i.Service.CreateSubnet(ctx, in) })
}

func (i *impatient) CreateInterface(ctx context.Context, in control.CreateInterfaceInput) (*control.NetworkInterface, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.NetworkInterface, error) {
		return i.Service.CreateInterface(ctx, in)
	})
}

func (i *impatient) RunInstance(ctx context.Context, in control.RunInstanceInput) (*control.Instance, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.Instance, error) { return i.Service.RunInstance(ctx, in) })
}

func (i *impatient) CreatePeering(ctx context.Context, in control.CreatePeeringInput) (*control.Peering, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.Peering, error) { return i.Service.CreatePeering(ctx, in) })
}

func (i *impatient) CreateTransitGateway(ctx context.Context, in control.CreateTransitGatewayInput) (*control.TransitGateway, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.TransitGateway, error) {
		return i.Service.CreateTransitGateway(ctx, in)
	})
}

func (i *impatient) CreateTransitAttachment(ctx context.Context, in control.CreateTransitAttachmentInput) (*control.TransitAttachment, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.TransitAttachment, error) {
		return i.Service.CreateTransitAttachment(ctx, in)
	})
}

func (i *impatient) CreateVPCEndpoint(ctx context.Context, in control.CreateVPCEndpointInput) (*control.VPCEndpoint, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.VPCEndpoint, error) { return i.Service.CreateVPCEndpoint(ctx, in) })
}

func (i *impatient) AllocateAddress(ctx context.Context, tags control.Tags) (*control.Address, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.Address, error) { return i.Service.AllocateAddress(ctx, tags) })
}

func (i *impatient) CreateInternetGateway(ctx context.Context, tags control.Tags) (*control.InternetGateway, error) {
	return patient(i, ctx, func(ctx context.Context) (*control.InternetGateway, error) {
		return i.Service.CreateInternetGateway(ctx, tags)
	})
}

// The call during which the load is cancelled has made something: that is taken
// back too.
func TestACancelledCallIsTakenBack(t *testing.T) {
	sc := mustOpen(t, "../../testdata/scenarios/everything.yaml")
	for n := 1; ; n++ {
		if n > 100 {
			t.Fatal("the load never gets through")
		}
		svc := newService(t, "us-east-1")
		ctx, cancel := context.WithCancel(bounded(t))
		i := &impatient{Service: svc, left: n, cancel: cancel}
		_, err := sc.Load(ctx, i)
		cancel()
		if i.left > 0 {
			if err != nil {
				t.Fatal(err)
			}
			if n < 10 {
				t.Errorf("only %d calls", n)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("call %d: %v", n, err)
		}
		if s := svc.State(); !Empty(s) || len(s.NetworkInterfaces()) != 0 || len(s.Subnets()) != 0 || len(s.InternetGateways()) != 0 {
			t.Errorf("call %d: left behind: %d VPCs, %d subnets, %d interfaces, %d addresses, %d gateways", n,
				len(s.VPCs()), len(s.Subnets()), len(s.NetworkInterfaces()), len(s.Addresses()), len(s.InternetGateways()))
		}
	}
}
