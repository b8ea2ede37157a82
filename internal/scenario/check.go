package scenario

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/control"
)

// checker holds a file to what its own text can tell: names that are defined,
// and values of which only the format knows. The first error stays.
type checker struct {
	src   source
	names names
	// workloadsOf are the names of each host's workloads.
	workloadsOf map[string][]string
	// faults are the names by which steps can clear what other steps inject.
	faults map[string]bool
	// guarded are the network interfaces of policies that the file does not have.
	guarded map[string]string
	err     error
	file    *file
}

func (c *checker) fail(path, format string, args ...any) {
	if c.err == nil {
		c.err = c.src.errorAt(path, nil, format, args...)
	}
}

// ref checks that name is defined among the names of a kind.
func (c *checker) ref(path, kind, name string, defined map[string]int) {
	if name == "" {
		c.fail(path, "the name of %s is missing here", kind)
	} else if _, ok := defined[name]; !ok {
		c.fail(path, "%s %q is not defined in this file", kind, name)
	}
}

func (c *checker) interfaceRef(path, name string) {
	if !c.names.isInterface(name) {
		c.fail(path, "network interface %q is not defined in this file (INSTANCE%s is an instance's primary one)", name, primarySuffix)
	}
}

// address checks one IPv4 address. A scenario gives all of them, so that two
// runs can be compared.
func (c *checker) address(path, ip string) {
	if ip == "" {
		c.fail(path, "an address is missing here: a scenario gives every address")
		return
	}
	if a, err := netip.ParseAddr(ip); err != nil || !a.Is4() {
		c.fail(path, "%q is not an IPv4 address", ip)
	}
}

// target checks what stands for one IPv4 address.
func (c *checker) target(path, to string) {
	if a, err := netip.ParseAddr(to); (err != nil || !a.Is4()) && !c.names.isTarget(to) {
		c.fail(path, "%q is not an IPv4 address, nor an Elastic IP or an internet host of this file", to)
	}
}

func (c *checker) hostRef(path, name string) {
	if name == "" {
		c.fail(path, "the name of an instance or internet host is missing here")
	} else if !c.names.isHost(name) {
		c.fail(path, "instance or internet host %q is not defined in this file", name)
	}
}

func (c *checker) oneOf(path, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	c.fail(path, "%q: want %s", value, strings.Join(allowed, ", "))
}

func (s *Scenario) check() error {
	n, err := s.collectNames()
	if err != nil {
		return err
	}
	c := &checker{src: s.src, names: n, file: &s.file, workloadsOf: workloadNames(&s.file), faults: faultNames(&s.file)}
	if b := s.file.Start; b != nil && b.Snapshot == "" {
		c.fail("$.start.snapshot", "the file of a snapshot is missing here")
	}
	for op := range s.file.Laboratory.Timings {
		if !slices.Contains(operationNames(), op) {
			c.fail("$.laboratory.timings."+op, "%q is no operation that takes time, such as detach", op)
		}
	}
	for i, sub := range s.file.Subnets {
		at := fmt.Sprintf("$.subnets[%d]", i)
		c.ref(at+".vpc", "VPC", sub.VPC, n.vpcs)
		if _, err := zoneName(rehearsalRegion, sub.Zone); err != nil {
			c.fail(at+".zone", "zone %q: want a letter such as a, or a number such as 1", sub.Zone)
		}
	}
	for i, g := range s.file.SecurityGroups {
		c.group(fmt.Sprintf("$.securityGroups[%d]", i), g)
	}
	for i, in := range s.file.Instances {
		c.instance(fmt.Sprintf("$.instances[%d]", i), in)
	}
	for i, ni := range s.file.NetworkInterfaces {
		at := fmt.Sprintf("$.networkInterfaces[%d]", i)
		c.ref(at+".subnet", "subnet", ni.Subnet, n.subnets)
		c.address(at+".ip", ni.IP)
		for k, ip := range ni.SecondaryIPs {
			c.address(fmt.Sprintf("%s.secondaryIps[%d]", at, k), ip)
		}
		c.groups(at, ni.Groups)
		if ni.Attach != nil {
			c.ref(at+".attach.instance", "instance", ni.Attach.Instance, n.instances)
		}
	}
	for i, e := range s.file.ElasticIPs {
		at := fmt.Sprintf("$.elasticIps[%d]", i)
		if e.NetworkInterface == "" && e.IP != "" {
			c.fail(at+".ip", "a private address without a network interface")
		}
		if e.NetworkInterface != "" {
			c.interfaceRef(at+".networkInterface", e.NetworkInterface)
		}
	}
	c.gateways(&s.file)
	c.joins(&s.file)
	for i, h := range s.file.Internet.Hosts {
		at := fmt.Sprintf("$.internet.hosts[%d]", i)
		c.address(at+".address", h.Address)
		c.workloads(at, h.Workloads)
	}
	for i, p := range s.file.Policies {
		at := fmt.Sprintf("$.policies[%d]", i)
		c.policyStrategies(at, &p)
		for k, a := range p.Addresses {
			c.address(fmt.Sprintf("%s.addresses[%d]", at, k), a)
		}
		if p.ElasticIP != "" {
			c.ref(at+".elasticIp", "Elastic IP", p.ElasticIP, n.addresses)
		}
		for k, r := range p.Routes {
			c.ref(fmt.Sprintf("%s.routes[%d].routeTable", at, k), "route table", r.RouteTable, n.tables)
		}
		for k, standby := range p.Standbys {
			c.ref(fmt.Sprintf("%s.standbys[%d]", at, k), "instance", standby, n.instances)
		}
		if _, ok := n.internet[p.Probe.From]; !ok {
			c.interfaceRef(at+".probe.from", p.Probe.From)
		}
	}
	for i, st := range s.file.Steps {
		c.step(fmt.Sprintf("$.steps[%d]", i), st)
	}
	c.drill(&s.file)
	return c.err
}

// operationNames are what takes a time that a file can set.
func operationNames() (names []string) {
	for _, op := range control.Operations() {
		names = append(names, string(op))
	}
	return names
}

func (c *checker) groups(at string, groups []string) {
	for k, g := range groups {
		c.ref(fmt.Sprintf("%s.groups[%d]", at, k), "security group", g, c.names.groups)
	}
}

func (c *checker) instance(at string, in instance) {
	c.ref(at+".subnet", "subnet", in.Subnet, c.names.subnets)
	c.address(at+".ip", in.IP)
	for k, ip := range in.SecondaryIPs {
		c.address(fmt.Sprintf("%s.secondaryIps[%d]", at, k), ip)
	}
	c.groups(at, in.Groups)
	c.workloads(at, in.Workloads)
}

func (c *checker) workloads(at string, ws []workload) {
	for k, w := range ws {
		c.target(fmt.Sprintf("%s.workloads[%d].target", at, k), w.Target)
	}
}

func (c *checker) group(at string, g group) {
	c.ref(at+".vpc", "VPC", g.VPC, c.names.vpcs)
	for k, r := range g.Ingress {
		c.rule(fmt.Sprintf("%s.ingress[%d]", at, k), r, false)
	}
	for k, r := range g.Egress {
		c.rule(fmt.Sprintf("%s.egress[%d]", at, k), r, true)
	}
}

func (c *checker) rule(at string, r rule, egress bool) {
	peer, key, wrong, unwanted := r.From, ".from", ".to", r.To
	if egress {
		peer, key, wrong, unwanted = r.To, ".to", ".from", r.From
	}
	if unwanted != "" {
		c.fail(at+wrong, "an ingress rule says from where, an egress rule to where")
	}
	if _, err := netip.ParsePrefix(peer); err != nil {
		if _, ok := c.names.groups[peer]; !ok {
			c.fail(at+key, "%q is neither a CIDR block nor a security group of this file", peer)
		}
	}
	c.traffic(at, r)
}

// traffic checks what a rule, or an entry of a network ACL, matches beside its peer.
func (c *checker) traffic(at string, r rule) {
	if err := control.CheckProtocol(r.Protocol); err != nil {
		c.fail(at+".protocol", "%q is no protocol: want tcp, udp, icmp, a number of IANA's up to 255, or -1 for all", r.Protocol)
		return
	}
	_, _, err := r.ports()
	switch {
	case err != nil:
		c.fail(at+".ports", "%v", err)
	case r.Ports == "":
	case r.Type != nil || r.Code != nil:
		c.fail(at+".ports", "there are either ports, or an ICMP type and code")
	case !r.hasPorts():
		c.fail(at+".ports", "protocol %s has no ports: they are of tcp and udp", r.Protocol)
	}
}

// hasPorts reports whether the protocol is one that has ports (6 and 17 are IANA's
// numbers of TCP and UDP).
func (r rule) hasPorts() bool {
	return slices.Contains([]string{"tcp", "udp", "6", "17"}, strings.ToLower(r.Protocol))
}

// ports gives a rule's range as EC2 takes it: ports, or ICMP type and code.
func (r rule) ports() (from, to *int, err error) {
	if r.Ports != "" {
		low, high, ranged := strings.Cut(r.Ports, "-")
		if !ranged {
			high = low
		}
		a, errA := strconv.Atoi(low)
		b, errB := strconv.Atoi(high)
		if errA != nil || errB != nil {
			return nil, nil, fmt.Errorf("%q is neither a port such as 80 nor a range such as 8000-8080", r.Ports)
		}
		if a < 0 || b > 65535 || a > b {
			return nil, nil, fmt.Errorf("%q is no range of ports: they are from 0 to 65535, the lower one first", r.Ports)
		}
		return &a, &b, nil
	}
	if strings.EqualFold(r.Protocol, "icmp") || r.Type != nil || r.Code != nil {
		typ, code := -1, -1
		if r.Type != nil {
			typ = *r.Type
		}
		if r.Code != nil {
			code = *r.Code
		}
		return &typ, &code, nil
	}
	return nil, nil, nil
}

// zoneName is the Availability Zone that a file means, in a region: a letter
// is that zone, a number counts the zones that there are. Regions lack letters
// here and there, so that a file for every region counts.
func zoneName(region, zone string) (string, error) {
	zones := control.Zones(region)
	if n, err := strconv.Atoi(zone); err == nil {
		if n < 1 || n > len(zones) {
			return "", fmt.Errorf("zone %d: %s has %d", n, region, len(zones))
		}
		return zones[n-1], nil
	}
	for _, z := range zones {
		if z == region+zone {
			return z, nil
		}
	}
	return "", fmt.Errorf("zone %q: want a letter such as a, or a number such as 1; %s has %s", zone, region, strings.Join(zones, ", "))
}
