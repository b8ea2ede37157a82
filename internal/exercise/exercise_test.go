package exercise

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/docs/drills"
	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/guest"
	"enilab/internal/scenario"
	"enilab/internal/virtual"
)

// learner is somebody who does an exercise, in virtual time.
type learner struct {
	t        *testing.T
	lab      *virtual.Lab
	world    World
	session  *scenario.Session // by which he acts
	refusals []Refused
	trials   []Trial
}

type machines struct{ *guest.Machines }

func (machines) Host(string) *guest.Host { return nil }

// learn opens the laboratory that an exercise begins with.
func learn(t *testing.T, e *Exercise) *learner {
	t.Helper()
	l := &learner{t: t}
	sc := scenario.Nothing("nothing")
	if e.Scenario != "" {
		var err error
		if sc, err = scenario.Open(t.Context(), e.Scenario); err != nil {
			t.Fatal(err)
		}
	}
	faults := apifault.New(apifault.Options{
		Now: func() time.Time { return time.Unix(0, l.lab.Now()).UTC() }, Log: slog.New(slog.DiscardHandler),
		Hold: func(ctx context.Context, d time.Duration) error { return l.lab.Hold(ctx, d) },
		Note: func(typ, id string, kv ...string) error {
			return l.lab.Note(context.WithoutCancel(t.Context()), typ, id, kv...)
		},
	})
	faults.Declare(apifault.EC2, model.Names, func(string) int { return http.StatusBadRequest })
	calls := func(ctx context.Context, operation string, call func(context.Context) error) error {
		return faults.Around(ctx, apifault.EC2, operation, "drill", call)
	}
	var err error
	l.lab, err = virtual.Open(virtual.Options{Seed: 1, Timing: sc.Timing(control.TimingFast), Shape: sc.Shaped(), PolicyCalls: calls})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.lab.Close(); err != nil {
			t.Error(err)
		}
	})
	loaded := scenario.NothingLoaded()
	if e.Scenario != "" {
		if loaded, err = sc.LoadForGood(t.Context(), l.lab); err != nil {
			t.Fatal(err)
		}
	}
	l.world = World{
		Env: scenario.Env{
			Service: l.lab, Mover: l.lab.Failover, Lab: machines{l.lab.Guests}, Totals: l.lab.Sim.Engine().Totals,
			Impairments: l.lab.Impairments, APIFaults: faults, Gate: calls, Now: l.lab.Now, Pause: l.lab.Pause,
			PolicyState: func(id string) (state, detail string) {
				st, _ := l.lab.Failover.PolicyStatus(id)
				return string(st.State), st.Detail
			},
			Ask: func(ctx context.Context, host string, to netip.Addr, path string) (string, error) {
				return l.lab.Ask(ctx, host, to, path, scenario.AskTime)
			},
		},
		Refusals: func(uint64) ([]Refused, uint64) { return l.refusals, uint64(len(l.refusals)) },
		Trials:   func(time.Time) []Trial { return l.trials },
	}
	l.lab.Advance(2 * time.Second) // traffic flows when he comes
	if l.session, err = scenario.Begin(t.Context(), l.world.Env, sc, loaded); err != nil {
		t.Fatal(err)
	}
	return l
}

// do carries out steps, and remembers what was refused in them as the log of calls
// does.
func (l *learner) do(steps ...string) {
	l.t.Helper()
	for _, step := range steps {
		if err := l.session.Do(l.t.Context(), step); err != nil {
			l.t.Fatalf("%s: %v", step, err)
		}
		if _, code, refused := strings.Cut(step, "refused: "); refused {
			r := Refused{Code: strings.TrimSpace(code)}
			if strings.HasPrefix(step, "attach:") {
				r.Action = "AttachNetworkInterface"
			}
			l.refusals = append(l.refusals, r)
		}
	}
}

// change changes the only policy.
func (l *learner) change(how func(*control.FailoverPolicy)) {
	l.t.Helper()
	p := *l.lab.State().Policies()[0]
	how(&p)
	if _, err := l.lab.PutPolicy(l.t.Context(), p); err != nil {
		l.t.Fatal(err)
	}
}

// byHand reaches the goals that steps of scenarios alone cannot.
var byHand = map[string]func(*learner){
	"first-failover/faster": func(l *learner) {
		l.change(func(p *control.FailoverPolicy) {
			p.Probe.Interval, p.Probe.Timeout = 50*time.Millisecond, 50*time.Millisecond
		})
		l.do("fail: {instance: EC2-1, fault: freeze}")
	},
	"build-a-lab/instances": func(l *learner) {
		ctx := l.t.Context()
		vpc := must(l.lab.CreateVPC(ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"}))
		subnet := must(l.lab.CreateSubnet(ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: "10.0.1.0/24"}))
		for _, name := range []string{"web", "db", "stranger"} {
			g := must(l.lab.CreateGroup(ctx, control.CreateGroupInput{VPC: vpc.ID, Name: name, Description: name}))
			must(l.lab.RunInstance(ctx, control.RunInstanceInput{
				Subnet: subnet.ID, Groups: []string{g.ID}, Tags: map[string]string{"Name": name}, Type: "t3.micro",
			}))
		}
	},
	// As a beginner does it: everybody in the VPC may.
	"build-a-lab/opened": func(l *learner) {
		must(l.lab.AuthorizeRules(l.t.Context(), l.group("db"), false, []control.RuleInput{
			{Protocol: "tcp", FromPort: port(5432), ToPort: port(5432), CIDR: "10.0.0.0/16"},
		}))
	},
	"build-a-lab/closed": func(l *learner) {
		db, ctx := l.group("db"), l.t.Context()
		for _, r := range l.lab.State().SecurityGroup(db).Rules {
			if !r.Egress {
				if err := l.lab.RevokeRules(ctx, db, []string{r.ID}); err != nil {
					l.t.Fatal(err)
				}
			}
		}
		must(l.lab.AuthorizeRules(ctx, db, false, []control.RuleInput{
			{Protocol: "tcp", FromPort: port(5432), ToPort: port(5432), Group: l.group("web")},
		}))
	},
	"split-brain/fenced": func(l *learner) {
		l.do("clear: cut", "move: {networkInterface: eth1, instance: EC2-1}")
		l.lab.Advance(15 * time.Second) // until the record of the move is complete
		l.change(func(p *control.FailoverPolicy) { p.Fence = control.FenceStop })
		l.do("inject: {name: again, kind: partition, of: {instance: witness}, to: {instance: EC2-1}}")
	},
	"flapping/held": func(l *learner) {
		l.change(func(p *control.FailoverPolicy) { p.HoldDown = 10 * time.Second })
		l.do(
			"fail: {instance: EC2-1, fault: freeze}",
			"waitUntil: [networkInterface: {name: eth1, attachedTo: EC2-2, attachment: attached}]\nwithin: 1m",
			"recover: EC2-1",
		)
	},
	"throughput/run": func(l *learner) { l.trials = append(l.trials, Trial{Drill: "throughput", Verdict: "held"}) },
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (l *learner) group(name string) string {
	for _, g := range l.lab.State().SecurityGroups() {
		if g.Name == name {
			return g.ID
		}
	}
	l.t.Fatalf("no group %s", name)
	return ""
}

// Every goal can be reached, in order, and none is before anything was done for it.
func TestEveryExerciseCanBeDone(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		t.Run(e.Name, func(t *testing.T) {
			l := learn(t, e)
			a, err := Begin(t.Context(), l.world, e)
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range e.Goals {
				met, saw := a.Progress(t.Context())
				act := byHand[e.Name+"/"+g.Name]
				if met == i+1 && len(g.Solve) == 0 && act == nil {
					continue // only to be seen, and it was
				}
				if met != i {
					t.Fatalf("%s: %d goals are reached before anything was done for it, want %d", g.Name, met, i)
				}
				for _, step := range g.Solve {
					if act == nil {
						l.do(written(step))
					}
				}
				if act != nil {
					act(l)
				}
				for deadline := l.lab.Now() + int64(2*time.Minute); met <= i && l.lab.Now() < deadline; {
					l.lab.Advance(200 * time.Millisecond)
					met, saw = a.Progress(t.Context())
				}
				if met <= i {
					t.Fatalf("%s is not reached; saw: %s", g.Name, saw)
				}
			}
			if met, _ := a.Progress(t.Context()); met != len(e.Goals) {
				t.Errorf("%d goals are reached in the end, want %d", met, len(e.Goals))
			}
		})
	}
}

// A goal that was reached stays so, and what was before an exercise does not count.
func TestProgressIsKept(t *testing.T) {
	e := must(Find("blackhole-route"))
	l := learn(t, e)
	a := must(Begin(t.Context(), l.world, e))
	l.do("detach: {networkInterface: eth1}")
	l.lab.Advance(5 * time.Second)
	if met, saw := a.Progress(t.Context()); met != 1 {
		t.Fatalf("%d goals, want 1; saw %s", met, saw)
	}
	l.do("attach: {networkInterface: eth1, instance: EC2-1, deviceIndex: 1}")
	l.lab.Advance(5 * time.Second)
	if met, _ := a.Progress(t.Context()); met != 1 {
		t.Errorf("%d goals once eth1 is back with its first owner, want 1", met)
	}
	again := must(Begin(t.Context(), l.world, e))
	if met, saw := again.Progress(t.Context()); met != 0 || saw == "" {
		t.Errorf("%d goals of an exercise that has begun anew, want 0; saw %q", met, saw)
	}
}

// What is missing is named, and is no error.
func TestProgressNamesWhatIsMissing(t *testing.T) {
	e := must(Find("build-a-lab"))
	l := learn(t, e)
	a := must(Begin(t.Context(), l.world, e))
	if met, saw := a.Progress(t.Context()); met != 0 || !strings.Contains(saw, "web") {
		t.Errorf("%d goals, saw %q; want 0 and web", met, saw)
	}
}

func TestExercisesAreWhole(t *testing.T) {
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 12 {
		t.Errorf("%d exercises", len(all))
	}
	for _, e := range all {
		if e.Scenario != "" && !slices.Contains(scenario.Names(), e.Scenario) {
			t.Errorf("%s begins with the scenario %s, which does not ship", e.Name, e.Scenario)
		}
		if e.Page != "" && !drills.Has(e.Page) {
			t.Errorf("%s: there is no page %s", e.Name, e.Page)
		}
		texts := []Text{e.Title, e.About}
		for _, g := range e.Goals {
			texts = append(texts, g.Goal, g.Hint)
		}
		for _, text := range texts {
			if text.En == "" || text.Ko == "" || !strings.ContainsFunc(text.Ko, func(r rune) bool { return r >= '가' && r <= '힣' }) {
				t.Errorf("%s: a text is not in both languages: %+v", e.Name, text)
			}
		}
	}
	if e, err := Find("nosuch"); e != nil || err != nil {
		t.Errorf("Find of what is not there: %v, %v", e, err)
	}
}

func port(n int) *int { return &n }
