package cli

import (
	"fmt"
	"strings"

	"enilab/internal/api/rest"
)

type blastCmd struct {
	Target string `arg:"" help:"What fails: an instance or network interface by name, id or address, the id of a subnet or gateway, or a zone."`
	Remote
}

// Run tells who loses what; an exit of ExitNo says that somebody does.
func (c *blastCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		var t rest.Topology
		if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
			return err
		}
		target := c.Target
		if found, err := choose("target", target, things(stations(t), station.thing)); err == nil {
			target = found.id
		}
		var got rest.BlastRadius
		err := s.call(s.Ctx, "POST", "blast-radius", map[string]any{"target": target}, &got)
		if err != nil {
			return err
		}
		if s.json {
			err = s.encode(got)
		} else {
			_, err = fmt.Fprint(s.Stdout, losses(got, namesOf(t), instanceNames(t)))
		}
		if err == nil && got.Connections > 0 {
			err = &Error{Code: ExitNo}
		}
		return err
	})
}

func instanceNames(t rest.Topology) map[string]string {
	names := map[string]string{}
	for _, i := range t.Instances {
		names[i.ID] = instanceThing(i).called()
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
