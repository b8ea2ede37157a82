package scenario

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/control"
)

// gateway connects the VPC of an ENI with the Internet, without which EC2 maps
// no Elastic IP there.
func (b *builder) gateway(ctx context.Context, eni string) error {
	s := b.svc.State()
	vpc := s.NetworkInterface(eni).VPC
	if slices.ContainsFunc(s.InternetGateways(), func(g *control.InternetGateway) bool { return g.VPC == vpc }) {
		return nil
	}
	_, err := b.connect(ctx, vpc, s.VPC(vpc).Tags)
	return err
}

// connect gives a VPC an internet gateway of its own.
func (b *builder) connect(ctx context.Context, vpc string, tags control.Tags) (*control.InternetGateway, error) {
	g, err := b.svc.CreateInternetGateway(inFull(ctx), tags)
	if err != nil {
		return nil, err
	}
	b.later(func(ctx context.Context) error { return b.svc.DeleteInternetGateway(ctx, g.ID) })
	if err := b.svc.AttachInternetGateway(inFull(ctx), g.ID, vpc); err != nil {
		return nil, err
	}
	b.later(func(ctx context.Context) error { return b.svc.DetachInternetGateway(ctx, g.ID, vpc) })
	return g, nil
}

func (b *builder) internetGateways(ctx context.Context) error {
	for i, f := range b.sc.file.InternetGateways {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		g, err := b.connect(ctx, b.loaded.VPCs[f.VPC], tags(f.Name, f.Tags))
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.internetGateways[%d]", i), "internet gateway "+f.Name)
		}
		b.loaded.InternetGateways[f.Name] = g.ID
	}
	return nil
}

// natGateways makes them all, then waits: on AWS each takes a minute or two.
func (b *builder) natGateways(ctx context.Context) error {
	for i, f := range b.sc.file.NATGateways {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		g, err := b.svc.CreateNATGateway(inFull(ctx), control.CreateNATGatewayInput{
			Subnet: b.loaded.Subnets[f.Subnet], PrivateIP: f.IP, Private: f.ElasticIP == "",
			Allocation: b.loaded.Addresses[f.ElasticIP], Tags: tags(f.Name, f.Tags),
		})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.natGateways[%d]", i), "NAT gateway "+f.Name)
		}
		b.loaded.NATGateways[f.Name] = g.ID
		b.later(func(ctx context.Context) error { return b.endNAT(ctx, g.ID) })
	}
	err := b.await(ctx, "no NAT gateway is pending", func(s *control.State) bool {
		for _, id := range b.loaded.NATGateways {
			if g := s.NATGateway(id); g != nil && g.State == control.NATPending {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	for i, f := range b.sc.file.NATGateways {
		if g := b.svc.State().NATGateway(b.loaded.NATGateways[f.Name]); g != nil && g.State == control.NATFailed {
			return b.sc.src.errorAt(fmt.Sprintf("$.natGateways[%d]", i), nil, "NAT gateway %s: %s: %s", f.Name, g.FailureCode, g.FailureText)
		}
	}
	return nil
}

// endNAT deletes a NAT gateway and waits until its network interface has gone,
// which holds on to its subnet and its Elastic IP.
func (b *builder) endNAT(ctx context.Context, id string) error {
	if _, err := b.svc.DeleteNATGateway(ctx, id); err != nil {
		return err
	}
	return await(ctx, b.svc, func(s *control.State) bool {
		g := s.NATGateway(id)
		return g == nil || g.State == control.NATDeleted || g.State == control.NATFailed
	})
}

func (b *builder) routeTables(ctx context.Context) error {
	for i, f := range b.sc.file.RouteTables {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at, what := fmt.Sprintf("$.routeTables[%d]", i), "route table "+f.Name
		t, err := b.svc.CreateRouteTable(inFull(ctx), b.loaded.VPCs[f.VPC], tags(f.Name, f.Tags))
		if err != nil {
			return b.wrap(err, at, what)
		}
		b.loaded.RouteTables[f.Name] = t.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteRouteTable(ctx, t.ID) })
		for k, r := range f.Routes {
			if err := b.route(ctx, t, r); err != nil {
				return b.wrap(err, fmt.Sprintf("%s.routes[%d]", at, k), what)
			}
		}
		for k, name := range f.Subnets {
			in := control.AssociateRouteTableInput{Table: t.ID, Subnet: b.loaded.Subnets[name]}
			if err := b.associate(ctx, in); err != nil {
				return b.wrap(err, fmt.Sprintf("%s.subnets[%d]", at, k), what)
			}
		}
		if f.Gateway == "" {
			continue
		}
		in := control.AssociateRouteTableInput{Table: t.ID, Gateway: b.loaded.InternetGateways[f.Gateway]}
		if err := b.associate(ctx, in); err != nil {
			return b.wrap(err, at+".gateway", what)
		}
	}
	return nil
}

// route adds a route, or leads a local one elsewhere.
func (b *builder) route(ctx context.Context, t *control.RouteTable, r route) error {
	in := b.loaded.routeInput(t.ID, r)
	to, _ := netip.ParsePrefix(r.Destination) // checked by Parse
	if slices.ContainsFunc(t.Routes, func(local control.Route) bool { return local.Destination == to.Masked() }) {
		return b.svc.ReplaceRoute(inFull(ctx), in)
	}
	return b.svc.CreateRoute(inFull(ctx), in)
}

func (b *builder) associate(ctx context.Context, in control.AssociateRouteTableInput) error {
	a, err := b.svc.AssociateRouteTable(inFull(ctx), in)
	if err != nil {
		return err
	}
	b.later(func(ctx context.Context) error { return b.svc.DisassociateRouteTable(ctx, a.ID) })
	return nil
}
