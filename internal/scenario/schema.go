package scenario

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"enilab/internal/api/apifault"
	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/drill"
	"enilab/internal/impair"
)

// Schema is the format as JSON Schema (draft 2020-12), for editors. It is read off
// the types that files are decoded into, and so has their keys and no others; what
// only the names of a file can tell it does not say.
func Schema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[file]())
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "enilab scenario or drill"
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return append(data, '\n'), nil
}

type schema = map[string]any

// Durations as time.ParseDuration takes them.
const durationPattern = `^[+]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$`

func schemaOf(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[drill.Duration]():
		return schema{"type": "string", "pattern": durationPattern, "description": "A time such as 200ms or 5s"}
	case reflect.TypeFor[drill.Limit]():
		return schema{"type": "string", "pattern": durationPattern, "description": "A time such as 0s, 200ms or 5s"}
	case reflect.TypeFor[drill.Quantity]():
		return schema{"type": []string{"string", "integer"}, "description": "A time such as 1s, or a number"}
	case reflect.TypeFor[drill.Invariants]():
		one := schema{"enum": drill.InvariantNames}
		return schema{"anyOf": []schema{{"const": "all"}, one, {"type": "array", "minItems": 1, "items": one}}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return schema{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		if t.Elem() == reflect.TypeFor[drill.Duration]() {
			return schema{"type": "object", "properties": durationsOf(operationNames()), "additionalProperties": false}
		}
		return schema{"type": "object", "additionalProperties": schema{"type": []string{"string", "number", "boolean"}}}
	case reflect.Struct:
		s := schema{"type": "object", "properties": properties(t), "additionalProperties": false}
		if oneOfMany[t] {
			s["minProperties"] = 1
		}
		return s
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Uint64, reflect.Uint16:
		return schema{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return schema{"type": "number"}
	}
	return schema{"type": "string"}
}

func durationsOf(keys []string) schema {
	out := schema{}
	for _, k := range keys {
		out[k] = schemaOf(reflect.TypeFor[drill.Duration]())
	}
	return out
}

// oneOfMany are the types of which one key says what is meant.
var oneOfMany = map[reflect.Type]bool{
	reflect.TypeFor[step](): true, reflect.TypeFor[condition](): true, reflect.TypeFor[drill.Assertion](): true,
	reflect.TypeFor[mishap](): true,
}

func properties(t reflect.Type) schema {
	out := schema{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		switch tag {
		case "-":
			continue
		case ",inline":
			for k, v := range properties(f.Type) {
				out[k] = v
			}
			continue
		}
		s := schemaOf(f.Type)
		if values, ok := closed[key{t, tag}]; ok {
			if items, ok := s["items"].(schema); ok {
				items["enum"] = values
			} else {
				s["enum"] = values
			}
		}
		if numeric[tag] && s["type"] == "string" {
			s["type"] = []string{"string", "integer"}
		}
		if text, ok := meaning[key{t, tag}]; ok {
			s["description"] = text
		}
		out[tag] = s
	}
	return out
}

type key struct {
	of  reflect.Type
	tag string
}

// numeric are texts that may be written as numbers.
var numeric = map[string]bool{"ports": true, "zone": true, "protocol": true}

var (
	directions = []string{string(impair.Both), string(impair.Out), string(impair.In)}
	kinds      = []string{"failover", "failback", "move"}
	allOrNone  = []string{"all", "none"}
)

// closed are the keys that take one of a few values.
var closed = map[key][]string{
	{reflect.TypeFor[file](), "strategies"}:            strategies,
	{reflect.TypeFor[workload](), "kind"}:              {string(spec.WorkloadUDPEcho), string(spec.WorkloadPing), string(spec.WorkloadHTTP), string(spec.WorkloadFrames)},
	{reflect.TypeFor[servedPort](), "protocol"}:        {"tcp", "udp"},
	{reflect.TypeFor[probe](), "type"}:                 {string(control.ProbeICMP), string(control.ProbeTCP), string(control.ProbeHTTP)},
	{reflect.TypeFor[endpoint](), "type"}:              {"gateway", "interface"},
	{reflect.TypeFor[aclEntry](), "action"}:            {"allow", "deny"},
	{reflect.TypeFor[step](), "traffic"}:               {"paused", "flowing"},
	{reflect.TypeFor[failure](), "fault"}:              {"freeze", "link", "stop"},
	{reflect.TypeFor[injection](), "kind"}:             {"loss", "delay", "reorder", "duplicate", "corrupt", "rate", "partition"},
	{reflect.TypeFor[injection](), "direction"}:        directions,
	{reflect.TypeFor[injection](), "protocol"}:         {"tcp", "udp", "icmp"},
	{reflect.TypeFor[parting](), "direction"}:          directions,
	{reflect.TypeFor[callsFailed](), "kind"}:           {string(apifault.Fail), string(apifault.Throttle), string(apifault.Hang)},
	{reflect.TypeFor[callsFailed](), "when"}:           {string(apifault.Before), string(apifault.After)},
	{reflect.TypeFor[condition](), "frames"}:           {"accounted"},
	{reflect.TypeFor[condition](), "addresses"}:        {"one-owner"},
	{reflect.TypeFor[instanceIs](), "state"}:           {"pending", "running", "stopping", "stopped", "shutting-down", "terminated"},
	{reflect.TypeFor[instanceIs](), "fault"}:           {"none", "freeze", "link", "stop"},
	{reflect.TypeFor[interfaceIs](), "status"}:         {"available", "in-use"},
	{reflect.TypeFor[interfaceIs](), "attachment"}:     {"attaching", "attached", "detaching"},
	{reflect.TypeFor[policyIs](), "state"}:             policyStates,
	{reflect.TypeFor[failoverIs](), "kind"}:            kinds,
	{reflect.TypeFor[failoverIs](), "state"}:           {"running", "completed", "failed"},
	{reflect.TypeFor[drill.Selector](), "kind"}:        kinds,
	{reflect.TypeFor[drill.Selector](), "moved"}:       drill.MovedNames,
	{reflect.TypeFor[drill.Moves](), "moved"}:          drill.MovedNames,
	{reflect.TypeFor[drill.Phase](), "name"}:           drill.PhaseNames,
	{reflect.TypeFor[drill.Connections](), "reset"}:    allOrNone,
	{reflect.TypeFor[drill.Connections](), "survived"}: allOrNone,
	{reflect.TypeFor[drill.Assertion](), "unchanged"}:  drill.CheckNames,
	{reflect.TypeFor[drill.Moves](), "kind"}:           kinds,
	{reflect.TypeFor[drill.Moves](), "state"}:          {"completed", "failed"},
	{reflect.TypeFor[drill.Dropped](), "reason"}:       reasonNames(),
	{reflect.TypeFor[drill.OverRuns](), "metric"}:      metricNames(),
}

// meaning is what an editor says of a key.
var meaning = map[key]string{
	{reflect.TypeFor[file](), "description"}:              "What the scenario shows",
	{reflect.TypeFor[file](), "laboratory"}:               "What the laboratory is like beyond its network",
	{reflect.TypeFor[file](), "start"}:                    "What the drill begins with, if it does not build its network",
	{reflect.TypeFor[file](), "hypothesis"}:               "Conditions that hold before the first step and again after the last",
	{reflect.TypeFor[file](), "strategies"}:               "The same drill once for each",
	{reflect.TypeFor[file](), "steps"}:                    "What happens, one after the other",
	{reflect.TypeFor[file](), "assert"}:                   "What must be true of each run, and over all",
	{reflect.TypeFor[file](), "repeat"}:                   "How often the drill is run, and the seed of the first run",
	{reflect.TypeFor[drill.Assertion](), "outage"}:        "Time without an answer that each client saw of each move",
	{reflect.TypeFor[drill.Assertion](), "lost"}:          "Requests that each client lost in each move",
	{reflect.TypeFor[drill.Assertion](), "answered"}:      "A client's requests of the whole run that were answered",
	{reflect.TypeFor[drill.Assertion](), "detected"}:      "Time from the fault to its detection by a policy's probe",
	{reflect.TypeFor[drill.Assertion](), "phase"}:         "Length of one phase of each move",
	{reflect.TypeFor[drill.Assertion](), "connections"}:   "What became of the TCP connections that were open",
	{reflect.TypeFor[drill.Assertion](), "answeredByTwo"}: "Time in which two instances answered for one address",
	{reflect.TypeFor[drill.Assertion](), "unchanged"}:     "What a move has not changed",
	{reflect.TypeFor[drill.Assertion](), "moves"}:         "How many records of moves there are",
	{reflect.TypeFor[drill.Assertion](), "dropped"}:       "Frames that were not delivered for a reason",
	{reflect.TypeFor[drill.Assertion](), "invariants"}:    "What must hold of every run, whatever happens in it",
	{reflect.TypeFor[drill.Assertion](), "overRuns"}:      "Quantiles of a metric over all runs",
	{reflect.TypeFor[drill.Assertion](), "only"}:          "Strategies under which it is asserted",
}

func reasonNames() (out []string) {
	for r := verdict.Reason(1); int(r) < verdict.NumReasons; r++ {
		out = append(out, r.String())
	}
	return out
}

func metricNames() []string {
	return strings.Fields(strings.Trim(fmt.Sprint(drill.Metrics), "[]"))
}
