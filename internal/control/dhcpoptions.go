package control

import (
	"cmp"
	"context"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// DHCPOptions is a set of DHCP options; it never changes.
type DHCPOptions struct {
	ID        string // "dopt-..."
	Region    string
	Options   []DHCPOption // by key
	Tags      Tags
	CreatedAt time.Time
}

// DHCPOption is one option of a set, such as domain-name-servers.
type DHCPOption struct {
	Key    string
	Values []string
}

// DHCPOptions returns one set of DHCP options.
func (s *State) DHCPOptions(id string) *DHCPOptions {
	return seek[DHCPOptions](s, TableDHCPOptions, byID, id)
}

// DHCPOptionSets returns every set of DHCP options.
func (s *State) DHCPOptionSets() []*DHCPOptions {
	return all[*DHCPOptions](s, TableDHCPOptions, byCreation)
}

// amazonDNS is the value of domain-name-servers that stands for the VPC's own
// resolver.
const amazonDNS = "AmazonProvidedDNS"

// CreateDHCPOptions makes a set of DHCP options.
func (s *Service) CreateDHCPOptions(ctx context.Context, options []DHCPOption, tags Tags) (*DHCPOptions, error) {
	return result(ctx, s, func(t *tx) (*DHCPOptions, error) { return t.createDHCPOptions(options, tags) })
}

// AssociateDHCPOptions gives a VPC a set of DHCP options, or none ("default").
func (s *Service) AssociateDHCPOptions(ctx context.Context, id, vpc string) error {
	return s.change(ctx, func(t *tx) error { return t.associateDHCPOptions(id, vpc) })
}

// DeleteDHCPOptions deletes a set that no VPC uses.
func (s *Service) DeleteDHCPOptions(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteDHCPOptions(id) })
}

// dhcpKeys are the options that EC2 knows and how many values each takes (EC2
// API reference, CreateDhcpOptions).
var dhcpKeys = map[string]int{
	"domain-name": 1, "domain-name-servers": 4, "ntp-servers": 8, "netbios-name-servers": 4,
	"netbios-node-type": 1, "ipv6-address-preferred-lease-time": 1,
}

func (t *tx) createDHCPOptions(options []DHCPOption, tags Tags) (*DHCPOptions, error) {
	if len(options) == 0 {
		return nil, refuse(codeMissing, "dhcpConfiguration", "The request must contain the parameter dhcpConfiguration")
	}
	own := make([]DHCPOption, 0, len(options))
	for _, o := range options {
		if slices.ContainsFunc(own, func(p DHCPOption) bool { return p.Key == o.Key }) {
			return nil, invalid("dhcpConfiguration", "The DHCP option %s is given more than once.", o.Key)
		}
		if err := checkDHCPOption(o); err != nil {
			return nil, err
		}
		own = append(own, DHCPOption{Key: o.Key, Values: slices.Clone(o.Values)})
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	slices.SortFunc(own, func(a, b DHCPOption) int { return cmp.Compare(a.Key, b.Key) })
	return t.newDHCPOptions(own, tags)
}

func checkDHCPOption(o DHCPOption) error {
	most, ok := dhcpKeys[o.Key]
	switch {
	case !ok:
		return invalid("key", "Value (%s) for parameter name is invalid. Unknown DHCP option", o.Key)
	case len(o.Values) == 0:
		return refuse(codeMissing, "value", "The request must contain at least one value of the DHCP option %s", o.Key)
	case len(o.Values) > most:
		return invalid("value", "The DHCP option %s takes %d values at most.", o.Key, most)
	}
	for _, v := range o.Values {
		if !validDHCPValue(o.Key, v) {
			return invalid("value", "Value (%s) for parameter value is invalid for the DHCP option %s.", v, o.Key)
		}
	}
	return nil
}

func validDHCPValue(key, value string) bool {
	switch key {
	case "domain-name":
		return value != "" && len(value) <= 255
	case "netbios-node-type":
		return slices.Contains([]string{"1", "2", "4", "8"}, value)
	case "ipv6-address-preferred-lease-time":
		n, err := strconv.Atoi(value)
		return err == nil && n >= 140 && n <= math.MaxInt32
	case "domain-name-servers":
		if value == amazonDNS {
			return true
		}
	}
	a, err := netip.ParseAddr(value)
	return err == nil && (a.Is4() || key != "netbios-name-servers")
}

func (t *tx) newDHCPOptions(options []DHCPOption, tags Tags) (*DHCPOptions, error) {
	id, err := t.mintRow(TableDHCPOptions, DHCPOptionsID.Prefix)
	if err != nil {
		return nil, err
	}
	d := &DHCPOptions{ID: id, Region: t.region, Options: options, Tags: ownTags(tags), CreatedAt: t.now}
	t.put(TableDHCPOptions, d)
	t.emit("dhcp-options.created", id)
	return d, nil
}

// defaultOptions is the region's default set of DHCP options, made when it is
// first needed: the oldest one that says what a default set says.
func (t *tx) defaultOptions() (*DHCPOptions, error) {
	standard := []DHCPOption{
		{Key: "domain-name", Values: []string{InternalDomain(t.region)}},
		{Key: "domain-name-servers", Values: []string{amazonDNS}},
	}
	for _, d := range list[*DHCPOptions](t, TableDHCPOptions, byCreation) {
		if d.Region == t.region && slices.EqualFunc(d.Options, standard, func(a, b DHCPOption) bool {
			return a.Key == b.Key && slices.Equal(a.Values, b.Values)
		}) {
			return d, nil
		}
	}
	return t.newDHCPOptions(standard, nil)
}

func (t *tx) associateDHCPOptions(id, vpc string) error {
	if id == "default" {
		id = ""
	} else if _, err := t.dhcpOptions(id); err != nil {
		return err
	}
	v, err := t.vpc(vpc)
	if err != nil || v.DHCPOptions == id {
		return err
	}
	c := *v
	c.DHCPOptions = id
	t.put(TableVPC, &c)
	t.emit("dhcp-options.associated", cmp.Or(id, "default"), "vpc", v.ID)
	return nil
}

func (t *tx) deleteDHCPOptions(id string) error {
	d, err := t.dhcpOptions(id)
	if err != nil {
		return err
	}
	for _, v := range list[*VPC](t, TableVPC, byCreation) {
		if v.DHCPOptions == d.ID {
			return refuse(codeDependency, "dhcpOptionsId", "The dhcpOptions '%s' has dependencies and cannot be deleted.", d.ID)
		}
	}
	t.remove(TableDHCPOptions, d)
	t.emit("dhcp-options.deleted", d.ID)
	return nil
}
