package ec2

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func (c *call) networkInterface(n *control.NetworkInterface) model.NetworkInterface {
	owner := &c.api.opt.Account
	primary := n.PrimaryAddress()
	primaryText, primaryName := new(primary.String()), text(c.interfaceName(n, primary))
	out := model.NetworkInterface{
		NetworkInterfaceId: &n.ID, SubnetId: &n.Subnet, VpcId: &n.VPC, OwnerId: owner,
		AvailabilityZone: &n.Zone, AvailabilityZoneId: c.zoneID(n.Zone),
		Description: &n.Description, Status: new(c.status(n)), InterfaceType: new(interfaceType(n)), MacAddress: new(n.MAC.String()),
		PrivateIpAddress: primaryText, PrivateDnsName: primaryName,
		SourceDestCheck: &n.SourceDestCheck, RequesterManaged: &n.RequesterManaged, RequesterId: text(n.RequesterID),
		Operator: &model.OperatorResponse{Managed: new(false)},
		Groups:   c.groupIDs(n.Groups), TagSet: tagList(n.Tags), Ipv6Addresses: []model.NetworkInterfaceIpv6Address{},
		PrivateIpAddresses: make([]model.NetworkInterfacePrivateIpAddress, 0, len(n.Addresses)),
		Attachment:         c.attachment(n), ConnectionTrackingConfiguration: trackingView(n.Tracking),
	}
	public := c.mappings(n)
	for i := range n.Addresses {
		a := &n.Addresses[i]
		p := model.NetworkInterfacePrivateIpAddress{PrivateIpAddress: primaryText, Primary: &a.Primary, PrivateDnsName: primaryName}
		if a.Addr != primary {
			p.PrivateIpAddress, p.PrivateDnsName = new(a.Addr.String()), text(c.interfaceName(n, a.Addr))
		}
		if m, ok := public[a.Addr]; ok {
			p.Association = c.association(n, m)
			if a.Primary {
				out.Association, out.PublicDnsName = p.Association, p.Association.PublicDnsName
			}
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, p)
	}
	for i := range n.IPv6 {
		a := &n.IPv6[i]
		out.Ipv6Addresses = append(out.Ipv6Addresses, model.NetworkInterfaceIpv6Address{Ipv6Address: new(a.Addr.String()), IsPrimaryIpv6: &a.Primary})
	}
	if len(n.IPv6) > 0 {
		out.Ipv6Address = out.Ipv6Addresses[0].Ipv6Address
	}
	for _, p := range n.Prefixes {
		out.Ipv4Prefixes = append(out.Ipv4Prefixes, model.Ipv4PrefixSpecification{Ipv4Prefix: new(p.String())})
	}
	for _, p := range n.IPv6Prefixes {
		out.Ipv6Prefixes = append(out.Ipv6Prefixes, model.Ipv6PrefixSpecification{Ipv6Prefix: new(p.String())})
	}
	return out
}

func interfaceType(n *control.NetworkInterface) string { return cmp.Or(n.Type, control.TypeInterface) }

// trackingView shows the timeouts that an ENI has of its own, nil if none.
func trackingView(t control.ConnectionTracking) *model.ConnectionTrackingConfiguration {
	if t == (control.ConnectionTracking{}) {
		return nil
	}
	seconds := func(d time.Duration) *int {
		if d == 0 {
			return nil
		}
		return new(int(d.Seconds()))
	}
	return &model.ConnectionTrackingConfiguration{
		TcpEstablishedTimeout: seconds(t.TCPEstablished), UdpStreamTimeout: seconds(t.UDPStream), UdpTimeout: seconds(t.UDP),
	}
}

func (c *call) association(n *control.NetworkInterface, m mapping) *model.NetworkInterfaceAssociation {
	a := &model.NetworkInterfaceAssociation{
		IpOwnerId: new(m.owner(c)), PublicIp: new(m.public.String()), PublicDnsName: new(c.publicName(n.VPC, m.public)),
	}
	if m.elastic != nil {
		a.AllocationId, a.AssociationId = &m.elastic.AllocationID, &m.elastic.AssociationID
	}
	return a
}

// held begins the ids of the attachments of ENIs that a service holds, which
// are no attachments to instances.
const held = "ela-attach-"

// serviceOwner is who holds them.
const serviceOwner = "amazon-aws"

// attachmentOf is what an ENI shows as its attachment, nil if it has none.
func attachmentOf(n *control.NetworkInterface) *control.Attachment {
	if !n.RequesterManaged {
		return n.Attachment
	}
	return &control.Attachment{
		ID: held + strings.TrimPrefix(n.ID, control.InterfaceID.Prefix), DeviceIndex: 1, State: control.Attached, AttachTime: n.CreatedAt,
	}
}

// heldAttachment reports whether an id is that of such an attachment.
func (c *call) heldAttachment(id string) bool {
	digits, ok := strings.CutPrefix(id, held)
	if !ok {
		return false
	}
	n := c.state.NetworkInterface(control.InterfaceID.Prefix + digits)
	return n != nil && n.RequesterManaged
}

func (c *call) attachment(n *control.NetworkInterface) *model.NetworkInterfaceAttachment {
	a := attachmentOf(n)
	if a == nil {
		return nil
	}
	out := &model.NetworkInterfaceAttachment{
		AttachmentId: &a.ID, InstanceId: text(a.Instance), InstanceOwnerId: new(c.attachmentOwner(a)),
		DeviceIndex: &a.DeviceIndex, NetworkCardIndex: &a.NetworkCard, Status: new(string(a.State)),
		AttachTime: &a.AttachTime, DeleteOnTermination: &a.DeleteOnTermination,
	}
	return out
}

func (c *call) attachmentOwner(a *control.Attachment) string {
	if a.Instance == "" {
		return serviceOwner
	}
	return c.api.opt.Account
}

func interfacePlace(n *control.NetworkInterface) string { return place(n.CreatedAt, n.ID) }

type eni = *control.NetworkInterface

// ofAttachment is a filter on the attachment, which an ENI may not have.
func ofAttachment(of func(*call, *control.Attachment) string) field[eni] {
	return func(c *call, n eni, match func(string) bool) bool {
		a := attachmentOf(n)
		return a != nil && match(of(c, a))
	}
}

// ofPublic is a filter on the public addresses: of the primary private address,
// or of any. "" is none.
func ofPublic(any bool, of func(*call, eni, mapping) string) field[eni] {
	return func(c *call, n eni, match func(string) bool) bool {
		for private, m := range c.mappings(n) {
			if !any && private != n.PrimaryAddress() {
				continue
			}
			if v := of(c, n, m); v != "" && match(v) {
				return true
			}
		}
		return false
	}
}

func publicIPOf(_ *call, _ eni, m mapping) string { return m.public.String() }

func publicNameOf(c *call, n eni, m mapping) string { return c.publicName(n.VPC, m.public) }

func publicOwnerOf(c *call, _ eni, m mapping) string { return m.owner(c) }

func allocationOf(_ *call, _ eni, m mapping) string {
	if m.elastic == nil {
		return ""
	}
	return m.elastic.AllocationID
}

func associationOf(_ *call, _ eni, m mapping) string {
	if m.elastic == nil {
		return ""
	}
	return m.elastic.AssociationID
}

// textOr is a filter on a text that a row may not have.
func textOr[T any](of func(*call, T) string) field[T] {
	return func(c *call, row T, match func(string) bool) bool {
		v := of(c, row)
		return v != "" && match(v)
	}
}

func ipv6Of(_ *call, n eni) []string {
	list := make([]string, len(n.IPv6))
	for i, a := range n.IPv6 {
		list[i] = a.Addr.String()
	}
	return list
}

func accountOf[T any](c *call, _ T) string { return c.api.opt.Account }

var interfaceFilters = filterable[eni]{
	action: "DescribeNetworkInterfaces",
	fields: map[string]field[eni]{
		"addresses.association.owner-id":  ofPublic(true, publicOwnerOf),
		"addresses.association.public-ip": ofPublic(true, publicIPOf),
		"addresses.primary": func(_ *call, n eni, match func(string) bool) bool {
			return match("true") || len(n.Addresses) > 1 && match("false")
		},
		"addresses.private-ip-address": func(_ *call, n eni, match func(string) bool) bool {
			for _, a := range n.Addresses {
				if match(a.Addr.String()) {
					return true
				}
			}
			return false
		},
		"association.allocation-id":   ofPublic(false, allocationOf),
		"association.association-id":  ofPublic(false, associationOf),
		"association.ip-owner-id":     ofPublic(false, publicOwnerOf),
		"association.public-dns-name": ofPublic(false, publicNameOf),
		"association.public-ip":       ofPublic(false, publicIPOf),
		"attachment.attach-time": ofAttachment(func(_ *call, a *control.Attachment) string {
			return a.AttachTime.UTC().Format(filterTime)
		}),
		"attachment.attachment-id":         ofAttachment(func(_ *call, a *control.Attachment) string { return a.ID }),
		"attachment.delete-on-termination": ofAttachment(func(_ *call, a *control.Attachment) string { return yes(a.DeleteOnTermination) }),
		"attachment.device-index":          ofAttachment(func(_ *call, a *control.Attachment) string { return strconv.Itoa(a.DeviceIndex) }),
		"attachment.instance-id":           ofAttachment(func(_ *call, a *control.Attachment) string { return a.Instance }),
		"attachment.instance-owner-id":     ofAttachment((*call).attachmentOwner),
		"attachment.status":                ofAttachment(func(_ *call, a *control.Attachment) string { return string(a.State) }),
		"availability-zone":                one(func(_ *call, n eni) string { return n.Zone }),
		"availability-zone-id":             one(func(c *call, n eni) string { return query.Value(c.zoneID(n.Zone)) }),
		"description":                      one(func(_ *call, n eni) string { return n.Description }),
		"group-id":                         some(func(_ *call, n eni) []string { return n.Groups }),
		"interface-type":                   one(func(_ *call, n eni) string { return interfaceType(n) }),
		"ipv6-addresses.ipv6-address":      some(ipv6Of),
		"mac-address":                      one(func(_ *call, n eni) string { return n.MAC.String() }),
		"network-interface-id":             one(func(_ *call, n eni) string { return n.ID }),
		"operator.managed":                 fixed[eni]("false"),
		"owner-id":                         one(accountOf[eni]),
		"private-dns-name":                 textOr(func(c *call, n eni) string { return c.interfaceName(n, n.PrimaryAddress()) }),
		"private-ip-address":               one(func(_ *call, n eni) string { return n.PrimaryAddress().String() }),
		"requester-id":                     textOr(func(_ *call, n eni) string { return n.RequesterID }),
		"requester-managed":                one(func(_ *call, n eni) string { return yes(n.RequesterManaged) }),
		"source-dest-check":                one(func(_ *call, n eni) string { return yes(n.SourceDestCheck) }),
		"status":                           one((*call).status),
		"subnet-id":                        one(func(_ *call, n eni) string { return n.Subnet }),
		"vpc-id":                           one(func(_ *call, n eni) string { return n.VPC }),
	},
	absent: "operator.principal",
	tags:   func(n eni) control.Tags { return n.Tags },
	former: map[string]field[eni]{
		"attachment.nat-gateway-id": textOr(natOf),
		"group-name":                groupNames,
	},
}

// natOf is the NAT gateway that holds an ENI, "" if none.
func natOf(c *call, n eni) string {
	if n.Type == control.TypeNATGateway {
		for _, g := range c.state.NATGateways() {
			if g.Interface == n.ID {
				return g.ID
			}
		}
	}
	return ""
}

// filterTime is how instants are compared in filters.
const filterTime = "2006-01-02T15:04:05.000Z"

// candidates are the ENIs that filters can leave, by the narrowest index that
// one of them allows.
func (c *call) candidates(filters []model.Filter) []eni {
	one := func(n eni) []eni {
		if n == nil {
			return nil
		}
		return []eni{n}
	}
	for name, rows := range map[string]func(value string) []eni{
		"network-interface-id": func(v string) []eni { return one(c.state.NetworkInterface(v)) },
		"attachment.attachment-id": func(v string) []eni {
			if c.heldAttachment(v) {
				return one(c.state.NetworkInterface(control.InterfaceID.Prefix + strings.TrimPrefix(v, held)))
			}
			return one(c.state.InterfaceByAttachment(v))
		},
		"attachment.instance-id": c.state.InterfacesOf,
	} {
		values := exact(filters, name)
		if values == nil {
			continue
		}
		found := make(map[string]eni)
		for _, v := range values {
			for _, n := range rows(v) {
				found[n.ID] = n
			}
		}
		list := make([]eni, 0, len(found))
		for _, n := range found {
			list = append(list, n)
		}
		return sorted(list, interfacePlace)
	}
	return c.state.NetworkInterfaces()
}

func describeNetworkInterfaces(c *call, in *model.DescribeNetworkInterfacesRequest) (result, error) {
	keep, err := interfaceFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "networkInterfaceIds", in.NetworkInterfaceIds)
	if err != nil {
		return nil, err
	}
	var rows []eni
	if len(in.NetworkInterfaceIds) > 0 {
		if rows, err = findAll(control.InterfaceID, in.NetworkInterfaceIds, c.state.NetworkInterface); err != nil {
			return nil, err
		}
		rows = sorted(rows, interfacePlace)
	} else {
		rows = c.candidates(in.Filters)
	}
	rows = c.withEnded(rows, in.Filters, in.NetworkInterfaceIds)
	rows, next := cutPage(p, rows, interfacePlace, keep)
	return &interfaceList{c, rows, next}, nil
}

func describeNetworkInterfaceAttribute(c *call, in *model.DescribeNetworkInterfaceAttributeRequest) (result, error) {
	n, err := find(control.InterfaceID, *in.NetworkInterfaceId, c.state.NetworkInterface)
	if err != nil {
		return nil, err
	}
	if in.Attribute == nil {
		return nil, missing("attribute")
	}
	out := &model.DescribeNetworkInterfaceAttributeResult{NetworkInterfaceId: &n.ID}
	switch *in.Attribute {
	case "description":
		out.Description = &model.AttributeValue{Value: &n.Description}
	case "groupSet":
		out.Groups = c.groupIDs(n.Groups)
	case "sourceDestCheck":
		out.SourceDestCheck = &model.AttributeBooleanValue{Value: &n.SourceDestCheck}
	case "attachment":
		out.Attachment = c.attachment(n)
	case "associatePublicIpAddress":
		out.AssociatePublicIpAddress = &n.WantsPublicIP
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", clip(*in.Attribute))
	}
	return out, nil
}
