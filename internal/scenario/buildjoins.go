package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"enilab/internal/control"
)

// account is the one that everything belongs to; texts of peerings name it.
const account = "123456789012"

// peerings come before the rules, which may refer to groups of a peer.
func (b *builder) peerings(ctx context.Context) error {
	for i, f := range b.sc.file.Peerings {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at, what := fmt.Sprintf("$.peerings[%d]", i), "peering "+f.Name
		p, err := b.svc.CreatePeering(inFull(ctx), control.CreatePeeringInput{
			VPC: b.loaded.VPCs[f.Requester], Peer: b.loaded.VPCs[f.Accepter], Account: account, Tags: tags(f.Name, f.Tags),
		})
		if err != nil {
			return b.wrap(err, at, what)
		}
		b.loaded.Peerings[f.Name] = p.ID
		b.later(func(ctx context.Context) error { return b.endPeering(ctx, p.ID) })
	}
	err := b.await(ctx, "no peering is being asked for", func(s *control.State) bool {
		for _, id := range b.loaded.Peerings {
			if p := s.Peering(id); p != nil && p.State == control.PeeringInitiating {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	for i, f := range b.sc.file.Peerings {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at, what := fmt.Sprintf("$.peerings[%d]", i), "peering "+f.Name
		p := b.svc.State().Peering(b.loaded.Peerings[f.Name])
		if p != nil && p.State == control.PeeringPending && (f.Accepted == nil || *f.Accepted) {
			if p, err = b.svc.AcceptPeering(inFull(ctx), p.ID); err != nil {
				return b.wrap(err, at, what)
			}
		}
		if p == nil || p.State == control.PeeringFailed {
			return b.sc.src.errorAt(at, nil, "%s has failed: the blocks of %s (%s) and %s (%s) overlap",
				what, f.Requester, b.blocks(f.Requester), f.Accepter, b.blocks(f.Accepter))
		}
	}
	return nil
}

// blocks are the CIDR blocks of a VPC of the file, to be read.
func (b *builder) blocks(vpc string) string {
	var blocks []string
	if v := b.svc.State().VPC(b.loaded.VPCs[vpc]); v != nil {
		for _, a := range v.CIDRs {
			blocks = append(blocks, a.CIDR.String())
		}
	}
	return strings.Join(blocks, ", ")
}

// endPeering deletes a peering, unless it has ended by itself.
func (b *builder) endPeering(ctx context.Context, id string) error {
	if p := b.svc.State().Peering(id); p == nil || p.State == control.PeeringFailed {
		return nil
	}
	return b.svc.DeletePeering(ctx, id, account)
}

// transitGateways are asked for early, for on AWS each takes minutes; what they
// have comes when they are available.
func (b *builder) transitGateways(ctx context.Context) error {
	for i, f := range b.sc.file.TransitGateways {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		in := control.CreateTransitGatewayInput{Description: f.Description, Tags: tags(f.Name, f.Tags)}
		in.Associate, in.Propagate = f.DefaultAssociation, f.DefaultPropagation
		if f.ASN != nil {
			in.ASN = new(int64(*f.ASN))
		}
		g, err := b.svc.CreateTransitGateway(inFull(ctx), in)
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.transitGateways[%d]", i), "transit gateway "+f.Name)
		}
		b.loaded.TransitGateways[f.Name] = g.ID
		b.later(func(ctx context.Context) error { return b.endTransitGateway(ctx, g.ID) })
	}
	return nil
}

// transitAttachments attaches VPCs, and makes route tables with what is in them.
func (b *builder) transitAttachments(ctx context.Context) error {
	if len(b.sc.file.TransitGateways) == 0 {
		return nil
	}
	err := b.await(ctx, "every transit gateway is available", func(s *control.State) bool {
		for _, id := range b.loaded.TransitGateways {
			if g := s.TransitGateway(id); g != nil && g.State == control.TransitPending {
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	for i, f := range b.sc.file.TransitGateways {
		if err := b.joinTransit(ctx, fmt.Sprintf("$.transitGateways[%d]", i), f); err != nil {
			return err
		}
	}
	// Associations and propagations with default tables come with the attachments'
	// state, those of the file below.
	settled := func(s *control.State) bool {
		for _, id := range b.loaded.TransitAttachments {
			if a := s.TransitAttachment(id); a != nil && (a.State == control.TransitPending || a.TableState == control.TransitAssociating) {
				return false
			}
		}
		for _, id := range b.loaded.TransitTables {
			if t := s.TransitTable(id); t != nil && t.State == control.TransitPending {
				return false
			}
		}
		return true
	}
	if err := b.await(ctx, "every attachment and route table of the transit gateways is available", settled); err != nil {
		return err
	}
	for i, f := range b.sc.file.TransitGateways {
		if err := b.routeTransit(ctx, fmt.Sprintf("$.transitGateways[%d]", i), f); err != nil {
			return err
		}
	}
	return b.await(ctx, "every attachment of the transit gateways is associated", settled)
}

func (b *builder) joinTransit(ctx context.Context, at string, f transitGateway) error {
	gateway := b.loaded.TransitGateways[f.Name]
	for k, fa := range f.Attachments {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		a, err := b.svc.CreateTransitAttachment(inFull(ctx), control.CreateTransitAttachmentInput{
			Gateway: gateway, VPC: b.loaded.VPCs[fa.VPC], Subnets: b.subnetIDs(fa.Subnets), Tags: tags(fa.Name, fa.Tags),
		})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("%s.attachments[%d]", at, k), "attachment "+fa.Name)
		}
		b.loaded.TransitAttachments[fa.Name] = a.ID
		b.later(func(ctx context.Context) error { return b.endTransitAttachment(ctx, a.ID) })
	}
	for k, ft := range f.RouteTables {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		t, err := b.svc.CreateTransitTable(inFull(ctx), gateway, tags(ft.Name, ft.Tags))
		if err != nil {
			return b.wrap(err, fmt.Sprintf("%s.routeTables[%d]", at, k), "transit gateway route table "+ft.Name)
		}
		b.loaded.TransitTables[ft.Name] = t.ID // which goes with its gateway
	}
	return nil
}

// routeTransit fills the route tables of a gateway. The order in which
// attachments propagate is that of the file.
func (b *builder) routeTransit(ctx context.Context, at string, f transitGateway) error {
	if g := b.svc.State().TransitGateway(b.loaded.TransitGateways[f.Name]); g != nil && len(f.Routes) > 0 {
		if err := b.transitRoutes(ctx, at, "transit gateway "+f.Name, g.DefaultTable(), f.Routes); err != nil {
			return err
		}
	}
	for k, ft := range f.RouteTables {
		at, what := fmt.Sprintf("%s.routeTables[%d]", at, k), "transit gateway route table "+ft.Name
		table := b.loaded.TransitTables[ft.Name]
		for m, name := range ft.Associations {
			if _, err := b.svc.AssociateTransitTable(inFull(ctx), table, b.loaded.TransitAttachments[name]); err != nil {
				return b.wrap(err, fmt.Sprintf("%s.associations[%d]", at, m), what)
			}
		}
		for m, name := range ft.Propagations {
			if _, err := b.svc.EnableTransitPropagation(inFull(ctx), table, b.loaded.TransitAttachments[name]); err != nil {
				return b.wrap(err, fmt.Sprintf("%s.propagations[%d]", at, m), what)
			}
		}
		if err := b.transitRoutes(ctx, at, what, table, ft.Routes); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) transitRoutes(ctx context.Context, at, what, table string, routes []transitRoute) error {
	for k, r := range routes {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		_, err := b.svc.CreateTransitRoute(inFull(ctx), control.TransitRouteInput{
			Table: table, CIDR: r.Destination, Attachment: b.loaded.TransitAttachments[r.Attachment], Blackhole: r.Blackhole,
		})
		if err != nil {
			return b.wrap(err, fmt.Sprintf("%s.routes[%d]", at, k), what)
		}
	}
	return nil
}

func (b *builder) subnetIDs(names []string) []string {
	ids := make([]string, len(names))
	for i, n := range names {
		ids[i] = b.loaded.Subnets[n]
	}
	return ids
}

// endTransitAttachment deletes an attachment once it can be, and waits until its
// network interfaces have gone, which hold on to their subnets.
func (b *builder) endTransitAttachment(ctx context.Context, id string) error {
	err := await(ctx, b.svc, func(s *control.State) bool {
		a := s.TransitAttachment(id)
		return a == nil || a.State != control.TransitPending
	})
	if err != nil {
		return err
	}
	if _, err := b.svc.DeleteTransitAttachment(ctx, id); err != nil {
		return err
	}
	return await(ctx, b.svc, func(s *control.State) bool {
		a := s.TransitAttachment(id)
		return a == nil || a.State == control.TransitDeleted
	})
}

func (b *builder) endTransitGateway(ctx context.Context, id string) error {
	err := await(ctx, b.svc, func(s *control.State) bool {
		g := s.TransitGateway(id)
		return g == nil || g.State != control.TransitPending
	})
	if err != nil {
		return err
	}
	if _, err := b.svc.DeleteTransitGateway(ctx, id); err != nil {
		return err
	}
	return await(ctx, b.svc, func(s *control.State) bool {
		g := s.TransitGateway(id)
		return g == nil || g.State == control.TransitDeleted
	})
}

func (b *builder) endpoints(ctx context.Context) error {
	for i, f := range b.sc.file.Endpoints {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		in := control.CreateVPCEndpointInput{
			VPC: b.loaded.VPCs[f.VPC], Service: serviceName(b.region, f.Service), Type: control.EndpointGateway, PrivateDNS: f.PrivateDNS,
			Subnets: b.subnetIDs(f.Subnets), Groups: b.groupIDs(f.Groups), Tags: tags(f.Name, f.Tags),
		}
		if f.Type == endpointInterface {
			in.Type = control.EndpointInterface
		}
		for _, name := range f.RouteTables {
			in.RouteTables = append(in.RouteTables, b.loaded.RouteTables[name])
		}
		e, err := b.svc.CreateVPCEndpoint(inFull(ctx), in)
		if err != nil {
			return b.wrap(err, fmt.Sprintf("$.endpoints[%d]", i), "endpoint "+f.Name)
		}
		b.loaded.Endpoints[f.Name] = e.ID
		b.later(func(ctx context.Context) error { return b.endEndpoint(ctx, e.ID) })
	}
	return b.await(ctx, "every endpoint is available", func(s *control.State) bool {
		for _, id := range b.loaded.Endpoints {
			if e := s.VPCEndpoint(id); e != nil && e.State == control.EndpointPending {
				return false
			}
		}
		return true
	})
}

// endEndpoint deletes an endpoint and waits until it has gone.
func (b *builder) endEndpoint(ctx context.Context, id string) error {
	if err := b.svc.DeleteVPCEndpoint(ctx, id); err != nil {
		return err
	}
	return await(ctx, b.svc, func(s *control.State) bool { return s.VPCEndpoint(id) == nil })
}

// networkACLs come before the workloads, whose first frames they judge.
func (b *builder) networkACLs(ctx context.Context) error {
	for i, f := range b.sc.file.NetworkACLs {
		if err := b.goOn(ctx); err != nil {
			return err
		}
		at, what := fmt.Sprintf("$.networkAcls[%d]", i), "network ACL "+f.Name
		a, err := b.svc.CreateNetworkACL(inFull(ctx), b.loaded.VPCs[f.VPC], tags(f.Name, f.Tags))
		if err != nil {
			return b.wrap(err, at, what)
		}
		b.loaded.NetworkACLs[f.Name] = a.ID
		b.later(func(ctx context.Context) error { return b.svc.DeleteNetworkACL(ctx, a.ID) })
		for k, e := range slices.Concat(f.Ingress, f.Egress) {
			key := fmt.Sprintf("%s.ingress[%d]", at, k)
			if k >= len(f.Ingress) {
				key = fmt.Sprintf("%s.egress[%d]", at, k-len(f.Ingress))
			}
			if err := b.svc.CreateNetworkACLEntry(inFull(ctx), e.input(a.ID, k >= len(f.Ingress))); err != nil {
				return b.wrap(err, key, what)
			}
		}
		for k, name := range f.Subnets {
			if err := b.guard(ctx, b.loaded.Subnets[name], a.ID); err != nil {
				return b.wrap(err, fmt.Sprintf("%s.subnets[%d]", at, k), what)
			}
		}
	}
	return nil
}

// input is an entry as control takes it; ports have been checked.
func (e aclEntry) input(acl string, egress bool) control.NetworkACLEntryInput {
	in := control.NetworkACLEntryInput{ACL: acl, Number: e.Number, Egress: egress, Action: e.Action, Protocol: e.Protocol, CIDR: e.From}
	if egress {
		in.CIDR = e.To
	}
	from, to, _ := e.ports()
	if e.Ports == "" {
		in.ICMPType, in.ICMPCode = from, to
	} else {
		in.FromPort, in.ToPort = from, to
	}
	return in
}

// guard puts a network ACL before a subnet, in place of the one that is there.
func (b *builder) guard(ctx context.Context, subnet, acl string) error {
	before := b.svc.State().NetworkACLOf(subnet)
	association := aclAssociation(before, subnet)
	made, err := b.svc.ReplaceNetworkACLAssociation(inFull(ctx), association, acl)
	if err != nil {
		return err
	}
	b.later(func(ctx context.Context) error {
		_, err := b.svc.ReplaceNetworkACLAssociation(ctx, made, before.ID)
		return err
	})
	return nil
}

// aclAssociation is the association of a network ACL with a subnet.
func aclAssociation(acl *control.NetworkACL, subnet string) string {
	for _, a := range acl.Associations {
		if a.Subnet == subnet {
			return a.ID
		}
	}
	return ""
}
