package cli

import (
	"fmt"
	"strings"

	"enilab/internal/api/rest"
)

type whatIfCmd struct {
	draftFlags
	Seconds int `default:"10" help:"How far back refused frames are looked at, 1 to 600; they are on record while somebody watches."`
	Limit   int `default:"20" help:"How many of each list are told, 1 to 1000."`
	Remote
}

// Run tells what a draft would do; an exit of ExitNo says that it would stop
// somebody, or turn an assertion.
func (c *whatIfCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		var t rest.Topology
		if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
			return err
		}
		changes, err := c.changes(t)
		if err != nil {
			return err
		}
		if c.Seconds < 1 || c.Limit < 1 {
			return fmt.Errorf("--seconds %d and --limit %d: want 1 or more", c.Seconds, c.Limit)
		}
		var got rest.WhatIf
		err = s.call(s.Ctx, "POST", "what-if", map[string]any{"changes": changes, "seconds": c.Seconds, "limit": c.Limit}, &got)
		if err != nil {
			return err
		}
		if s.json {
			err = s.encode(got)
		} else {
			_, err = fmt.Fprint(s.Stdout, whatWould(got, namesOf(t)))
		}
		turned := false
		for _, a := range got.Assertions {
			turned = turned || a.Turns
		}
		if err == nil && (got.Counts.NewlyRefused > 0 || turned) {
			err = &Error{Code: ExitNo}
		}
		return err
	})
}

// whatWould tells of a draft's effects.
func whatWould(w rest.WhatIf, names map[string]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "looked at %d living connections", w.Connections)
	if w.Recorded {
		fmt.Fprintf(&b, " and %d frames that were refused or lost", w.Frames)
	}
	b.WriteString("\n")
	list := func(what string, n int, all []rest.Effect, because string) {
		fmt.Fprintf(&b, "%s: %d\n", what, n)
		for _, e := range all {
			from := firstOf(names[e.Source.NetworkInterfaceID], e.Source.Address)
			line := fmt.Sprintf("%s to %s, %s: %d frames", from, e.Destination, portWords(e.Protocol, e.Port), e.Frames)
			if e.Reason != "" {
				line += "; " + because + " " + e.Reason
				if e.Rule != "" {
					line += " (" + e.Rule + ")"
				}
				if e.NetworkInterfaceID != "" {
					line += " at " + firstOf(names[e.NetworkInterfaceID], e.NetworkInterfaceID)
				}
				if e.OfAnswer {
					line += ", of the answer"
				}
			}
			fmt.Fprintf(&b, "  %s\n", plain(line))
		}
		if n > len(all) {
			fmt.Fprintf(&b, "  and %d more\n", n-len(all))
		}
	}
	list("newly refused", w.Counts.NewlyRefused, w.NewlyRefused, "stopped by")
	list("kept as tracked", w.Counts.KeptAsTracked, w.KeptAsTracked, "a new one would be stopped by")
	list("newly passed", w.Counts.NewlyPassed, w.NewlyPassed, "now stopped by")
	for _, a := range w.Assertions {
		switch {
		case a.Turns:
			fmt.Fprintf(&b, "NO  %s\n", plain("would not hold any more: "+a.Name+": "+a.Text))
		case a.Holds:
			fmt.Fprintf(&b, "ok  %s\n", plain("would hold again: "+a.Name))
		default:
			fmt.Fprintf(&b, "NO  %s\n", plain("does not hold, and would not: "+a.Name+": "+a.Text))
		}
	}
	if !w.Recorded {
		b.WriteString("refused frames are not on record: nobody watches\n")
	}
	return b.String()
}

func portWords(protocol int, port uint16) string {
	switch protocol {
	case 1:
		return "ICMP"
	case 6:
		return fmt.Sprint("tcp/", port)
	case 17:
		return fmt.Sprint("udp/", port)
	}
	return fmt.Sprint("protocol ", protocol)
}
