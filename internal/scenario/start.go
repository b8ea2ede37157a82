package scenario

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"enilab/internal/control"
)

// beginning is where a drill begins, if not with what it builds.
type beginning struct {
	Snapshot string `yaml:"snapshot"` // file of a snapshot
}

// Snapshot is the file of the snapshot from which the drill starts, "" if it
// builds its network itself. What is not an absolute path is beside the drill.
func (s *Scenario) Snapshot() string {
	if s.file.Start == nil {
		return ""
	}
	if p := s.file.Start.Snapshot; filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(filepath.Dir(s.src.name), s.file.Start.Snapshot)
}

// NoSnapshot is the error of whoever cannot start from a snapshot, with the place
// in the file; nil if the drill does not.
func (s *Scenario) NoSnapshot(why string) error {
	if s.file.Start == nil {
		return nil
	}
	return s.src.errorAt("$.start.snapshot", nil, "%s", why)
}

// BadSnapshot is err with the place in the file that names the snapshot.
func (s *Scenario) BadSnapshot(err error) error {
	return s.src.errorAt("$.start.snapshot", err, "the snapshot: %v", err)
}

// Found takes what the file names from a laboratory that a snapshot has filled,
// instead of building it: each thing by its name. It returns when no attachment
// is under way. A thing that is not there, or there twice, is an error with its place.
func (s *Scenario) Found(ctx context.Context, svc Service) (*Loaded, error) {
	f := &finder{sc: s, state: svc.State(), loaded: newLoaded()}
	f.all(&s.file)
	if f.err != nil {
		return nil, f.err
	}
	b := &builder{sc: s, svc: svc, loaded: f.loaded}
	if err := b.settled(ctx); err != nil {
		return nil, err
	}
	b.remember()
	return f.loaded, nil
}

// finder looks things up by name. The first error stays.
type finder struct {
	sc     *Scenario
	state  *control.State
	loaded *Loaded
	err    error
}

// thing is what is there by a name.
type thing struct{ id, name string }

// named lists what is there of a kind.
func named[T any](list []T, of func(T) (id, name string)) (out []thing) {
	for _, x := range list {
		if id, name := of(x); id != "" {
			out = append(out, thing{id, name})
		}
	}
	return out
}

// take notes the id of what a name means, which is tagged so, among those that are there.
func (f *finder) take(into map[string]string, at, kind, name, tagged string, there []thing) {
	id := ""
	for _, t := range there {
		switch {
		case t.name != tagged:
		case id != "":
			f.fail(at, "%s %q is in the snapshot more than once: its Name tag must be its own", kind, tagged)
		default:
			id = t.id
		}
	}
	if id == "" {
		f.fail(at, "%s %q is not in the snapshot: want what has that Name tag", kind, tagged)
	}
	into[name] = id
}

func (f *finder) fail(at, format string, args ...any) {
	if f.err == nil {
		f.err = f.sc.src.errorAt(at, nil, format, args...)
	}
}

func (f *finder) all(file *file) {
	s, l := f.state, f.loaded
	each := func(into map[string]string, key, kind string, n int, name func(int) (string, map[string]string), there []thing) {
		for i := range n {
			own, tags := name(i)
			f.take(into, fmt.Sprintf("$.%s[%d].name", key, i), kind, own, cmp.Or(tags["Name"], own), there)
		}
	}
	each(l.VPCs, "vpcs", "VPC", len(file.VPCs), func(i int) (string, map[string]string) { return file.VPCs[i].Name, file.VPCs[i].Tags },
		named(s.VPCs(), func(v *control.VPC) (string, string) { return v.ID, v.Tags["Name"] }))
	each(l.Subnets, "subnets", "subnet", len(file.Subnets), func(i int) (string, map[string]string) { return file.Subnets[i].Name, file.Subnets[i].Tags },
		named(s.Subnets(), func(v *control.Subnet) (string, string) { return v.ID, v.Tags["Name"] }))
	each(l.Groups, "securityGroups", "security group", len(file.SecurityGroups), func(i int) (string, map[string]string) { return file.SecurityGroups[i].Name, nil },
		named(s.SecurityGroups(), func(g *control.SecurityGroup) (string, string) { return g.ID, g.Name }))
	each(l.Instances, "instances", "instance", len(file.Instances), func(i int) (string, map[string]string) { return file.Instances[i].Name, file.Instances[i].Tags },
		named(s.Instances(), func(i *control.Instance) (string, string) {
			if i.State == control.InstanceTerminated {
				return "", ""
			}
			return i.ID, i.Name()
		}))
	each(l.Interfaces, "networkInterfaces", "network interface", len(file.NetworkInterfaces), func(i int) (string, map[string]string) {
		return file.NetworkInterfaces[i].Name, file.NetworkInterfaces[i].Tags
	},
		named(s.NetworkInterfaces(), func(n *control.NetworkInterface) (string, string) { return n.ID, n.Tags["Name"] }))
	for name, id := range l.Instances {
		for _, n := range s.NetworkInterfaces() {
			if a := n.Attachment; a != nil && a.Instance == id && a.Primary() {
				l.Interfaces[name+primarySuffix] = n.ID
			}
		}
	}
	each(l.Addresses, "elasticIps", "Elastic IP", len(file.ElasticIPs), func(i int) (string, map[string]string) { return file.ElasticIPs[i].Name, file.ElasticIPs[i].Tags },
		named(s.Addresses(), func(a *control.Address) (string, string) { return a.AllocationID, a.Tags["Name"] }))
	each(l.InternetHosts, "internet.hosts", "internet host", len(file.Internet.Hosts), func(i int) (string, map[string]string) { return file.Internet.Hosts[i].Name, nil },
		named(s.InternetHosts(), func(h *control.InternetHost) (string, string) { return h.ID, h.Name }))
	f.gateways(file, each)
	for i, p := range file.Policies {
		for _, have := range s.Policies() {
			if have.NetworkInterface == l.Interfaces[p.NetworkInterface] {
				l.Policies[p.NetworkInterface] = have.ID
			}
		}
		if l.Policies[p.NetworkInterface] == "" {
			f.fail(fmt.Sprintf("$.policies[%d].networkInterface", i), "the snapshot has no policy that guards %s", p.NetworkInterface)
		}
	}
}

func (f *finder) gateways(file *file, each func(into map[string]string, key, kind string, n int, name func(int) (string, map[string]string), there []thing)) {
	s, l := f.state, f.loaded
	each(l.InternetGateways, "internetGateways", "internet gateway", len(file.InternetGateways), func(i int) (string, map[string]string) {
		return file.InternetGateways[i].Name, file.InternetGateways[i].Tags
	},
		named(s.InternetGateways(), func(g *control.InternetGateway) (string, string) { return g.ID, g.Tags["Name"] }))
	each(l.NATGateways, "natGateways", "NAT gateway", len(file.NATGateways), func(i int) (string, map[string]string) { return file.NATGateways[i].Name, file.NATGateways[i].Tags },
		named(s.NATGateways(), func(g *control.NATGateway) (string, string) {
			if g.State == control.NATDeleted {
				return "", ""
			}
			return g.ID, g.Tags["Name"]
		}))
	each(l.RouteTables, "routeTables", "route table", len(file.RouteTables), func(i int) (string, map[string]string) { return file.RouteTables[i].Name, file.RouteTables[i].Tags },
		named(s.RouteTables(), func(t *control.RouteTable) (string, string) { return t.ID, t.Tags["Name"] }))
	each(l.Peerings, "peerings", "peering", len(file.Peerings), func(i int) (string, map[string]string) { return file.Peerings[i].Name, file.Peerings[i].Tags },
		named(s.Peerings(), func(p *control.Peering) (string, string) {
			if p.State == control.PeeringDeleted {
				return "", ""
			}
			return p.ID, p.Tags["Name"]
		}))
	each(l.Endpoints, "endpoints", "endpoint", len(file.Endpoints), func(i int) (string, map[string]string) { return file.Endpoints[i].Name, file.Endpoints[i].Tags },
		named(s.VPCEndpoints(), func(e *control.VPCEndpoint) (string, string) { return e.ID, e.Tags["Name"] }))
	each(l.NetworkACLs, "networkAcls", "network ACL", len(file.NetworkACLs), func(i int) (string, map[string]string) { return file.NetworkACLs[i].Name, file.NetworkACLs[i].Tags },
		named(s.NetworkACLs(), func(a *control.NetworkACL) (string, string) { return a.ID, a.Tags["Name"] }))
	each(l.TransitGateways, "transitGateways", "transit gateway", len(file.TransitGateways), func(i int) (string, map[string]string) {
		return file.TransitGateways[i].Name, file.TransitGateways[i].Tags
	},
		named(s.TransitGateways(), func(g *control.TransitGateway) (string, string) {
			if g.State == control.TransitDeleted {
				return "", ""
			}
			return g.ID, g.Tags["Name"]
		}))
	for i, g := range file.TransitGateways {
		key := fmt.Sprintf("transitGateways[%d]", i)
		each(l.TransitAttachments, key+".attachments", "attachment", len(g.Attachments), func(k int) (string, map[string]string) { return g.Attachments[k].Name, g.Attachments[k].Tags },
			named(s.TransitAttachments(), func(a *control.TransitAttachment) (string, string) { return a.ID, a.Tags["Name"] }))
		each(l.TransitTables, key+".routeTables", "route table", len(g.RouteTables), func(k int) (string, map[string]string) { return g.RouteTables[k].Name, g.RouteTables[k].Tags },
			named(s.TransitTables(), func(t *control.TransitTable) (string, string) { return t.ID, t.Tags["Name"] }))
	}
}
