package ec2

import (
	"net/netip"
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// interfaceList is the answer of DescribeNetworkInterfaces. Rows become
// structures of the model one by one while they are written: ten thousand of
// them at once were 20 MB of garbage for 9 MB of text.
type interfaceList struct {
	c    *call
	rows []eni
	next *string
}

// AppendXML writes what model.DescribeNetworkInterfacesResult would.
func (l *interfaceList) AppendXML(b []byte) []byte {
	const (
		length = 1024 // of one row, about
		many   = 16
	)
	b = slices.Grow(b, len(l.rows)*length)
	if len(l.rows) > many {
		l.c.recallElastic()
	}
	b = append(b, "<networkInterfaceSet>"...)
	var row model.NetworkInterface
	for _, n := range l.rows {
		row = l.c.networkInterface(n)
		b = query.AppendStruct(b, "item", &row)
	}
	b = append(b, "</networkInterfaceSet>"...)
	// The rest of the answer is the model's.
	return (&model.DescribeNetworkInterfacesResult{NextToken: l.next}).AppendXML(b)
}

// lookups are what the rows of one answer ask for again and again, as of one
// State.
type lookups struct {
	state   *control.State
	groups  map[string]*control.SecurityGroup
	elastic map[string][]*control.Address // by ENI; nil: not read
	named   map[string]bool               // whether a VPC gives host names
}

// remembered returns the call's lookups for its State.
func (c *call) remembered() *lookups {
	if c.seen.state != c.state {
		c.seen = lookups{state: c.state, groups: make(map[string]*control.SecurityGroup), named: make(map[string]bool)}
	}
	return &c.seen
}

// groupOf is State.SecurityGroup, asked once for each id.
func (c *call) groupOf(id string) *control.SecurityGroup {
	m := c.remembered()
	g, ok := m.groups[id]
	if !ok {
		g = c.state.SecurityGroup(id)
		m.groups[id] = g
	}
	return g
}

// named reports whether the addresses of a VPC have host names (VPC User Guide,
// "DNS attributes for your VPC").
func (c *call) named(vpc string) bool {
	m := c.remembered()
	named, ok := m.named[vpc]
	if !ok {
		v := c.state.VPC(vpc)
		named = v != nil && v.DNSHostnames && v.DNSSupport
		m.named[vpc] = named
	}
	return named
}

// recallElastic reads all Elastic IPs at once, for an answer with many rows.
func (c *call) recallElastic() {
	m := c.remembered()
	m.elastic = make(map[string][]*control.Address)
	for _, a := range c.state.Addresses() {
		if a.NetworkInterface != "" {
			m.elastic[a.NetworkInterface] = append(m.elastic[a.NetworkInterface], a)
		}
	}
}

// elastic are the Elastic IPs of an ENI by its private addresses.
func (c *call) elastic(n *control.NetworkInterface) map[netip.Addr]*control.Address {
	m := c.remembered()
	list := m.elastic[n.ID]
	if m.elastic == nil {
		list = c.state.AddressesOf(n.ID)
	}
	if len(list) == 0 {
		return nil
	}
	byAddr := make(map[netip.Addr]*control.Address, len(list))
	for _, a := range list {
		byAddr[a.PrivateIP] = a
	}
	return byAddr
}
