package scenario

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Export writes what a State shows of a region as a scenario, from which an equal
// laboratory can be built: the network, policies and workloads, with names in
// place of ids. What a scenario has no word for is told in comments at its head.
// Names are the Name tags where they can be names and no two have the same; else
// the ids, which become Name tags when the file is loaded.
func Export(s *control.State, region, description string) []byte {
	e := &exporter{s: s, region: region, names: map[string]string{}}
	e.nameAll()
	f := file{Description: description}
	f.Laboratory.AnnounceMoves = s.Timing().AnnounceMoves
	f.Laboratory.StaleAfterForce = s.Timing().StaleAfterForce
	e.networks(&f)
	e.groups(&f)
	e.hosts(&f)
	e.gateways(&f)
	e.routing(&f)
	e.joins(&f)
	e.policies(&f)
	return e.text(f)
}

// exporter writes one State down.
type exporter struct {
	s      *control.State
	region string
	names  map[string]string // by id
	lost   []string          // sentences on what the file does not have
}

func (e *exporter) leave(format string, args ...any) {
	e.lost = append(e.lost, fmt.Sprintf(format, args...))
}

// here are the rows of the exported region.
func here[R control.Row](e *exporter, rows []R) []R {
	return slices.DeleteFunc(slices.Clone(rows), func(r R) bool { return e.names[r.Identity().ID] == "" })
}

// tags are those that the file gives: the name is the tag Name anyway.
func (e *exporter) tags(id string, t control.Tags, without ...string) map[string]string {
	own := map[string]string{}
	for k, v := range t {
		if k == "Name" && v == e.names[id] || slices.Contains(without, k) {
			continue
		}
		own[k] = v
	}
	return own
}

func (e *exporter) networks(f *file) {
	zones := control.Zones(e.region)
	for _, v := range here(e, e.s.VPCs()) {
		out := vpc{Name: e.names[v.ID], CIDR: v.CIDR.String(), Tags: e.tags(v.ID, v.Tags)}
		if v.DNSHostnames {
			out.DNSHostnames = &v.DNSHostnames
		}
		if len(v.CIDRs) > 1 || len(v.IPv6CIDRs) > 0 {
			e.leave("VPC %s: its further CIDR blocks, of IPv4 or IPv6", out.Name)
		}
		if !v.DNSSupport {
			e.leave("VPC %s: that its DNS is off (enableDnsSupport)", out.Name)
		}
		if v.Default {
			e.leave("VPC %s: that it is the default VPC", out.Name)
		}
		f.VPCs = append(f.VPCs, out)
	}
	for _, n := range here(e, e.s.Subnets()) {
		out := subnet{Name: e.names[n.ID], VPC: e.names[n.VPC], CIDR: n.CIDR.String(), Tags: e.tags(n.ID, n.Tags)}
		out.Zone = strconv.Itoa(slices.Index(zones, n.Zone) + 1)
		if n.MapPublicIP {
			e.leave("subnet %s: that instances get public addresses by themselves (MapPublicIpOnLaunch)", out.Name)
		}
		if len(n.IPv6CIDRs) > 0 {
			e.leave("subnet %s: its IPv6 block", out.Name)
		}
		f.Subnets = append(f.Subnets, out)
	}
}

func (e *exporter) hosts(f *file) {
	for _, i := range here(e, e.s.Instances()) {
		out := instance{
			Name: e.names[i.ID], Type: i.Type, Subnet: e.names[i.Subnet], Role: i.Tags[roleTag],
			Tags: e.tags(i.ID, i.Tags, roleTag), Workloads: e.workloads(i.Workloads), Serve: servedPorts(i.Serve),
		}
		if n := e.s.PrimaryInterface(i.ID); n != nil {
			out.IP, out.Groups = n.Addresses[0].Addr.String(), e.groupNames(n)
			if !n.SourceDestCheck {
				out.SourceDestCheck = &n.SourceDestCheck
			}
			for _, a := range n.Addresses[1:] {
				out.SecondaryIPs = append(out.SecondaryIPs, a.Addr.String())
			}
			e.unworded(n, "instance "+out.Name)
		}
		switch {
		case i.State != control.InstanceRunning && i.State != control.InstancePending:
			e.leave("instance %s: that it is %s; a scenario starts it", out.Name, i.State)
		case i.Fault != "":
			e.leave("instance %s: its fault (%s)", out.Name, i.Fault)
		}
		if i.UserData != "" || i.KeyName != "" {
			e.leave("instance %s: user data and key pair", out.Name)
		}
		f.Instances = append(f.Instances, out)
	}
	for _, n := range here(e, e.s.NetworkInterfaces()) {
		if a := n.Attachment; a != nil && a.DeviceIndex == 0 {
			continue
		}
		out := networkInterface{
			Name: e.names[n.ID], Subnet: e.names[n.Subnet], IP: n.Addresses[0].Addr.String(), Groups: e.groupNames(n),
			Description: n.Description, Tags: e.tags(n.ID, n.Tags),
		}
		for _, a := range n.Addresses[1:] {
			out.SecondaryIPs = append(out.SecondaryIPs, a.Addr.String())
		}
		if !n.SourceDestCheck {
			out.SourceDestCheck = &n.SourceDestCheck
		}
		if a := n.Attachment; a != nil && a.State != control.Detaching && e.names[a.Instance] != "" {
			out.Attach = &attachment{Instance: e.names[a.Instance], DeviceIndex: a.DeviceIndex, DeleteOnTermination: a.DeleteOnTermination}
		}
		e.unworded(n, "network interface "+out.Name)
		f.NetworkInterfaces = append(f.NetworkInterfaces, out)
	}
	for _, h := range here(e, e.s.InternetHosts()) {
		f.Internet.Hosts = append(f.Internet.Hosts, internetHost{
			Name: e.names[h.ID], Address: h.Address.String(), Workloads: e.workloads(h.Workloads), Serve: servedPorts(h.Serve),
		})
	}
}

// unworded tells what no key says of a network interface.
func (e *exporter) unworded(n *control.NetworkInterface, what string) {
	if len(n.IPv6)+len(n.Prefixes)+len(n.IPv6Prefixes) > 0 {
		e.leave("%s: its IPv6 addresses and prefixes", what)
	}
	if n.PublicIP.IsValid() {
		e.leave("%s: its public address, which it was given by itself", what)
	}
}

func servedPorts(ports []spec.ServedPort) (out []servedPort) {
	for _, p := range ports {
		out = append(out, servedPort{Protocol: p.Protocol, Port: p.Port})
	}
	return out
}

func (e *exporter) workloads(ws []spec.Workload) (out []workload) {
	for _, w := range ws {
		out = append(out, workload{
			Name: w.Name, Kind: w.Kind, Target: e.target(w.Target), Port: w.Port, Rate: w.Rate, Connections: w.Connections, Size: w.Size, Paused: w.Paused,
		})
	}
	return out
}

// target names a public address, since an Elastic IP has another one in a
// laboratory that is built anew.
func (e *exporter) target(a netip.Addr) string {
	for _, one := range e.s.Addresses() {
		if one.PublicIP == a && e.names[one.AllocationID] != "" {
			return e.names[one.AllocationID]
		}
	}
	return a.String()
}

// interfaceName is the name of a network interface as other parts of a file say it.
func (e *exporter) interfaceName(id string) string {
	n := e.s.NetworkInterface(id)
	if n == nil {
		return ""
	}
	if a := n.Attachment; a != nil && a.DeviceIndex == 0 {
		if host := e.names[a.Instance]; host != "" {
			return host + primarySuffix
		}
		return ""
	}
	return e.names[id]
}

func (e *exporter) policies(f *file) {
	for _, p := range e.s.Policies() {
		out := policy{
			NetworkInterface: e.interfaceName(p.NetworkInterface), FailBack: p.FailBack, FenceOptional: p.FenceOptional,
			HoldDown: duration(p.HoldDown), NeverFailBack: p.NeverBack,
			Probe: probe{
				Type: string(p.Probe.Type), From: cmp.Or(e.interfaceName(p.Probe.From), e.names[p.Probe.From]), Port: p.Probe.Port, Path: p.Probe.Path,
				Interval: duration(p.Probe.Interval), Timeout: duration(p.Probe.Timeout), Misses: p.Probe.Misses,
			},
		}
		if out.NetworkInterface == "" || out.Probe.From == "" {
			if p.Region == e.region {
				e.leave("failover policy %s: what it guards or who probes has gone", p.ID)
			}
			continue
		}
		if p.Strategy != control.StrategyENI {
			out.Strategy = string(p.Strategy)
		}
		if p.Fence != control.FenceNone {
			out.Fence = string(p.Fence)
		}
		if !p.Enabled {
			out.Enabled = &p.Enabled
		}
		for _, id := range p.Standbys {
			if name := e.names[id]; name != "" {
				out.Standbys = append(out.Standbys, name)
			}
		}
		for _, a := range p.Addresses {
			out.Addresses = append(out.Addresses, a.String())
		}
		out.ElasticIP = e.names[p.Allocation]
		for _, r := range p.Routes {
			out.Routes = append(out.Routes, policyRoute{RouteTable: e.names[r.Table], Destination: r.Destination})
		}
		f.Policies = append(f.Policies, out)
	}
}

// protocol is how a file says a protocol.
func protocol(n int) string {
	switch n {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	}
	return strconv.Itoa(n)
}

// portRange is how a file says ports; "" for all of what has no ports.
func portRange(protocol, from, to int) string {
	switch {
	case protocol != 6 && protocol != 17 || from < 0:
		return ""
	case from == to:
		return strconv.Itoa(from)
	}
	return strconv.Itoa(from) + "-" + strconv.Itoa(to)
}

// unlessAll is an ICMP type or code; nil says all.
func unlessAll(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// serviceShort is a service's name without the region's part.
func serviceShort(region, service string) string {
	return strings.TrimPrefix(service, serviceName(region, ""))
}
