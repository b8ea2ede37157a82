package fis

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"enilab/internal/impair"
)

// document is one of AWS's Systems Manager documents for aws:ssm:send-command
// that acts here: by impairments of the network (AWS FIS User Guide, "Use Systems
// Manager SSM documents with AWS FIS").
type document struct {
	name       string
	parameters []documentParameter
	// impair is what it does at one instance, but for the place.
	impair func(given map[string]string) impair.Input
}

type documentParameter struct {
	name     string
	fallback string // where none is given
	required bool
	right    string // what is right, in words
	is       func(v string) bool
}

// Values of document parameters.
const (
	trafficIn    = "ingress"
	trafficOut   = "egress"
	allOf        = "ALL"
	defaultOf    = "DEFAULT"
	sourceS3     = "S3"
	sourceDynamo = "DYNAMODB"

	maxMillis  = int(impair.MaxDelay / time.Millisecond)
	maxSeconds = int(longest / time.Second)
)

// withoutEffect are AWS's documents that have nothing here to act on.
var withoutEffect = map[string]string{
	"AWSFIS-Run-CPU-Stress":    "guests have no processors of their own",
	"AWSFIS-Run-Memory-Stress": "guests have no memory of their own",
	"AWSFIS-Run-IO-Stress":     "guests have no disks",
	"AWSFIS-Run-Disk-Fill":     "guests have no disks",
	"AWSFIS-Run-Kill-Process":  "guests have no processes",
}

var documents = []*document{
	{name: "AWSFIS-Run-Network-Blackhole-Port", parameters: withCommon(
		documentParameter{name: "Protocol", required: true, right: "tcp or udp", is: oneOf("tcp", "udp")},
		documentParameter{name: "Port", required: true, right: "a port of 1 to 65535", is: within(1, 65535)},
		traffic,
	), impair: func(v map[string]string) impair.Input {
		return impair.Input{Kind: "partition", Match: impair.Match{Protocol: v["Protocol"], Port: number(v["Port"])}}
	}},
	{name: "AWSFIS-Run-Network-Latency", parameters: withCommon(
		oneInterface, documentParameter{name: "DelayMilliseconds", fallback: "200", right: millis(1), is: within(1, maxMillis)},
	), impair: func(v map[string]string) impair.Input {
		return impair.Input{Kind: "delay", Delay: time.Duration(number(v["DelayMilliseconds"])) * time.Millisecond}
	}},
	{name: "AWSFIS-Run-Network-Latency-Sources", parameters: withCommon(
		interfaces, sources, traffic, flows,
		documentParameter{name: "DelayMilliseconds", fallback: "200", right: millis(1), is: within(1, maxMillis)},
		documentParameter{name: "JitterMilliseconds", fallback: "10", right: millis(0), is: within(0, maxMillis)},
	), impair: func(v map[string]string) impair.Input {
		// tc's jitter goes both ways around the delay (tc-netem(8)), an impairment's on top.
		delay, jitter := number(v["DelayMilliseconds"]), number(v["JitterMilliseconds"])
		least := max(0, delay-jitter)
		return impair.Input{
			Kind: "delay", Delay: time.Duration(least) * time.Millisecond,
			Jitter: time.Duration(min(maxMillis, delay+jitter)-least) * time.Millisecond,
		}
	}},
	{name: "AWSFIS-Run-Network-Packet-Loss", parameters: withCommon(oneInterface, loss), impair: lose},
	{name: "AWSFIS-Run-Network-Packet-Loss-Sources", parameters: withCommon(interfaces, sources, traffic, flows, loss), impair: lose},
}

var (
	traffic      = documentParameter{name: "TrafficType", fallback: trafficIn, right: "ingress or egress", is: oneOf(trafficIn, trafficOut)}
	oneInterface = documentParameter{name: "Interface", fallback: "eth0", right: "an interface, as eth0 or ens5", is: func(v string) bool {
		n, ok := deviceIndex(v)
		return ok && n >= 0 && v != defaultOf
	}}
	interfaces = documentParameter{name: "Interface", fallback: defaultOf, right: "interfaces, as eth0 or ens5, separated by commas, DEFAULT or ALL", is: eachOf(func(v string) bool {
		_, ok := deviceIndex(v)
		return ok
	})}
	flows = documentParameter{name: "FlowsPercent", fallback: "100%", right: "100%: enilab hits every flow or none",
		is: oneOf("100", "100%")}
	sources = documentParameter{name: "Sources", required: true,
		right: "at most 100 IPv4 addresses, blocks, Availability Zones, S3, DYNAMODB or ALL, separated by commas, without domain names, which enilab does not look up",
		is: func(v string) bool {
			return strings.Count(v, ",") < impair.MaxPeers && eachOf(func(v string) bool {
				_, err := blockOf(v)
				return err == nil || v == allOf || v == sourceS3 || v == sourceDynamo || zoneName.MatchString(v)
			})(v)
		}}
	loss = documentParameter{name: "LossPercent", fallback: "7", right: "a share of more than 0 and at most 100", is: func(v string) bool {
		p, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64)
		return err == nil && p > 0 && p <= 100
	}}
	zoneName = regexp.MustCompile(`^(?:[a-z]{2}(?:-[a-z]+)+-\d[a-z]|[a-z]{2,4}\d-az\d)$`)
	device   = regexp.MustCompile(`^(eth|ens)(\d{1,2})$`)
)

func lose(v map[string]string) impair.Input {
	percent, _ := strconv.ParseFloat(strings.TrimSuffix(v["LossPercent"], "%"), 64) // checked
	return impair.Input{Kind: "loss", Share: percent / 100}
}

func withCommon(own ...documentParameter) []documentParameter {
	return append(own,
		documentParameter{name: "DurationSeconds", required: true, right: fmt.Sprintf("whole seconds, 1 to %d", maxSeconds), is: within(1, maxSeconds)},
		documentParameter{name: "InstallDependencies", fallback: "True", right: "True or False", is: oneOf("True", "False")})
}

func millis(least int) string { return fmt.Sprintf("whole milliseconds, %d to %d", least, maxMillis) }

func number(v string) int { n, _ := strconv.Atoi(v); return n } // checked

func within(least, most int) func(string) bool {
	return func(v string) bool { n, err := strconv.Atoi(v); return err == nil && n >= least && n <= most }
}

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}

func eachOf(is func(string) bool) func(string) bool {
	return func(v string) bool {
		return !slices.ContainsFunc(strings.Split(v, ","), func(one string) bool { return !is(one) })
	}
}

// deviceIndex is that of an interface's name in a guest, -1 for all. Instances of
// the Nitro system count from ens5 (Amazon EC2 User Guide, "Network interface naming").
func deviceIndex(name string) (n int, ok bool) {
	switch name {
	case allOf:
		return -1, true
	case defaultOf:
		return 0, true
	}
	m := device.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	if n = number(m[2]); m[1] == "ens" {
		n -= 5
	}
	return n, n >= 0 && n <= impair.MaxDevice
}

func blockOf(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if a, bare := netip.ParseAddr(text); bare == nil {
		p, err = a.Prefix(a.BitLen())
	}
	if err == nil && !p.Addr().Is4() {
		err = fmt.Errorf("%s is not IPv4", text)
	}
	return p, err
}

// documentAt finds the document that an ARN names.
func documentAt(field, arn string) (*document, error) {
	name, ok := "", false
	if p := strings.SplitN(arn, ":", 6); len(p) == 6 && p[0] == "arn" && p[2] == "ssm" {
		name, ok = strings.CutPrefix(p[5], "document/")
	}
	if !ok || name == "" {
		return nil, wrong(field, "'%s' is no ARN of a Systems Manager document, such as arn:aws:ssm:us-east-1::document/%s", clip(arn), documents[0].name)
	}
	k := slices.IndexFunc(documents, func(d *document) bool { return d.name == name })
	if k >= 0 {
		return documents[k], nil
	}
	has := ids(documents, func(d *document) string { return d.name })
	if why := withoutEffect[name]; why != "" {
		return nil, wrong(field, "%s cannot act here: %s; enilab has %s", name, why, has)
	}
	return nil, wrong(field, "enilab has no document '%s'; it has %s", clip(name), has)
}

// read takes the parameters of a document, a JSON object of texts, or lists of one
// (AWS Systems Manager API Reference, SendCommand).
func (doc *document) read(field, text string) (map[string]string, error) {
	given := map[string]any{}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &given); err != nil {
			return nil, wrong(field, `'%s' is no JSON object such as {"DurationSeconds": "60"}: %v`, clip(text), err)
		}
	}
	values := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.ContainsFunc(doc.parameters, func(p documentParameter) bool { return p.name == name }) {
			return nil, wrong(field, "%s has no parameter '%s'; it has %s", doc.name, clip(name),
				ids(doc.parameters, func(p documentParameter) string { return p.name }))
		}
		v := given[name]
		if list, ok := v.([]any); ok && len(list) == 1 {
			v = list[0]
		}
		one, ok := v.(string)
		if !ok {
			return nil, wrong(field+"."+name, `its value is a text in quotes, as "60"`)
		}
		values[name] = one
	}
	for _, p := range doc.parameters {
		v, ok := values[p.name]
		switch {
		case !ok && p.required:
			return nil, wrong(field, "%s needs %s: %s", doc.name, p.name, p.right)
		case !ok:
			values[p.name] = p.fallback
		case !p.is(v):
			return nil, wrong(field+"."+p.name, "'%s' is not right: it is %s", clip(v), p.right)
		}
	}
	return values, nil
}
