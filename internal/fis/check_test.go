package fis

import (
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// right is a plan that is right: stop, then wait.
func right() control.ExperimentPlan {
	return control.ExperimentPlan{
		Description: "two", RoleARN: "arn:aws:iam::123456789012:role/fis", EmptyTargets: "fail",
		StopConditions: []control.ExperimentStop{{Source: "none"}},
		Targets:        []control.ExperimentTarget{{Name: "one", ResourceType: TypeInstance, Tags: control.Tags{"a": "b"}, Selection: "ALL"}},
		Actions: []control.ExperimentAction{
			{Name: "stop", Action: "aws:ec2:stop-instances", Targets: control.Tags{"Instances": "one"}},
			{Name: "wait", Action: "aws:fis:wait", Parameters: control.Tags{"duration": "PT1M"}, StartAfter: []string{"stop"}},
		},
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	plan := right()
	if err := Check(&plan); err != nil {
		t.Fatal(err)
	}
	target := func(p *control.ExperimentPlan) *control.ExperimentTarget { return &p.Targets[0] }
	for want, change := range map[string]func(*control.ExperimentPlan){
		"description: a template needs":                              func(p *control.ExperimentPlan) { p.Description = "" },
		"roleArn: 'me' is no ARN":                                    func(p *control.ExperimentPlan) { p.RoleARN = "me" },
		"stopConditions: a template has 1 to 5":                      func(p *control.ExperimentPlan) { p.StopConditions = nil },
		"stopConditions: a source is none":                           func(p *control.ExperimentPlan) { p.StopConditions[0].Source = "x" },
		"stopConditions: the value of aws:cloudwatch:alarm":          func(p *control.ExperimentPlan) { p.StopConditions[0].Source = "aws:cloudwatch:alarm" },
		"experimentOptions.emptyTargetResolutionMode: it is fail":    func(p *control.ExperimentPlan) { p.EmptyTargets = "maybe" },
		"targets.one.resourceType: enilab has no resources of type":  func(p *control.ExperimentPlan) { target(p).ResourceType = "aws:ecs:task" },
		"targets.one.selectionMode: 'COUNT(0)' is not":               func(p *control.ExperimentPlan) { target(p).Selection = "COUNT(0)" },
		"targets.one: a target is named by resourceArns, or found":   func(p *control.ExperimentPlan) { target(p).ARNs = []string{"arn:aws:ec2:r:a:instance/i-1"} },
		"targets.one: a target needs resourceArns":                   func(p *control.ExperimentPlan) { target(p).Tags = nil },
		"targets.one.parameters: targets of type aws:ec2:instance":   func(p *control.ExperimentPlan) { target(p).Parameters = control.Tags{"x": "y"} },
		"targets.one.filters: enilab cannot filter aws:ec2:instance": func(p *control.ExperimentPlan) { target(p).Filters = []control.ExperimentFilter{{Path: "Foo"}} },
		"actions: a template has 1 to 20 actions, not 0":             func(p *control.ExperimentPlan) { p.Actions = nil },
		"actions.wait.actionId: enilab has no action 'aws:x'":        func(p *control.ExperimentPlan) { p.Actions[1].Action = "aws:x" },
		"actions.wait.parameters: aws:fis:wait has no parameter":     func(p *control.ExperimentPlan) { p.Actions[1].Parameters = control.Tags{"x": "y"} },
		"actions.wait.parameters: aws:fis:wait needs the parameter":  func(p *control.ExperimentPlan) { p.Actions[1].Parameters = nil },
		"actions.wait.parameters.duration: '5m' is no duration":      func(p *control.ExperimentPlan) { p.Actions[1].Parameters = control.Tags{"duration": "5m"} },
		"actions.stop.targets: there is no target 'two'":             func(p *control.ExperimentPlan) { p.Actions[0].Targets = control.Tags{"Instances": "two"} },
		"actions.stop.targets: aws:ec2:stop-instances has no target": func(p *control.ExperimentPlan) { p.Actions[0].Targets = control.Tags{"Hosts": "one"} },
		"actions.stop.targets: aws:ec2:stop-instances acts on aws:ec2:instance": func(p *control.ExperimentPlan) {
			target(p).ResourceType = TypeSubnet
		},
		"actions.stop.targets: aws:ec2:stop-instances needs":  func(p *control.ExperimentPlan) { p.Actions[0].Targets = nil },
		"targets.one: no action acts on it":                   func(p *control.ExperimentPlan) { p.Actions = []control.ExperimentAction{p.Actions[1]} },
		"actions.wait.startAfter: there is no action 'never'": func(p *control.ExperimentPlan) { p.Actions[1].StartAfter = []string{"never"} },
		"actions: the actions' startAfter form a circle":      func(p *control.ExperimentPlan) { p.Actions[0].StartAfter = []string{"wait"} },
	} {
		plan := right()
		change(&plan)
		if err := Check(&plan); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT30S": 30 * time.Second, "PT5M": 5 * time.Minute, "PT1H30M": 90 * time.Minute, "PT12H": 12 * time.Hour,
		"": 0, "P": 0, "PT": 0, "PT0S": 0, "5m": 0, "PT12H1S": 0, "P1D": 0, "PT1.5S": 0, "PT999999999S": 0,
	} {
		if got, err := parseDuration("d", text); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestSelections(t *testing.T) {
	for mode, want := range map[string]int{"ALL": 7, "COUNT(3)": 3, "COUNT(9)": 7, "PERCENT(50)": 3, "PERCENT(1)": 1, "PERCENT(100)": 7} {
		if got, ok := selected(mode, 7); !ok || got != want {
			t.Errorf("%s of 7: %d, want %d", mode, got, want)
		}
	}
	for _, mode := range []string{"", "SOME", "COUNT()", "COUNT(0)", "PERCENT(0)", "PERCENT(101)", "COUNT(-1)", "ALL "} {
		if _, ok := selected(mode, 7); ok {
			t.Errorf("'%s' was taken", mode)
		}
	}
}

// next is walked from state to state; what a step does is said beside it.
func TestNext(t *testing.T) {
	now := time.Unix(1000, 0)
	x := &control.Experiment{ExperimentPlan: right(), State: control.ExperimentRunning, Progress: make([]control.ExperimentProgress, 2)}
	x.Resolved = []control.ExperimentResolved{{Target: "one", ARNs: []string{"arn"}}}
	set := func(k int, s control.ExperimentState) { x.Progress[k].State = s }
	want := func(what string, st step) {
		t.Helper()
		if got := next(x, now); got != st {
			t.Errorf("%s: %+v, want %+v", what, got, st)
		}
	}
	set(0, control.ExperimentPending)
	set(1, control.ExperimentPending)
	want("one waits for the other", step{do: begins, action: 0})
	set(0, control.ExperimentInitiating)
	want("the server ended in the act", step{do: begins, action: 0})
	set(0, control.ExperimentRunning)
	x.Progress[0].EndsAt = now.Add(time.Second)
	want("it runs", step{do: nothing, at: now.Add(time.Second)})
	x.Progress[0].EndsAt = now
	want("its time is over", step{do: ends, action: 0})
	set(0, control.ExperimentCompleted)
	want("the next may begin", step{do: begins, action: 1})
	set(1, control.ExperimentCompleted)
	want("all is done", step{do: finishing, state: control.ExperimentCompleted, reason: "Experiment completed"})

	set(0, control.ExperimentFailed)
	set(1, control.ExperimentPending)
	x.Progress[0].Reason = "why"
	want("a failure cancels", step{do: skipping, action: 1, state: control.ExperimentCancelled, reason: "Experiment failed"})
	set(1, control.ExperimentRunning)
	want("a failure stops", step{do: stopping, action: 1})
	set(1, control.ExperimentStopped)
	want("then it has failed", step{do: finishing, state: control.ExperimentFailed, reason: "Action stop: why"})

	x.State = control.ExperimentStopping
	set(0, control.ExperimentInitiating)
	set(1, control.ExperimentPending)
	want("stopped: what was begun ends", step{do: stopping, action: 0})
	set(0, control.ExperimentStopped)
	want("stopped: what was not is cancelled", step{do: skipping, action: 1, state: control.ExperimentCancelled, reason: "Experiment stopped"})

	x.State, x.Resolved = control.ExperimentRunning, nil
	set(0, control.ExperimentPending)
	want("a target is nothing", step{do: skipping, action: 0, reason: "Target resolution returned empty set"})
	x.State = control.ExperimentPending
	want("targets first", step{do: resolving})
}
