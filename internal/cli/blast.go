package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"enilab/internal/api/rest"
)

type blastCmd struct {
	Target string `arg:"" predictor:"part" help:"What fails: an instance, network interface, subnet, gateway, peering connection or endpoint by name or id, an interface by an address, or a zone."`
	Remote
}

// Run tells who loses what; an exit of ExitNo says that somebody does.
func (c *blastCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		var t rest.Topology
		if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
			return err
		}
		found, err := choose("target", c.Target, parts(t))
		if err != nil {
			return err
		}
		target := found.id
		var got rest.BlastRadius
		err = s.call(s.Ctx, "POST", "blast-radius", map[string]any{"target": target}, &got)
		if err != nil {
			return err
		}
		if s.json {
			err = s.encode(got)
		} else {
			_, err = fmt.Fprint(s.Stdout, losses(got, namesOf(t), calledOf(parts(t))))
		}
		if err == nil && got.Connections > 0 {
			err = &Error{Code: ExitNo}
		}
		return err
	})
}

// parts are all that can fail, by the names they have.
func parts(t rest.Topology) (all []thing) {
	for _, i := range t.Instances {
		all = append(all, instanceThing(i))
	}
	all = append(all, things(t.NetworkInterfaces, interfaceThing)...)
	all = append(all, things(t.InternetHosts, hostThing)...)
	zones := map[string]bool{}
	for _, n := range t.Subnets {
		all = append(all, thing{id: n.ID, name: n.Tags["Name"], note: n.CIDR})
		zones[n.Zone] = true
	}
	for _, z := range slices.Sorted(maps.Keys(zones)) {
		all = append(all, thing{id: z, note: "zone"})
	}
	for _, g := range t.InternetGateways {
		all = append(all, thing{id: g.ID, name: g.Tags["Name"], note: "internet gateway"})
	}
	for _, g := range t.NATGateways {
		all = append(all, thing{id: g.ID, name: g.Tags["Name"], note: "NAT gateway", past: g.State == "deleted"})
	}
	for _, p := range t.Peerings {
		all = append(all, thing{id: p.ID, name: p.Tags["Name"], note: "peering connection"})
	}
	for _, g := range t.TransitGateways {
		all = append(all, thing{id: g.ID, name: g.Tags["Name"], note: "transit gateway"})
	}
	for _, e := range t.VPCEndpoints {
		all = append(all, thing{id: e.ID, name: e.Tags["Name"], note: "endpoint"})
	}
	return all
}

// calledOf is how each of some is spoken of.
func calledOf(all []thing) map[string]string {
	names := map[string]string{}
	for _, t := range all {
		names[t.id] = t.called()
	}
	return names
}

func losses(l rest.BlastRadius, names, instances map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "if %s %s fails, %d of %d living connections end\n", l.Kind, plain(firstOf(instances[l.Target], firstOf(names[l.Target], l.Target))), l.Connections, l.Looked)
	for _, id := range l.Interfaces {
		fmt.Fprintf(&b, "  interface %s\n", plain(firstOf(names[id], id)))
	}
	if len(l.Addresses) > 0 {
		fmt.Fprintf(&b, "  addresses %s\n", strings.Join(l.Addresses, " "))
	}
	for _, c := range l.Clients {
		line := fmt.Sprintf("client %s: %d connections", firstOf(names[c.NetworkInterfaceID], c.NetworkInterfaceID), c.Connections)
		if c.FailsItself {
			line += ", fails itself"
		}
		fmt.Fprintf(&b, "  %s\n", plain(line))
	}
	for _, p := range l.Policies {
		line := "policy " + p.PolicyID + " (loses " + strings.Join(p.Loses, ", ") + ")"
		switch p.Would {
		case "move":
			line += " would move " + firstOf(names[p.NetworkInterfaceID], p.NetworkInterfaceID) + " to " + firstOf(instances[p.ToInstanceID], p.ToInstanceID)
		case "notice":
			line += " would notice, and nobody could take over: " + p.Why
		default:
			line += " would do nothing"
			if p.Why != "" {
				line += ": " + p.Why
			}
		}
		fmt.Fprintf(&b, "  %s\n", plain(line))
	}
	return b.String()
}
