package scenario

import (
	"fmt"
	"regexp"
	"strings"
)

// namePattern is what a name may be. No slash: INSTANCE/eth0 is the primary
// network interface of an instance.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// primarySuffix makes the name of an instance that of its primary interface.
const primarySuffix = "/eth0"

// names are the resources that a file defines, by name. Each kind has names of
// its own, but where either may be meant: an event is of an instance or a network
// interface, an answer comes from an instance or an internet host, a workload's
// target is an Elastic IP or an internet host.
type names struct {
	vpcs, subnets, groups, instances, interfaces, addresses map[string]int // index in the file
	gateways, nats, tables, internet                        map[string]int
	peerings, transits, attachments, transitTables          map[string]int
	endpoints, acls                                         map[string]int
}

func (s *Scenario) collectNames() (names, error) {
	var n names
	var err error
	add := func(seen map[string]int, key, kind string, count int, name func(int) string) {
		for i := range count {
			at := fmt.Sprintf("$.%s[%d].name", key, i)
			_, dup := seen[name(i)]
			switch {
			case err != nil:
			case name(i) == "":
				err = s.src.errorAt(at, nil, "a %s needs a name", kind)
			case !namePattern.MatchString(name(i)):
				err = s.src.errorAt(at, nil, "name %q: want letters, digits, dots, dashes and underscores, at most 63, a letter or digit first", name(i))
			case dup:
				err = s.src.errorAt(at, nil, "%s %q is defined twice", kind, name(i))
			}
			seen[name(i)] = i
		}
	}
	collect := func(key, kind string, count int, name func(int) string) map[string]int {
		seen := make(map[string]int, count)
		add(seen, key, kind, count, name)
		return seen
	}
	f := &s.file
	n.vpcs = collect("vpcs", "VPC", len(f.VPCs), func(i int) string { return f.VPCs[i].Name })
	n.subnets = collect("subnets", "subnet", len(f.Subnets), func(i int) string { return f.Subnets[i].Name })
	n.groups = collect("securityGroups", "security group", len(f.SecurityGroups), func(i int) string { return f.SecurityGroups[i].Name })
	n.instances = collect("instances", "instance", len(f.Instances), func(i int) string { return f.Instances[i].Name })
	n.interfaces = collect("networkInterfaces", "network interface", len(f.NetworkInterfaces), func(i int) string { return f.NetworkInterfaces[i].Name })
	n.addresses = collect("elasticIps", "Elastic IP", len(f.ElasticIPs), func(i int) string { return f.ElasticIPs[i].Name })
	n.gateways = collect("internetGateways", "internet gateway", len(f.InternetGateways), func(i int) string { return f.InternetGateways[i].Name })
	n.nats = collect("natGateways", "NAT gateway", len(f.NATGateways), func(i int) string { return f.NATGateways[i].Name })
	n.tables = collect("routeTables", "route table", len(f.RouteTables), func(i int) string { return f.RouteTables[i].Name })
	n.peerings = collect("peerings", "peering", len(f.Peerings), func(i int) string { return f.Peerings[i].Name })
	n.transits = collect("transitGateways", "transit gateway", len(f.TransitGateways), func(i int) string { return f.TransitGateways[i].Name })
	n.attachments, n.transitTables = map[string]int{}, map[string]int{}
	for i, g := range f.TransitGateways {
		at := fmt.Sprintf("transitGateways[%d].", i)
		add(n.attachments, at+"attachments", "transit gateway attachment", len(g.Attachments), func(k int) string { return g.Attachments[k].Name })
		add(n.transitTables, at+"routeTables", "transit gateway route table", len(g.RouteTables), func(k int) string { return g.RouteTables[k].Name })
	}
	n.endpoints = collect("endpoints", "endpoint", len(f.Endpoints), func(i int) string { return f.Endpoints[i].Name })
	n.acls = collect("networkAcls", "network ACL", len(f.NetworkACLs), func(i int) string { return f.NetworkACLs[i].Name })
	n.internet = collect("internet.hosts", "internet host", len(f.Internet.Hosts), func(i int) string { return f.Internet.Hosts[i].Name })
	if err != nil {
		return n, err
	}
	for i, h := range f.Internet.Hosts {
		kind := ""
		if _, ok := n.instances[h.Name]; ok {
			kind = "an instance"
		} else if _, ok := n.addresses[h.Name]; ok {
			kind = "an Elastic IP"
		}
		if kind != "" {
			return n, s.src.errorAt(fmt.Sprintf("$.internet.hosts[%d].name", i), nil, "internet host %q has the name of %s", h.Name, kind)
		}
	}
	for name, i := range n.interfaces {
		if _, ok := n.instances[name]; ok {
			return n, s.src.errorAt(fmt.Sprintf("$.networkInterfaces[%d].name", i), nil,
				"network interface %q has the name of an instance", name)
		}
	}
	return n, nil
}

// isInterface reports whether name is a network interface: one of the file's
// own, or the primary one of an instance.
func (n names) isInterface(name string) bool {
	if _, ok := n.interfaces[name]; ok {
		return true
	}
	host, ok := strings.CutSuffix(name, primarySuffix)
	if !ok {
		return false
	}
	_, ok = n.instances[host]
	return ok
}

// isHost reports whether name is a host with a guest: an instance, or a host of
// the internet.
func (n names) isHost(name string) bool {
	_, instance := n.instances[name]
	_, internet := n.internet[name]
	return instance || internet
}

// isTarget reports whether name stands for an address: that of an Elastic IP, or
// of an internet host.
func (n names) isTarget(name string) bool {
	_, elastic := n.addresses[name]
	_, internet := n.internet[name]
	return elastic || internet
}
