package cli

import (
	"fmt"
	"strconv"
	"strings"

	"enilab/internal/api/rest"
)

// maxProbes is what the API sends of one question.
const maxProbes = 20

// port takes the port from behind the destination.
func (c *whyCmd) port() error {
	if c.Probes != 0 && !c.Predict {
		return fmt.Errorf("--probes %d: want --predict with it; without it one packet is sent anyway", c.Probes)
	}
	if c.Probes < 0 || c.Probes > maxProbes {
		return fmt.Errorf("--probes %d: want 1 to %d", c.Probes, maxProbes)
	}
	if c.Given != nil {
		if c.Port = *c.Given; c.Port == 0 {
			return fmt.Errorf("--port 0: want a port of 1 to 65535; without --port it is 80 of tcp and 7 of udp")
		}
	}
	name, text, ok := strings.Cut(c.Dst, ":")
	if !ok {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return fmt.Errorf("%s: want a port of 1 to 65535 behind the colon", c.Dst)
	}
	if c.Port != 0 && c.Port != uint16(n) {
		return fmt.Errorf("%s and --port %d: want one of them", c.Dst, c.Port)
	}
	if c.Dst, c.Port = name, uint16(n); c.Proto == "icmp" {
		c.Proto = "tcp"
	}
	return nil
}

// predict asks without sending.
func (c *whyCmd) predict(s *session, t rest.Topology, from, to endpoint) error {
	body := map[string]any{"source": from.id, "destination": to.address, "protocol": c.Proto}
	if to.id != "" {
		body["destination"] = to.id
	}
	if c.Port != 0 {
		body["port"] = c.Port
	}
	if c.Probes > 0 {
		body["probes"] = c.Probes
	}
	var got rest.Reachability
	err := s.call(s.Ctx, "POST", "reachability", body, &got)
	if err != nil {
		return err
	}
	if s.json {
		err = s.encode(got)
	} else {
		to.address = got.To.Address
		_, err = fmt.Fprint(s.Stdout, foretell(from, to, c.what(), got, namesOf(t)))
	}
	if err == nil && (got.Reachable != "yes" || got.Live != nil && !got.Live.Agrees) {
		err = &Error{Code: ExitNo}
	}
	return err
}

// foretell tells of a prediction.
func foretell(from, to endpoint, what string, r rest.Reachability, names map[string]string) string {
	var b strings.Builder
	fmt.Fprintln(&b, plain(fmt.Sprintf("%s to %s: %s, not sent", from, to, what)))
	components(&b, r.Forward.Hops, names)
	if r.Return != nil {
		b.WriteString("the answer\n")
		components(&b, r.Return.Hops, names)
	}
	words := map[string]string{"yes": "it could reach it", "partly": "it could, but not from every port", "no": "it could not reach it"}
	fmt.Fprintf(&b, "%s\n", words[r.Reachable])
	for _, e := range r.Explanations {
		where := e.Component
		if names[where] != "" {
			where = names[where] + " (" + where + ")"
		}
		line := fmt.Sprintf("%s, %s: %s; reason %s", e.Path, where, e.Text, e.Reason)
		if e.Rule != "" {
			line += " (" + e.Rule + ")"
		}
		if e.Code != "" {
			line += ", AWS's code " + e.Code
		}
		fmt.Fprintf(&b, "  - %s\n", plain(line))
	}
	b.WriteString("looked at\n")
	for _, l := range r.LookedAt {
		mark := "ok"
		if !l.OK {
			mark = "no"
		}
		fmt.Fprintf(&b, "  %s %s: %s\n", mark, l.What, plain(l.Finding))
	}
	if l := r.Live; l != nil {
		agrees := "as predicted"
		if !l.Agrees {
			agrees = "otherwise than predicted"
		}
		fmt.Fprintf(&b, "probes: %d sent, %d arrived, %d answered: %s\n", l.Sent, l.Arrived, l.Answered, agrees)
		for _, p := range l.Probes {
			if !p.Answered {
				fmt.Fprintf(&b, "  %s: %s at %s\n", p.SentAt.Format("15:04:05.000"), p.Reason, plain(firstOf(names[p.At], p.At)))
			}
		}
	}
	return b.String()
}

func components(b *strings.Builder, hops []rest.PredictedHop, names map[string]string) {
	for i, h := range hops {
		line := strings.ReplaceAll(h.Component, "-", " ")
		if h.Direction != "" {
			line += ", " + h.Direction
		}
		if h.ID != "" && h.Component != "security-groups" {
			line += " " + firstOf(names[h.ID], h.ID)
		}
		for _, g := range h.Groups {
			line += " " + firstOf(names[g], g)
		}
		line += ": " + h.Outcome
		if h.Assumed {
			line += " (as if it went on)"
		}
		switch {
		case h.Established:
			line += ", part of the connection"
		case h.Rule != "":
			line += ", by " + h.Rule
		}
		if h.Detail != "" {
			line += "; " + interfaceID.ReplaceAllStringFunc(h.Detail, func(id string) string { return firstOf(names[id], id) })
		}
		if h.Source != "" {
			line += "; now " + h.Source + " > " + h.Destination
		}
		if h.MTU != 0 {
			line += fmt.Sprintf("; up to %d bytes", h.MTU)
		}
		fmt.Fprintf(b, "  %d. %s\n", i+1, plain(line))
	}
}
