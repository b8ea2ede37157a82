package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"enilab/internal/control"
	"enilab/internal/drill"
)

// strategies are what a policy can be told to do.
var strategies = []string{
	string(control.StrategyENI), string(control.StrategyAddress), string(control.StrategyEIP), string(control.StrategyRoute),
}

// strategy is what the policy is told to do.
func (p *policy) strategy() string { return cmp.Or(p.Strategy, string(control.StrategyENI)) }

// moves are the keys of a policy that say what one strategy moves, and whether
// they are given.
func (p *policy) moves() []struct {
	key, of string
	given   bool
} {
	return []struct {
		key, of string
		given   bool
	}{
		{"addresses", string(control.StrategyAddress), len(p.Addresses) > 0},
		{"elasticIp", string(control.StrategyEIP), p.ElasticIP != ""},
		{"routes", string(control.StrategyRoute), len(p.Routes) > 0},
	}
}

// policyStrategies checks that a policy has what each strategy moves that it may
// be told to use, and nothing that none of them does.
func (c *checker) policyStrategies(at string, p *policy) {
	if p.Strategy != "" {
		c.oneOf(at+".strategy", p.Strategy, strategies...)
	}
	for _, m := range p.moves() {
		k := slices.Index(c.file.Strategies, m.of)
		switch {
		case m.given && p.strategy() != m.of && k < 0:
			c.fail(at+"."+m.key, "%s are what the strategy %s moves, and this policy has the strategy %s: leave them out, or list %s under strategies",
				m.key, m.of, p.strategy(), m.of)
		case !m.given && p.strategy() == m.of:
			c.fail(at+".strategy", "the strategy %s needs %s, which this policy does not have", m.of, m.key)
		case !m.given && k >= 0:
			c.fail(fmt.Sprintf("$.strategies[%d]", k), "the strategy %s needs %s, which the policy of %s does not have", m.of, m.key, p.NetworkInterface)
		}
	}
	if p.strategy() == string(control.StrategyENI) || slices.Contains(c.file.Strategies, string(control.StrategyENI)) {
		c.ref(at+".networkInterface", "network interface", p.NetworkInterface, c.names.interfaces)
	} else {
		c.interfaceRef(at+".networkInterface", p.NetworkInterface)
	}
}

// drill checks what is asserted, and that it can come true.
func (c *checker) drill(f *file) {
	for i, cond := range f.Hypothesis {
		at := fmt.Sprintf("$.hypothesis[%d]", i)
		if cond.Failover != nil || cond.Event != nil {
			c.fail(at, "a hypothesis holds before the first step, when there is no record and no event of the run yet")
		}
		c.condition(at, cond)
	}
	for i, s := range f.Strategies {
		at := fmt.Sprintf("$.strategies[%d]", i)
		c.oneOf(at, s, strategies...)
		if slices.Contains(f.Strategies[:i], s) {
			c.fail(at, "strategy %q is listed twice", s)
		}
	}
	if len(f.Strategies) > 0 && len(f.Policies) == 0 {
		c.fail("$.strategies", "strategies are for policies, and the file has none")
	}
	runs := 1
	if r := f.Repeat; r != nil && r.Runs != nil {
		if runs = *r.Runs; runs < 1 || runs > MaxRuns {
			c.fail("$.repeat.runs", "%d runs: want from 1 to %d", runs, MaxRuns)
		}
	}
	for i := range f.Assert {
		c.assertion(fmt.Sprintf("$.assert[%d]", i), &f.Assert[i], f.Strategies, runs)
	}
}

func (c *checker) assertion(at string, a *drill.Assertion, strategies []string, runs int) {
	switch given := a.Given(); {
	case len(given) == 0:
		c.fail(at, "an assertion is one of outage, lost, answered, detected, phase, connections, answeredByTwo, unchanged, moves, dropped, invariants, overRuns")
		return
	case len(given) > 1:
		c.fail(at, "an assertion says one thing, not %s", strings.Join(given, " and "))
		return
	default:
		at += "." + given[0]
	}
	for k, s := range a.Only {
		path := fmt.Sprintf("%s.only[%d]", strings.TrimSuffix(at, "."+a.Given()[0]), k)
		if !slices.Contains(strategies, s) {
			c.fail(path, "%q is not among the strategies of this file", s)
		}
	}
	switch {
	case a.Outage != nil:
		c.selector(at, a.Outage.Selector)
		c.timeBounds(at, a.Outage.Min, a.Outage.Max)
	case a.Lost != nil:
		c.selector(at, a.Lost.Selector)
		c.countBounds(at, a.Lost.Min, a.Lost.Max)
	case a.Answered != nil:
		c.selector(at, drill.Selector{Client: a.Answered.Client, Workload: a.Answered.Workload})
		if s := a.Answered.Share; s != nil && !(*s > 0 && *s <= 100) {
			c.fail(at+".share", "%g: want percent, more than 0 and at most 100", *s)
		} else if s == nil && a.Answered.Min == 0 && a.Answered.Max == nil {
			c.fail(at, "want min, max, share or some of them")
		} else if m := a.Answered.Max; m != nil && *m < a.Answered.Min {
			c.fail(at+".min", "it contradicts max: nothing is both")
		}
	case a.Detected != nil:
		c.selector(at, drill.Selector{NetworkInterface: a.Detected.NetworkInterface})
		if a.Detected.Within == 0 {
			c.fail(at, "want within")
		}
	case a.Phase != nil:
		c.oneOf(at+".name", a.Phase.Name, drill.PhaseNames...)
		c.selector(at, drill.Selector{NetworkInterface: a.Phase.NetworkInterface})
		c.timeBounds(at, a.Phase.Min, a.Phase.Max)
	case a.Connections != nil:
		c.connections(at, a.Connections)
	case a.AnsweredByTwo != nil:
		c.selector(at, drill.Selector{NetworkInterface: a.AnsweredByTwo.NetworkInterface})
		c.timeBounds(at, nil, a.AnsweredByTwo.Max)
	case a.Unchanged != nil:
		c.someOf(at, a.Unchanged, drill.CheckNames)
	case a.Moves != nil:
		c.moves(at, a.Moves)
	case a.Dropped != nil:
		c.reason(at+".reason", a.Dropped.Reason)
		c.countBounds(at, a.Dropped.Min, a.Dropped.Max)
	case a.Invariants != nil:
		c.someOf(at, *a.Invariants, drill.InvariantNames)
	case a.OverRuns != nil:
		c.overRuns(at, a.OverRuns, runs)
	}
}

func (c *checker) selector(at string, s drill.Selector) {
	if s.Client != "" {
		c.hostRef(at+".client", s.Client)
	}
	if s.Workload != "" {
		c.workloadRef(at+".workload", s.Client, s.Workload)
	}
	if s.NetworkInterface != "" {
		c.interfaceRef(at+".networkInterface", s.NetworkInterface)
	}
	c.optional(at+".kind", s.Kind, "failover", "failback", "move")
	c.optional(at+".moved", s.Moved, drill.MovedNames...)
}

// workloadRef checks that a client, or if none is named any, has a workload.
func (c *checker) workloadRef(path, client, workload string) {
	for host, names := range c.workloadsOf {
		if (client == "" || client == host) && slices.Contains(names, workload) {
			return
		}
	}
	if client == "" {
		c.fail(path, "no client of this file has a workload %q", workload)
	} else {
		c.fail(path, "%s has no workload %q", client, workload)
	}
}

func (c *checker) timeBounds(at string, min, max *drill.Limit) {
	switch {
	case min == nil && max == nil:
		c.fail(at, "there is no bound to hold it to: want max")
	case min != nil && max != nil && *min > *max:
		c.fail(at+".min", "it contradicts max: nothing is both")
	}
}

func (c *checker) countBounds(at string, min, max *uint64) {
	switch {
	case min == nil && max == nil:
		c.fail(at, "there is no bound to hold it to: want max")
	case min != nil && max != nil && *min > *max:
		c.fail(at+".min", "it contradicts max: nothing is both")
	}
}

func (c *checker) connections(at string, n *drill.Connections) {
	c.selector(at, drill.Selector{NetworkInterface: n.NetworkInterface})
	c.optional(at+".reset", n.Reset, "all", "none")
	c.optional(at+".survived", n.Survived, "all", "none")
	switch {
	case n.Reset == "" && n.Survived == "" && n.ReconnectedWithin == 0:
		c.fail(at, "want reset, survived or reconnectedWithin")
	case n.Reset == "all" && n.Survived == "all":
		c.fail(at+".survived", "it contradicts reset: no connection is both")
	case n.Survived == "all" && n.ReconnectedWithin != 0:
		c.fail(at+".reconnectedWithin", "it contradicts survived: who has survived does not connect again")
	}
}

// someOf checks a list of at least one name.
func (c *checker) someOf(at string, given, known []string) {
	if len(given) == 0 {
		c.fail(at, "want at least one of %s", strings.Join(known, ", "))
	}
	for k, n := range given {
		c.oneOf(fmt.Sprintf("%s[%d]", at, k), n, known...)
	}
}

func (c *checker) moves(at string, m *drill.Moves) {
	c.selector(at, drill.Selector{NetworkInterface: m.NetworkInterface, Kind: m.Kind, Moved: m.Moved})
	c.optional(at+".state", m.State, "completed", "failed")
	for key, name := range map[string]string{".from": m.From, ".to": m.To} {
		if name != "" {
			c.ref(at+key, "instance", name, c.names.instances)
		}
	}
	switch {
	case m.Min == nil && m.Max == nil:
		c.fail(at, "there is no bound to hold it to: want min or max")
	case m.Min != nil && *m.Min < 0 || m.Max != nil && *m.Max < 0:
		c.fail(at, "a number of moves is not negative")
	case m.Min != nil && m.Max != nil && *m.Min > *m.Max:
		c.fail(at+".min", "it contradicts max: nothing is both")
	}
}

func (c *checker) reason(path, name string) {
	if !slices.Contains(reasonNames(), name) {
		c.fail(path, "%q is not a reason for which frames are dropped, such as guest_frozen", name)
	}
}

func (c *checker) overRuns(at string, o *drill.OverRuns, runs int) {
	c.oneOf(at+".metric", string(o.Metric), metricNames()...)
	c.selector(at, o.Selector)
	bounds := o.Bounds()
	if len(bounds) == 0 {
		c.fail(at, "there is no bound to hold it to: want p50, p90, p99 or max")
	}
	least := int64(0)
	for _, b := range bounds {
		v, err := b.Bound.In(o.Metric)
		switch {
		case err != nil:
			c.fail(at+"."+b.Name, "%v", err)
		case v < least:
			c.fail(at+"."+b.Name, "at most %s says more than the bound of a lower quantile, one of which must be a mistake", b.Bound)
		case runs < b.Q.Needs():
			c.fail(at+"."+b.Name, "%s of %d runs cannot be judged: it takes %d or more (repeat.runs)", b.Name, runs, b.Q.Needs())
		}
		least = v
	}
}

// workloadNames lists the workloads of every host by name.
func workloadNames(f *file) map[string][]string {
	of := map[string][]string{}
	for _, in := range f.Instances {
		for _, w := range in.Workloads {
			of[in.Name] = append(of[in.Name], w.Name)
		}
	}
	for _, h := range f.Internet.Hosts {
		for _, w := range h.Workloads {
			of[h.Name] = append(of[h.Name], w.Name)
		}
	}
	return of
}
