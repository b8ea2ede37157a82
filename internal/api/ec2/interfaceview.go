package ec2

import (
	"net/netip"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func (c *call) networkInterface(n *control.NetworkInterface) model.NetworkInterface {
	owner := &c.api.opt.Account
	out := model.NetworkInterface{
		NetworkInterfaceId: &n.ID, SubnetId: &n.Subnet, VpcId: &n.VPC, OwnerId: owner,
		AvailabilityZone: &n.Zone, AvailabilityZoneId: c.zoneID(n.Zone),
		Description: &n.Description, Status: new(c.status(n)), InterfaceType: new("interface"), MacAddress: new(n.MAC.String()),
		PrivateIpAddress: new(n.PrimaryAddress().String()), SourceDestCheck: &n.SourceDestCheck,
		RequesterManaged: new(false), Operator: &model.OperatorResponse{Managed: new(false)},
		Groups: c.groupIDs(n.Groups), TagSet: tagList(n.Tags), Ipv6Addresses: []model.NetworkInterfaceIpv6Address{},
		PrivateIpAddresses: make([]model.NetworkInterfacePrivateIpAddress, 0, len(n.Addresses)),
	}
	elastic := c.elastic(n)
	for i := range n.Addresses {
		a := &n.Addresses[i]
		p := model.NetworkInterfacePrivateIpAddress{PrivateIpAddress: new(a.Addr.String()), Primary: &a.Primary}
		if e := elastic[a.Addr]; e != nil {
			p.Association = c.association(e)
			if a.Primary {
				out.Association = p.Association
			}
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, p)
	}
	if n.Attachment != nil {
		out.Attachment = c.attachment(n.Attachment)
	}
	return out
}

func (c *call) association(a *control.Address) *model.NetworkInterfaceAssociation {
	return &model.NetworkInterfaceAssociation{
		AllocationId: &a.AllocationID, AssociationId: &a.AssociationID, IpOwnerId: &c.api.opt.Account,
		PublicIp: new(a.PublicIP.String()), PublicDnsName: new(""),
	}
}

func (c *call) attachment(a *control.Attachment) *model.NetworkInterfaceAttachment {
	return &model.NetworkInterfaceAttachment{
		AttachmentId: &a.ID, InstanceId: &a.Instance, InstanceOwnerId: &c.api.opt.Account,
		DeviceIndex: &a.DeviceIndex, NetworkCardIndex: new(0), Status: new(string(a.State)),
		AttachTime: &a.AttachTime, DeleteOnTermination: &a.DeleteOnTermination,
	}
}

// privateName is the host name of a private address inside a VPC.
func (c *call) privateName(addr netip.Addr) string {
	domain := c.region.name + ".compute.internal"
	if c.region.name == "us-east-1" {
		domain = "ec2.internal"
	}
	return "ip-" + strings.ReplaceAll(addr.String(), ".", "-") + "." + domain
}

func interfacePlace(n *control.NetworkInterface) string { return place(n.CreatedAt, n.ID) }

type eni = *control.NetworkInterface

// ofAttachment is a filter on the attachment, which an ENI may not have.
func ofAttachment(of func(*call, *control.Attachment) string) field[eni] {
	return func(c *call, n eni, match func(string) bool) bool {
		return n.Attachment != nil && match(of(c, n.Attachment))
	}
}

// ofElastic is a filter on the Elastic IPs: of the primary address, or of any.
func ofElastic(any bool, of func(*call, *control.Address) string) field[eni] {
	return func(c *call, n eni, match func(string) bool) bool {
		for _, a := range c.state.AddressesOf(n.ID) {
			if (any || a.PrivateIP == n.PrimaryAddress()) && match(of(c, a)) {
				return true
			}
		}
		return false
	}
}

func accountOf[T any](c *call, _ T) string { return c.api.opt.Account }

var interfaceFilters = filterable[eni]{
	action: "DescribeNetworkInterfaces",
	fields: map[string]field[eni]{
		"addresses.association.owner-id":  ofElastic(true, accountOf),
		"addresses.association.public-ip": ofElastic(true, func(_ *call, a *control.Address) string { return a.PublicIP.String() }),
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
		"association.allocation-id":  ofElastic(false, func(_ *call, a *control.Address) string { return a.AllocationID }),
		"association.association-id": ofElastic(false, func(_ *call, a *control.Address) string { return a.AssociationID }),
		"association.ip-owner-id":    ofElastic(false, accountOf),
		"association.public-ip":      ofElastic(false, func(_ *call, a *control.Address) string { return a.PublicIP.String() }),
		"attachment.attach-time": ofAttachment(func(_ *call, a *control.Attachment) string {
			return a.AttachTime.UTC().Format(filterTime)
		}),
		"attachment.attachment-id":         ofAttachment(func(_ *call, a *control.Attachment) string { return a.ID }),
		"attachment.delete-on-termination": ofAttachment(func(_ *call, a *control.Attachment) string { return yes(a.DeleteOnTermination) }),
		"attachment.device-index":          ofAttachment(func(_ *call, a *control.Attachment) string { return strconv.Itoa(a.DeviceIndex) }),
		"attachment.instance-id":           ofAttachment(func(_ *call, a *control.Attachment) string { return a.Instance }),
		"attachment.instance-owner-id":     ofAttachment(accountOf),
		"attachment.status":                ofAttachment(func(_ *call, a *control.Attachment) string { return string(a.State) }),
		"availability-zone":                one(func(_ *call, n eni) string { return n.Zone }),
		"availability-zone-id":             one(func(c *call, n eni) string { return query.Value(c.zoneID(n.Zone)) }),
		"description":                      one(func(_ *call, n eni) string { return n.Description }),
		"group-id":                         some(func(_ *call, n eni) []string { return n.Groups }),
		"interface-type":                   fixed[eni]("interface"),
		"mac-address":                      one(func(_ *call, n eni) string { return n.MAC.String() }),
		"network-interface-id":             one(func(_ *call, n eni) string { return n.ID }),
		"operator.managed":                 fixed[eni]("false"),
		"owner-id":                         one(accountOf[eni]),
		"private-ip-address":               one(func(_ *call, n eni) string { return n.PrimaryAddress().String() }),
		"requester-managed":                fixed[eni]("false"),
		"source-dest-check":                one(func(_ *call, n eni) string { return yes(n.SourceDestCheck) }),
		"status":                           one((*call).status),
		"subnet-id":                        one(func(_ *call, n eni) string { return n.Subnet }),
		"vpc-id":                           one(func(_ *call, n eni) string { return n.VPC }),
	},
	absent: "association.public-dns-name ipv6-addresses.ipv6-address operator.principal private-dns-name requester-id",
	tags:   func(n eni) control.Tags { return n.Tags },
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
		"network-interface-id":     func(v string) []eni { return one(c.state.NetworkInterface(v)) },
		"attachment.attachment-id": func(v string) []eni { return one(c.state.InterfaceByAttachment(v)) },
		"attachment.instance-id":   c.state.InterfacesOf,
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
		if rows, err = findAll(idInterface, in.NetworkInterfaceIds, c.state.NetworkInterface); err != nil {
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
	n, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface)
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
		if n.Attachment != nil {
			out.Attachment = c.attachment(n.Attachment)
		}
	case "associatePublicIpAddress":
		out.AssociatePublicIpAddress = new(false)
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", clip(*in.Attribute))
	}
	return out, nil
}
