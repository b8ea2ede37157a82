package cli

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"enilab/internal/api/rest"
)

type whyCmd struct {
	Src    string  `arg:"" predictor:"station" help:"Who sends: an instance, network interface or internet host, by name, id or address."`
	Dst    string  `arg:"" predictor:"station" help:"Who is sent to: an address, or one of those by name or id; with :PORT behind it, that port, of TCP unless --proto says udp."`
	Proto  string  `default:"icmp" enum:"icmp,tcp,udp" help:"Protocol: icmp (an echo request), tcp (a connection's first segment) or udp."`
	Given  *uint16 `name:"port" help:"Destination port. Default: 80 of tcp, 7 of udp." placeholder:"N"`
	Port   uint16  `kong:"-"`
	Answer bool    `help:"Trace the answer, too; a prediction always does."`

	Predict bool `help:"Send nothing: say whether it could arrive, and be answered, and all that is in the way."`
	Probes  int  `help:"With --predict: really send so many packets besides, 1 to 20, and compare." placeholder:"N"`
	Remote
}

// endpoint is who sends or is sent to.
type endpoint struct {
	id, name, address string
}

func (p endpoint) String() string {
	if p.name == "" {
		return p.address
	}
	return p.name + " (" + p.address + ")"
}

// Run traces a packet; an exit of ExitNo says that it does not arrive.
func (c *whyCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		if err := c.port(); err != nil {
			return err
		}
		if c.Proto == "icmp" && c.Port != 0 {
			return fmt.Errorf("--port %d: ICMP has no ports; want --proto tcp or udp", c.Port)
		}
		var t rest.Topology
		if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
			return err
		}
		all := stations(t)
		src, err := choose("sender", c.Src, things(all, station.thing))
		if err != nil {
			return err
		}
		from := all[slices.IndexFunc(all, func(o station) bool { return o.id == src.id })].endpoint
		to := endpoint{address: c.Dst}
		if ip, err := netip.ParseAddr(c.Dst); err == nil {
			for _, o := range all {
				if slices.Contains(o.also, ip.String()) {
					to.name = o.name
					break
				}
			}
		} else {
			dst, err := choose("destination", c.Dst, things(all, station.thing))
			if err != nil {
				return err
			}
			to = all[slices.IndexFunc(all, func(o station) bool { return o.id == dst.id })].endpoint
		}
		if c.Predict {
			return c.predict(s, t, from, to)
		}
		fields := map[string]any{"dst": to.address, "protocol": c.Proto}
		if c.Port != 0 {
			fields["dstPort"] = c.Port
		}
		var got rest.Injection
		body := map[string]any{"networkInterfaceId": from.id, "fields": fields, "answer": c.Answer, "follow": true}
		if err := s.call(s.Ctx, "POST", "packets", body, &got); err != nil {
			return err
		}
		if s.json {
			err = s.encode(got)
		} else {
			_, err = fmt.Fprint(s.Stdout, explain(from, to, c.what(), got, namesOf(t)))
		}
		if err == nil && (!arrives(got) || elsewhere(got, to) != "") {
			err = &Error{Code: ExitNo}
		}
		return err
	})
}

func arrives(i rest.Injection) bool {
	return end(i).Verdict == "accept" && (i.Answer == nil || end(*i.Answer).Verdict == "accept")
}

// end is what became of the packet after all that guests on the way have sent on.
func end(i rest.Injection) rest.Injection {
	if n := len(i.Followed); n > 0 {
		return i.Followed[n-1]
	}
	return i
}

// elsewhere is the interface that took the packet, if it is not the one that was
// meant: routes may lead to an appliance, whose guest need not send it on.
func elsewhere(i rest.Injection, to endpoint) string {
	i = end(i)
	if i.Verdict != "accept" || to.id == "" || len(i.Hops) == 0 {
		return ""
	}
	if last := i.Hops[len(i.Hops)-1].NetworkInterfaceID; last != to.id {
		return last
	}
	return ""
}

func (c *whyCmd) what() string {
	switch port := c.Port; {
	case c.Proto == "icmp":
		return "an ICMP echo request"
	case port == 0 && c.Proto == "tcp":
		return "TCP to port 80"
	case port == 0:
		return "UDP to port 7"
	default:
		return fmt.Sprintf("%s to port %d", strings.ToUpper(c.Proto), port)
	}
}

// station is what can send or be sent to, with the interface that it does so by.
type station struct {
	id, name string
	also     []string
	past     bool
	endpoint endpoint
}

func (o station) thing() thing {
	return thing{id: o.id, name: o.name, also: o.also, note: o.endpoint.address, past: o.past}
}

// stations are instances, by their first interface, interfaces and internet hosts.
func stations(t rest.Topology) (all []station) {
	interfaces := map[string]rest.NetworkInterface{}
	for _, n := range t.NetworkInterfaces {
		interfaces[n.ID] = n
	}
	named := namesOf(t)
	for _, i := range t.Instances {
		k := slices.IndexFunc(i.Interfaces, func(n rest.InstanceInterface) bool { return n.DeviceIndex == 0 })
		if k < 0 || len(interfaces[i.Interfaces[k].NetworkInterfaceID].PrivateIPs) == 0 {
			continue
		}
		n := interfaces[i.Interfaces[k].NetworkInterfaceID]
		all = append(all, station{id: i.ID, name: i.Name, past: i.State == "terminated", endpoint: endpoint{n.ID, instanceThing(i).called(), n.PrivateIPs[0].Address}})
	}
	for _, n := range t.NetworkInterfaces {
		if len(n.PrivateIPs) > 0 {
			o := interfaceThing(n)
			all = append(all, station{id: n.ID, name: o.name, also: o.also, endpoint: endpoint{n.ID, named[n.ID], n.PrivateIPs[0].Address}})
		}
	}
	for _, h := range t.InternetHosts {
		all = append(all, station{id: h.ID, name: h.Name, also: []string{h.Address}, endpoint: endpoint{h.ID, h.Name, h.Address}})
	}
	return all
}

// namesOf says of an interface whose it is, and of what else has a name, that.
func namesOf(t rest.Topology) map[string]string {
	names := map[string]string{}
	for _, h := range t.InternetHosts {
		names[h.ID] = h.Name
	}
	for _, n := range t.NetworkInterfaces {
		names[n.ID] = n.Tags["Name"]
	}
	for _, i := range t.Instances {
		for _, n := range i.Interfaces {
			names[n.NetworkInterfaceID] = strings.TrimSpace(fmt.Sprintf("%s of %s", firstOf(names[n.NetworkInterfaceID], fmt.Sprintf("device %d", n.DeviceIndex)), instanceThing(i).called()))
		}
	}
	for _, g := range t.InternetGateways {
		names[g.ID] = g.Tags["Name"]
	}
	for _, g := range t.NATGateways {
		names[g.ID] = g.Tags["Name"]
	}
	for _, r := range t.RouteTables {
		names[r.ID] = r.Tags["Name"]
	}
	for _, g := range t.SecurityGroups {
		names[g.ID] = g.Name
	}
	return names
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var stationWords = map[string]string{
	"egress": "leaving", "fabric": "on the network", "ingress": "arriving at", "delivery": "delivery to",
}

// explain tells of a trace, a paragraph for each station.
func explain(from, to endpoint, what string, i rest.Injection, names map[string]string) string {
	var b strings.Builder
	fmt.Fprintln(&b, plain(fmt.Sprintf("%s to %s: %s", from, to, what)))
	hops(&b, i, names)
	if last := elsewhere(i, to); last != "" {
		fmt.Fprintln(&b, plain(fmt.Sprintf("it arrives at %s, not at %s", firstOf(names[last], last), to.name)))
	} else if last := end(i); last.Verdict == "accept" {
		b.WriteString("it arrives\n")
	} else {
		b.WriteString(failed("it does not arrive", last))
	}
	if i.Answer != nil {
		b.WriteString("\nthe answer\n")
		hops(&b, *i.Answer, names)
		if last := end(*i.Answer); last.Verdict == "accept" {
			b.WriteString("the answer arrives\n")
		} else {
			b.WriteString(failed("the answer does not arrive", last))
		}
	}
	return b.String()
}

func failed(what string, i rest.Injection) string {
	text := what + ": " + i.ReasonText
	if i.Rule != "" {
		text += " (" + i.Rule + ")"
	}
	text += "; reason " + i.Reason
	if i.Step != "" {
		text += " at " + i.Step
	}
	if i.Code != "" {
		text += ", AWS's code " + i.Code
	}
	return plain(text) + "\n"
}

func hops(b *strings.Builder, i rest.Injection, names map[string]string) {
	for k, h := range i.Hops {
		where := firstOf(stationWords[h.Station], h.Station)
		if h.NetworkInterfaceID != "" {
			if name := names[h.NetworkInterfaceID]; name != "" {
				where += " " + name
			} else {
				where += " " + h.NetworkInterfaceID
			}
		}
		fmt.Fprintf(b, "  %d. %s: %s\n", k+1, plain(where), plain(verdictWords(h)))
		for _, line := range decisions(h, names) {
			fmt.Fprintf(b, "     %s\n", plain(line))
		}
	}
	for _, next := range i.Followed {
		fmt.Fprintf(b, "passed on by the guest (%s)\n", next.Passed)
		hops(b, next, names)
	}
}

func verdictWords(h rest.Hop) string {
	if h.Verdict == "pass" || h.Verdict == "accept" {
		return h.Verdict
	}
	return h.Verdict + ", " + h.Reason
}

var interfaceID = regexp.MustCompile(`\beni-[0-9a-f]+\b`)

// decisions are what decided at a station, a line each.
func decisions(h rest.Hop, names map[string]string) (lines []string) {
	known := func(id string) string {
		if names[id] != "" {
			return names[id] + " (" + id + ")"
		}
		return id
	}
	add := func(what, value string) {
		if value != "" {
			lines = append(lines, what+" "+value)
		}
	}
	if h.Detail != "" {
		lines = append(lines, interfaceID.ReplaceAllStringFunc(h.Detail, known))
	}
	switch {
	case h.Established:
		add("admitted by", h.Rule)
	case !strings.Contains(h.Detail, h.Rule): // else it has been named
		add("rule", h.Rule)
	}
	add("network ACL entry", h.NetworkACLEntry)
	add("route", h.Route)
	add("route of the gateway", h.Onward)
	if h.Via != "" {
		add("via", known(h.Via))
	}
	for _, g := range h.Gateways {
		add("through", known(g))
	}
	if t := h.Translation; t != nil {
		add("translated", t.Source+" > "+t.Destination+" to "+t.NewSource+" > "+t.NewDestination)
	}
	return lines
}
