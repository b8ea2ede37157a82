package cli

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/api/rest"
)

type assertCmd struct {
	Src   string  `arg:"" predictor:"station" help:"Who is to reach: an instance, network interface or internet host, by name, id or address."`
	Dst   string  `arg:"" predictor:"station" help:"Who is to be reached: one of those or an address; with :PORT behind it."`
	Proto string  `default:"tcp" enum:"icmp,tcp,udp" help:"Protocol: tcp, udp or icmp."`
	Port  *uint16 `help:"Destination port, of tcp and udp." placeholder:"N"`
	Not   bool    `help:"It must not be reached."`
	Name  string  `help:"What the assertion is called; else by what it says."`
	Remote
}

func assertionThing(a rest.Assertion) thing { return thing{id: a.ID, name: a.Name} }

// Run keeps an assertion; an exit of ExitNo says that it does not hold.
func (c *assertCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		dst, port, err := c.port()
		if err != nil {
			return err
		}
		var t rest.Topology
		if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
			return err
		}
		all := things(stations(t), station.thing)
		from, err := choose("sender", c.Src, all)
		if err != nil {
			return err
		}
		to := thing{id: dst}
		if _, err := netip.ParseAddr(dst); err != nil {
			if to, err = choose("destination", dst, all); err != nil {
				return err
			}
		}
		body := map[string]any{"name": c.Name, "sourceId": from.id, "destination": to.id, "protocol": c.Proto, "mustNot": c.Not}
		if c.Name == "" {
			must := "must"
			if c.Not {
				must = "must not"
			}
			at := c.Proto
			if port != 0 {
				at = fmt.Sprint(c.Proto, "/", port)
			}
			body["name"] = fmt.Sprintf("%s %s reach %s on %s", from.called(), must, to.called(), at)
		}
		if port != 0 {
			body["port"] = port
		}
		var got rest.Assertion
		if err := s.call(s.Ctx, "POST", "assertions", body, &got); err != nil {
			return err
		}
		return s.verdicts([]rest.Assertion{got}, got)
	})
}

// port takes the port from behind the destination.
func (c *assertCmd) port() (dst string, port uint16, err error) {
	dst, text, ok := strings.Cut(c.Dst, ":")
	if ok {
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil || n == 0 {
			return "", 0, fmt.Errorf("%s: want a port of 1 to 65535 behind the colon", c.Dst)
		}
		port = uint16(n)
	}
	if c.Port != nil {
		if ok && *c.Port != port {
			return "", 0, fmt.Errorf("%s and --port %d: want one of them", c.Dst, *c.Port)
		}
		port = *c.Port
	}
	switch {
	case c.Proto == "icmp" && (ok || c.Port != nil):
		return "", 0, fmt.Errorf("port %d: ICMP has no ports; want --proto tcp or udp", port)
	case c.Proto != "icmp" && port == 0:
		return "", 0, fmt.Errorf("%s: want a port of 1 to 65535, as in %s:80", c.Dst, dst)
	}
	return dst, port, nil
}

type unassertCmd struct {
	Name string `arg:"" predictor:"assertion" help:"The assertion, by name or id."`
	Remote
}

// Run takes an assertion back.
func (c *unassertCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		a, err := named(s.Ctx, s.client, "assertions", "assertion", c.Name, assertionThing)
		if err == nil {
			err = s.call(s.Ctx, "DELETE", "assertions/"+a.ID, nil, nil)
		}
		if err != nil {
			return err
		}
		return s.say(map[string]string{"deleted": a.ID}, "%s is asserted no more", a.Name)
	})
}

type checkCmd struct {
	Names []string `arg:"" optional:"" predictor:"assertion" help:"Assertions, by name or id; else all."`
	Remote
}

// Run tells of assertions; an exit of ExitNo says that one does not hold.
func (c *checkCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		all, err := listOf[rest.Assertion](s.Ctx, s.client, "assertions")
		if err != nil {
			return err
		}
		asked := all
		if len(c.Names) > 0 {
			asked = nil
		}
		for _, name := range c.Names {
			t, err := choose("assertion", name, things(all, assertionThing))
			if err != nil {
				return err
			}
			asked = append(asked, all[slices.IndexFunc(all, func(a rest.Assertion) bool { return a.ID == t.id })])
		}
		if len(asked) == 0 {
			return fmt.Errorf("nothing is asserted: say what must be so with enilab assert")
		}
		return s.verdicts(asked, asked)
	})
}

// verdicts tells of some assertions, a line each.
func (s *session) verdicts(all []rest.Assertion, v any) (err error) {
	red := 0
	var b strings.Builder
	for _, a := range all {
		mark := "ok"
		if !a.State.Holds {
			mark = "NO"
			red++
		}
		line := mark + "  " + a.Name
		if !a.State.Holds {
			line += ": " + a.State.Text
			if a.State.Rule != "" {
				line += " (" + a.State.Rule + ")"
			}
			if a.State.Code != "" {
				line += ", AWS's code " + a.State.Code
			}
		}
		fmt.Fprintln(&b, plain(line))
	}
	fmt.Fprintf(&b, "%d of %d hold\n", len(all)-red, len(all))
	if s.json {
		err = s.encode(v)
	} else {
		_, err = fmt.Fprint(s.Stdout, b.String())
	}
	if err == nil && red > 0 {
		err = &Error{Code: ExitNo}
	}
	return err
}
