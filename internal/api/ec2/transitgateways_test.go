package ec2

import (
	"strings"
	"testing"
)

// hub is a transit gateway to which the world's VPC and another one are attached.
type hub struct{ gateway, table, here, there, vpc, subnet string }

func (l *lab) hub(w world) hub {
	l.t.Helper()
	var h hub
	h.gateway = l.must("CreateTransitGateway").text("transitGateway.transitGatewayId")
	r := l.until("transitGatewaySet.1.state", "available", "DescribeTransitGateways", "TransitGatewayIds.1="+h.gateway)
	h.table = r.text("transitGatewaySet.1.options.associationDefaultRouteTableId")
	h.vpc = l.must("CreateVpc", "CidrBlock=10.9.0.0/16").text("vpc.vpcId")
	h.subnet = l.must("CreateSubnet", "VpcId="+h.vpc, "CidrBlock=10.9.1.0/24", "AvailabilityZone=us-east-1b").text("subnet.subnetId")
	h.here, h.there = l.attachTransit(h.gateway, w.vpc, w.subnet), l.attachTransit(h.gateway, h.vpc, h.subnet)
	return h
}

func (l *lab) attachTransit(gateway, vpc, subnet string) string {
	l.t.Helper()
	r := l.must("CreateTransitGatewayVpcAttachment", "TransitGatewayId="+gateway, "VpcId="+vpc, "SubnetIds.1="+subnet)
	id := r.text("transitGatewayVpcAttachment.transitGatewayAttachmentId")
	l.until("transitGatewayVpcAttachments.1.state", "available", "DescribeTransitGatewayVpcAttachments", "TransitGatewayAttachmentIds.1="+id)
	return id
}

// walkTransits performs the actions of transit gateways and leaves no VPC behind.
func walkTransits(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("CreateTransitGateway", "Description=hub", "Options.AmazonSideAsn=4200000000", "Options.AutoAcceptSharedAttachments=enable",
		"Options.MulticastSupport=disable", "TagSpecification.1.ResourceType=transit-gateway", "TagSpecification.1.Tag.1.Key=Name", "TagSpecification.1.Tag.1.Value=hub")
	gateway := r.text("transitGateway.transitGatewayId")
	if o := "transitGateway.options."; r.text("transitGateway.state") != "pending" || r.text(o+"amazonSideAsn") != "4200000000" ||
		r.text(o+"autoAcceptSharedAttachments") != "enable" || r.text(o+"dnsSupport") != "enable" || r.text(o+"multicastSupport") != "disable" ||
		r.text("transitGateway.transitGatewayArn") != "arn:aws:ec2:us-east-1:123456789012:transit-gateway/"+gateway {
		t.Errorf("made %s", r.raw)
	}
	l.refused("UnsupportedOperation", "CreateTransitGateway", "Options.MulticastSupport=enable")
	l.refused("InvalidParameterValue", "CreateTransitGateway", "Options.DnsSupport=yes")
	l.refused("InvalidParameterValue", "CreateTransitGateway", "Options.AmazonSideAsn=1")
	l.until("transitGatewaySet.1.state", "available", "DescribeTransitGateways", "Filter.1.Name=tag:Name", "Filter.1.Value.1=hub")
	r = l.must("ModifyTransitGateway", "TransitGatewayId="+gateway, "Description=", "Options.VpnEcmpSupport=disable")
	if r.text("transitGateway.state") != "modifying" || r.text("transitGateway.options.vpnEcmpSupport") != "disable" {
		t.Errorf("modified %s", r.raw)
	}
	l.refused("InvalidTransitGatewayID.NotFound", "DescribeTransitGateways", "TransitGatewayIds.1=tgw-0123456789abcdef0")
	l.refused("InvalidTransitGatewayID.Malformed", "DescribeTransitGateways", "TransitGatewayIds.1=tgw-attach-0123456789abcdef0")

	h := l.hub(w)
	walkTransitAttachments(t, l, w, h)
	walkTransitTables(t, l, h)
	walkTransitRoutes(t, l, w, h)

	for _, id := range []string{h.here, h.there} {
		if r := l.must("DeleteTransitGatewayVpcAttachment", "TransitGatewayAttachmentId="+id); r.text("transitGatewayVpcAttachment.state") != "deleting" {
			t.Errorf("deleting %s", r.raw)
		}
		l.until("transitGatewayAttachments.1.state", "deleted", "DescribeTransitGatewayAttachments", "TransitGatewayAttachmentIds.1="+id)
	}
	for _, id := range []string{gateway, h.gateway} {
		if r := l.must("DeleteTransitGateway", "TransitGatewayId="+id); r.text("transitGateway.state") != "deleting" {
			t.Errorf("deleting %s", r.raw)
		}
		l.until("transitGatewaySet.1.state", "deleted", "DescribeTransitGateways", "TransitGatewayIds.1="+id)
	}
	l.refused("InvalidRouteTableID.NotFound", "SearchTransitGatewayRoutes", "TransitGatewayRouteTableId="+h.table, "Filter.1.Name=type", "Filter.1.Value.1=static")
	l.must("DeleteSubnet", "SubnetId="+h.subnet)
	l.must("DeleteVpc", "VpcId="+h.vpc)
}

func walkTransitAttachments(t *testing.T, l *lab, w world, h hub) {
	t.Helper()
	l.refused("DuplicateTransitGatewayAttachment", "CreateTransitGatewayVpcAttachment", "TransitGatewayId="+h.gateway, "VpcId="+w.vpc, "SubnetIds.1="+w.subnet)
	l.refused("UnsupportedOperation", "CreateTransitGatewayVpcAttachment", "TransitGatewayId="+h.gateway, "VpcId="+w.vpc, "SubnetIds.1="+w.subnet,
		"Options.ApplianceModeSupport=enable")
	r := l.must("DescribeTransitGatewayVpcAttachments", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+w.vpc, "Filter.2.Name=transit-gateway-id", "Filter.2.Value.1="+h.gateway)
	if a := "transitGatewayVpcAttachments.1."; r.text(a+"transitGatewayAttachmentId") != h.here || r.text(a+"subnetIds.1") != w.subnet ||
		r.text(a+"options.dnsSupport") != "enable" || r.text(a+"options.ipv6Support") != "disable" || r.text(a+"options.securityGroupReferencingSupport") != "enable" {
		t.Errorf("attachment %s", r.raw)
	}
	r = l.must("DescribeNetworkInterfaces", "Filter.1.Name=interface-type", "Filter.1.Value.1=transit_gateway", "Filter.2.Name=subnet-id", "Filter.2.Value.1="+w.subnet)
	if n := "networkInterfaceSet.1."; r.count("networkInterfaceSet") != 1 || r.text(n+"description") != "Network Interface for Transit Gateway Attachment "+h.here ||
		r.text(n+"requesterManaged") != "true" || r.text(n+"status") != "in-use" || r.text(n+"sourceDestCheck") != "false" || r.count(n+"groupSet") != 0 {
		t.Errorf("its interface %s", r.raw)
	}
	r = l.must("ModifyTransitGatewayVpcAttachment", "TransitGatewayAttachmentId="+h.here, "Options.DnsSupport=disable")
	if r.text("transitGatewayVpcAttachment.state") != "modifying" || r.text("transitGatewayVpcAttachment.options.dnsSupport") != "disable" {
		t.Errorf("modified %s", r.raw)
	}
	l.until("transitGatewayAttachments.1.state", "available", "DescribeTransitGatewayAttachments", "TransitGatewayAttachmentIds.1="+h.here)
	r = l.must("DescribeTransitGatewayAttachments", "Filter.1.Name=resource-id", "Filter.1.Value.1="+w.vpc, "Filter.2.Name=association.state", "Filter.2.Value.1=associated")
	if a := "transitGatewayAttachments.1."; r.text(a+"association.transitGatewayRouteTableId") != h.table || r.text(a+"resourceType") != "vpc" {
		t.Errorf("attachment %s", r.raw)
	}
	l.must("CreateTags", "ResourceId.1="+h.here, "ResourceId.2="+h.table, "ResourceId.3="+h.gateway, "Tag.1.Key=k", "Tag.1.Value=v")
	r = l.must("DescribeTags", "Filter.1.Name=key", "Filter.1.Value.1=k", "Filter.2.Name=resource-type", "Filter.2.Value.1=transit-gateway*")
	if r.count("tagSet") != 3 {
		t.Errorf("tags %s", r.raw)
	}
	l.refused("InvalidTransitGatewayAttachmentID.NotFound", "CreateTags", "ResourceId.1=tgw-attach-0123456789abcdef0", "Tag.1.Key=k", "Tag.1.Value=v")
	if got := l.ask("DeleteTransitGatewayVpcAttachment", "TransitGatewayAttachmentId=tgw-attach-0123456789abcdef0").message(); got != "Transit Gateway VPC Attachment tgw-attach-0123456789abcdef0 was deleted or does not exist." {
		t.Error(got)
	}
}

func walkTransitTables(t *testing.T, l *lab, h hub) {
	t.Helper()
	r := l.must("CreateTransitGatewayRouteTable", "TransitGatewayId="+h.gateway, "TagSpecifications.1.ResourceType=transit-gateway-route-table",
		"TagSpecifications.1.Tag.1.Key=a", "TagSpecifications.1.Tag.1.Value=b")
	second := r.text("transitGatewayRouteTable.transitGatewayRouteTableId")
	if r.text("transitGatewayRouteTable.state") != "pending" || r.text("transitGatewayRouteTable.defaultAssociationRouteTable") != "false" {
		t.Errorf("made %s", r.raw)
	}
	l.until("transitGatewayRouteTables.1.state", "available", "DescribeTransitGatewayRouteTables", "TransitGatewayRouteTableIds.1="+second)
	r = l.must("DescribeTransitGatewayRouteTables", "Filter.1.Name=default-association-route-table", "Filter.1.Value.1=true", "Filter.2.Name=transit-gateway-id", "Filter.2.Value.1="+h.gateway)
	if r.text("transitGatewayRouteTables.1.transitGatewayRouteTableId") != h.table || r.text("transitGatewayRouteTables.1.defaultPropagationRouteTable") != "true" {
		t.Errorf("default table %s", r.raw)
	}
	pair := func(table string) []string {
		return []string{"TransitGatewayRouteTableId=" + table, "TransitGatewayAttachmentId=" + h.here}
	}
	l.refused("Resource.AlreadyAssociated", "AssociateTransitGatewayRouteTable", pair(second)...)
	l.refused("InvalidAssociation.NotFound", "DisassociateTransitGatewayRouteTable", pair(second)...)
	if r = l.must("DisassociateTransitGatewayRouteTable", pair(h.table)...); r.text("association.state") != "disassociating" {
		t.Errorf("disassociating %s", r.raw)
	}
	l.until("transitGatewayAttachments.1.association.state", "-", "DescribeTransitGatewayAttachments", "TransitGatewayAttachmentIds.1="+h.here)
	if r = l.must("AssociateTransitGatewayRouteTable", pair(second)...); r.text("association.state") != "associating" || r.text("association.transitGatewayRouteTableId") != second {
		t.Errorf("associating %s", r.raw)
	}
	l.until("associations.1.state", "associated", "GetTransitGatewayRouteTableAssociations", "TransitGatewayRouteTableId="+second, "Filter.1.Name=transit-gateway-attachment-id", "Filter.1.Value.1="+h.here)
	if n := l.must("GetTransitGatewayRouteTableAssociations", "TransitGatewayRouteTableId="+h.table).count("associations"); n != 1 {
		t.Errorf("%d associations are left, want that of the other VPC", n)
	}
	if r = l.must("EnableTransitGatewayRouteTablePropagation", pair(second)...); r.text("propagation.state") != "enabled" {
		t.Errorf("propagation %s", r.raw)
	}
	l.refused("TransitGatewayRouteTablePropagation.Duplicate", "EnableTransitGatewayRouteTablePropagation", pair(second)...)
	l.refused("MissingParameter", "EnableTransitGatewayRouteTablePropagation", "TransitGatewayRouteTableId="+second)
	if r = l.must("GetTransitGatewayRouteTablePropagations", "TransitGatewayRouteTableId="+second); r.text("transitGatewayRouteTablePropagations.1.transitGatewayAttachmentId") != h.here {
		t.Errorf("propagations %s", r.raw)
	}
	if n := l.must("GetTransitGatewayAttachmentPropagations", "TransitGatewayAttachmentId="+h.here).count("transitGatewayAttachmentPropagations"); n != 2 {
		t.Errorf("the attachment propagates to %d tables, want 2", n)
	}
	if r = l.must("DisableTransitGatewayRouteTablePropagation", pair(second)...); r.text("propagation.state") != "disabled" {
		t.Errorf("propagation %s", r.raw)
	}
	l.refused("TransitGatewayRouteTablePropagation.NotFound", "DisableTransitGatewayRouteTablePropagation", pair(second)...)
	l.refused("IncorrectState", "DeleteTransitGatewayRouteTable", "TransitGatewayRouteTableId="+second)
	l.must("DisassociateTransitGatewayRouteTable", pair(second)...)
	l.until("transitGatewayAttachments.1.association.state", "-", "DescribeTransitGatewayAttachments", "TransitGatewayAttachmentIds.1="+h.here)
	if r = l.must("DeleteTransitGatewayRouteTable", "TransitGatewayRouteTableId="+second); r.text("transitGatewayRouteTable.state") != "deleting" {
		t.Errorf("deleting %s", r.raw)
	}
	l.until("transitGatewayRouteTables.1.state", "deleted", "DescribeTransitGatewayRouteTables", "TransitGatewayRouteTableIds.1="+second)
}

func walkTransitRoutes(t *testing.T, l *lab, w world, h hub) {
	t.Helper()
	table := "TransitGatewayRouteTableId=" + h.table
	r := l.must("CreateTransitGatewayRoute", table, "DestinationCidrBlock=10.9.1.7/24", "TransitGatewayAttachmentId="+h.there)
	if r.text("route.destinationCidrBlock") != "10.9.1.0/24" || r.text("route.state") != "active" || r.text("route.type") != "static" ||
		r.text("route.transitGatewayAttachments.1.resourceId") != h.vpc {
		t.Errorf("made %s", r.raw)
	}
	l.refused("RouteAlreadyExists", "CreateTransitGatewayRoute", table, "DestinationCidrBlock=10.9.1.0/24", "Blackhole=true")
	l.refused("MissingParameter", "CreateTransitGatewayRoute", table, "DestinationCidrBlock=10.9.2.0/24")
	l.refused("InvalidParameterCombination", "CreateTransitGatewayRoute", table, "DestinationCidrBlock=10.9.2.0/24", "Blackhole=true", "TransitGatewayAttachmentId="+h.there)
	r = l.must("ReplaceTransitGatewayRoute", table, "DestinationCidrBlock=10.9.1.0/24", "Blackhole=true")
	if r.text("route.state") != "blackhole" || r.text("route.transitGatewayAttachments") != "-" {
		t.Errorf("replaced %s", r.raw)
	}
	search := func(filters ...string) string {
		t.Helper()
		params := []string{table}
		for k, f := range filters {
			name, value, _ := strings.Cut(f, "=")
			params = append(params, "Filter."+number(k+1)+".Name="+name, "Filter."+number(k+1)+".Value.1="+value)
		}
		r := l.must("SearchTransitGatewayRoutes", params...)
		var to []string
		for k := range r.at("routeSet").Children {
			to = append(to, r.text("routeSet."+number(k+1)+".destinationCidrBlock"))
		}
		return strings.Join(to, " ")
	}
	for _, tt := range []struct{ filter, want string }{
		{"type=static", "10.9.1.0/24"},
		{"type=propagated", "10.0.0.0/16 10.9.0.0/16"},
		{"state=active", "10.0.0.0/16 10.9.0.0/16"},
		{"state=blackhole", "10.9.1.0/24"},
		{"attachment.resource-id=" + h.vpc, "10.9.0.0/16"},
		{"attachment.transit-gateway-attachment-id=" + h.here, "10.0.0.0/16"},
		{"route-search.exact-match=10.9.0.0/16", "10.9.0.0/16"},
		{"route-search.longest-prefix-match=10.9.1.8/32", "10.9.1.0/24"},
		{"route-search.longest-prefix-match=10.9.2.8", "10.9.0.0/16"},
		{"route-search.longest-prefix-match=192.0.2.1", ""},
		{"route-search.subnet-of-match=10.9.0.0/16", "10.9.0.0/16 10.9.1.0/24"},
		{"route-search.supernet-of-match=10.9.1.0/25", "10.9.0.0/16 10.9.1.0/24"},
		{"prefix-list-id=pl-*", ""},
	} {
		if got := search(tt.filter); got != tt.want {
			t.Errorf("by %s: %q, want %q", tt.filter, got, tt.want)
		}
	}
	if got := search("route-search.subnet-of-match=10.0.0.0/8", "type=propagated"); got != "10.0.0.0/16 10.9.0.0/16" {
		t.Errorf("by two filters: %q", got)
	}
	l.refused("InvalidParameterValue", "SearchTransitGatewayRoutes", table, "Filter.1.Name=route-search.exact-match", "Filter.1.Value.1=*")
	l.refused("MissingParameter", "SearchTransitGatewayRoutes", table)
	if r = l.must("DeleteTransitGatewayRoute", table, "DestinationCidrBlock=10.9.1.0/24"); r.text("route.state") != "deleted" {
		t.Errorf("deleted %s", r.raw)
	}
	l.refused("InvalidRoute.NotFound", "DeleteTransitGatewayRoute", table, "DestinationCidrBlock=10.9.1.0/24")

	main := l.must("DescribeRouteTables", "Filter.1.Name=vpc-id", "Filter.1.Value.1="+w.vpc, "Filter.2.Name=association.main", "Filter.2.Value.1=true").text("routeTableSet.1.routeTableId")
	l.must("CreateRoute", "RouteTableId="+main, "DestinationCidrBlock=10.9.0.0/16", "TransitGatewayId="+h.gateway)
	l.must("ReplaceRoute", "RouteTableId="+main, "DestinationCidrBlock=10.9.0.0/16", "TransitGatewayId="+h.gateway)
	if got := l.ask("CreateRoute", "RouteTableId="+main, "DestinationCidrBlock=10.10.0.0/16", "TransitGatewayId=tgw-0123456789abcdef0").message(); got != "The transitGateway ID 'tgw-0123456789abcdef0' does not exist." {
		t.Error(got)
	}
	r = l.must("DescribeRouteTables", "Filter.1.Name=route.transit-gateway-id", "Filter.1.Value.1="+h.gateway)
	if r.text("routeTableSet.1.routeSet.2.transitGatewayId") != h.gateway || r.text("routeTableSet.1.routeSet.2.state") != "active" {
		t.Errorf("routes %s", r.raw)
	}
	l.must("DeleteRoute", "RouteTableId="+main, "DestinationCidrBlock=10.9.0.0/16")
}

// Lists of transit gateways come in pages.
func TestTransitPages(t *testing.T) {
	l := newLab(t)
	w := l.world()
	h := l.hub(w)
	for k := range 6 {
		l.must("CreateTransitGatewayRoute", "TransitGatewayRouteTableId="+h.table, "DestinationCidrBlock=192.0.2."+number(k)+"/32", "Blackhole=true")
	}
	params := []string{"TransitGatewayRouteTableId=" + h.table, "Filter.1.Name=type", "Filter.1.Value.1=*", "MaxResults=5"}
	first := l.must("SearchTransitGatewayRoutes", params...)
	rest := l.must("SearchTransitGatewayRoutes", append(params, "NextToken="+first.text("nextToken"))...)
	if first.count("routeSet") != 5 || first.text("additionalRoutesAvailable") != "true" || rest.count("routeSet") != 3 ||
		rest.text("additionalRoutesAvailable") != "false" || rest.text("nextToken") != "-" || rest.text("routeSet.3.destinationCidrBlock") != "192.0.2.5/32" {
		t.Errorf("pages %s and %s", first.raw, rest.raw)
	}
}
