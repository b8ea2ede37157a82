package control

import (
	"maps"
	"strings"
	"unicode/utf8"
)

// Limits of tags (EC2 User Guide, "Tag your Amazon EC2 resources").
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags Tags) error {
	for k, v := range tags {
		switch {
		case k == "":
			return invalid("tags", "Tag key cannot be empty.")
		case utf8.RuneCountInString(k) > maxTagKey || !utf8.ValidString(k):
			return invalid("tags", "Tag key exceeds the maximum length of %d characters", maxTagKey)
		case utf8.RuneCountInString(v) > maxTagValue || !utf8.ValidString(v):
			return invalid("tags", "Tag value exceeds the maximum length of %d characters", maxTagValue)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return invalid("tags", "Tag keys starting with 'aws:' are reserved for internal use")
		}
	}
	if len(tags) > maxTags {
		return refuse("TagLimitExceeded", "tags", "The maximum number of Tags for a resource has been reached.")
	}
	return nil
}

// ownTags copies tags from an input; no tags are nil, so that a State compares
// equal to what the store gives back.
func ownTags(tags Tags) Tags {
	if len(tags) == 0 {
		return nil
	}
	return maps.Clone(tags)
}

func retag(old, set Tags, remove []string) (Tags, error) {
	tags := make(Tags, len(old)+len(set))
	maps.Copy(tags, old)
	for _, k := range remove {
		delete(tags, k)
	}
	maps.Copy(tags, set)
	if err := checkTags(set); err != nil {
		return nil, err
	}
	return ownTags(tags), checkTags(tags)
}

// volumePrefix begins the ids of root volumes.
const volumePrefix = "vol-"

// setTags sets and removes tags of any resource that has them.
func (t *tx) setTags(id string, set Tags, remove []string) error {
	switch prefix, _, _ := strings.Cut(id, "-"); prefix + "-" {
	case VPCID.Prefix:
		v, err := t.vpc(id)
		return retagRow(t, TableVPC, v, err, func(v *VPC) *Tags { return &v.Tags }, set, remove)
	case SubnetID.Prefix:
		s, err := t.subnet(id)
		return retagRow(t, TableSubnet, s, err, func(s *Subnet) *Tags { return &s.Tags }, set, remove)
	case InstanceID.Prefix:
		i, err := t.instance(id)
		return retagRow(t, TableInstance, i, err, func(i *Instance) *Tags { return &i.Tags }, set, remove)
	case volumePrefix:
		// A volume is no row of its own: the instance whose id it has keeps its tags.
		i, err := t.instance(InstanceID.Prefix + strings.TrimPrefix(id, volumePrefix))
		return retagRow(t, TableInstance, i, err, func(i *Instance) *Tags { return &i.VolumeTags }, set, remove)
	case InterfaceID.Prefix:
		n, err := t.networkInterface(id)
		return retagRow(t, TableNetworkInterface, n, err, func(n *NetworkInterface) *Tags { return &n.Tags }, set, remove)
	case GroupID.Prefix:
		g, err := t.group(id)
		return retagRow(t, TableSecurityGroup, g, err, func(g *SecurityGroup) *Tags { return &g.Tags }, set, remove)
	case RuleID.Prefix:
		return t.retagRule(id, set, remove)
	case PrefixListID.Prefix:
		l, err := t.prefixList(id)
		return retagRow(t, TablePrefixList, l, err, func(l *PrefixList) *Tags { return &l.Tags }, set, remove)
	case FlowLogID.Prefix:
		l, err := t.flowLog(id)
		return retagRow(t, TableFlowLog, l, err, func(l *FlowLog) *Tags { return &l.Tags }, set, remove)
	case AllocationID.Prefix:
		a, err := t.address(id)
		return retagRow(t, TableAddress, a, err, func(a *Address) *Tags { return &a.Tags }, set, remove)
	case RouteTableID.Prefix:
		r, err := t.routeTable(id)
		return retagRow(t, TableRouteTable, r, err, func(r *RouteTable) *Tags { return &r.Tags }, set, remove)
	case NetworkACLID.Prefix:
		a, err := t.networkACL(id)
		return retagRow(t, TableNetworkACL, a, err, func(a *NetworkACL) *Tags { return &a.Tags }, set, remove)
	case InternetGatewayID.Prefix:
		g, err := t.internetGateway(id)
		return retagRow(t, TableInternetGateway, g, err, func(g *InternetGateway) *Tags { return &g.Tags }, set, remove)
	case EgressOnlyGatewayID.Prefix:
		g, err := t.egressOnlyGateway(id)
		return retagRow(t, TableEgressOnlyGateway, g, err, func(g *EgressOnlyGateway) *Tags { return &g.Tags }, set, remove)
	case DHCPOptionsID.Prefix:
		d, err := t.dhcpOptions(id)
		return retagRow(t, TableDHCPOptions, d, err, func(d *DHCPOptions) *Tags { return &d.Tags }, set, remove)
	case PeeringID.Prefix:
		p, err := t.peering(id)
		return retagRow(t, TablePeering, p, err, func(p *Peering) *Tags { return &p.Tags }, set, remove)
	case NATGatewayID.Prefix:
		g, err := t.natGateway(id)
		return retagRow(t, TableNATGateway, g, err, func(g *NATGateway) *Tags { return &g.Tags }, set, remove)
	case KeyPairID.Prefix:
		k, err := t.keyPair(id)
		return retagRow(t, TableKeyPair, k, err, func(k *KeyPair) *Tags { return &k.Tags }, set, remove)
	case ReservationID.Prefix:
		r, err := t.reservation(id)
		return retagRow(t, TableCIDRReservation, r, err, func(r *CIDRReservation) *Tags { return &r.Tags }, set, remove)
	}
	return refuse("InvalidID", "resourceId", "The ID '%s' is not valid", id)
}

func retagRow[T any](t *tx, table Table, row *T, err error, tags func(*T) *Tags, set Tags, remove []string) error {
	if err != nil {
		return err
	}
	c := *row
	p := tags(&c)
	changed, err := retag(*p, set, remove)
	if err != nil || maps.Equal(changed, *p) {
		return err
	}
	*p = changed
	t.put(table, &c)
	t.emit("tags.changed", rowID(&c))
	return nil
}
