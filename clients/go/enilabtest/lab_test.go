package enilabtest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"enilab/clients/go/enilabtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// One for the process, for good.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// Sees only after its ten seconds of sleep that the server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// pair is two hosts, of which one asks the other.
const pair = `
description: One asks, the other answers
vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: 1}]
securityGroups:
  - {name: echo, vpc: lab, description: UDP echo, ingress: [{protocol: udp, ports: 7, from: 10.0.0.0/16}]}
instances:
  - name: client
    subnet: a
    ip: 10.0.0.10
    workloads:
      - {name: requests, kind: udp-echo, target: 10.0.0.20, rate: 100}
      - {name: quiet, kind: udp-echo, target: 10.0.0.20, rate: 100, paused: true}
  - {name: server, subnet: a, ip: 10.0.0.20, groups: [echo]}
`

// fake is a test that notes what is said to it.
type fake struct {
	testing.TB
	ctx      context.Context
	end      context.CancelFunc
	cleanups []func()
	said     []string
	failed   bool
}

// told runs a test apart, and returns it with what it was told.
func told(t testing.TB, test func(testing.TB)) *fake {
	f := &fake{TB: t}
	f.ctx, f.end = context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		defer func() {
			f.end()
			for _, c := range slices.Backward(f.cleanups) {
				c()
			}
		}()
		test(f)
	})
	wg.Wait()
	return f
}

func (f *fake) note(failed bool, format string, args ...any) {
	f.failed = f.failed || failed
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func (f *fake) Helper()                           {}
func (f *fake) Failed() bool                      { return f.failed }
func (f *fake) Context() context.Context          { return f.ctx }
func (f *fake) Cleanup(c func())                  { f.cleanups = append(f.cleanups, c) }
func (f *fake) Logf(format string, args ...any)   { f.note(false, format, args...) }
func (f *fake) Errorf(format string, args ...any) { f.note(true, format, args...) }
func (f *fake) Fatal(args ...any)                 { f.note(true, "%s", fmt.Sprint(args...)); runtime.Goexit() }
func (f *fake) Fatalf(format string, args ...any) { f.note(true, format, args...); runtime.Goexit() }

func (f *fake) heard(text string) bool {
	return slices.ContainsFunc(f.said, func(s string) bool { return strings.Contains(s, text) })
}

// TestErrorsSayWhatIsWrong, where, and what would be right.
func TestErrorsSayWhatIsWrong(t *testing.T) {
	start := func(opts ...enilabtest.Option) func(testing.TB) {
		return func(t testing.TB) { enilabtest.Start(t, opts...) }
	}
	in := func(do func(*enilabtest.Lab)) func(testing.TB) {
		return func(t testing.TB) { do(enilabtest.Start(t, enilabtest.YAML(pair))) }
	}
	for want, test := range map[string]func(testing.TB){
		`scenario "dmeo" is neither one of agent-hasty, `: start(enilabtest.Scenario("dmeo")),
		`two are given`:                                                        start(enilabtest.Scenario("demo"), enilabtest.YAML(pair)),
		`timing "slow": want fast or aws`:                                      start(enilabtest.Timing("slow")),
		`there is no region "mars-1"`:                                          start(enilabtest.Region("mars-1")),
		`Set changes values of a scenario, and there is none`:                  start(enilabtest.Set("a=b")),
		`one of them is empty`:                                                 start(enilabtest.Key("id", "")),
		`no instance is named "sevrer"; there are: client, server`:             in(func(l *enilabtest.Lab) { l.Fail("sevrer", enilabtest.Freeze) }),
		`no network interface is named "eth9"; there are: client/eth0, server`: in(func(l *enilabtest.Lab) { l.Move("eth9", "server") }),
		`nothing is named "vpc-x"; instances: client, server`:                  in(func(l *enilabtest.Lab) { l.ID("vpc-x") }),
		`client is to fail by slowly: `:                                        in(func(l *enilabtest.Lab) { l.Fail("client", "slowly") }),
		`step:1:8: instance "EC9" is not defined in this laboratory`:           in(func(l *enilabtest.Lab) { l.Do("start: EC9") }),
		`a step does one thing, not start and stop`:                            in(func(l *enilabtest.Lab) { l.Do("{start: client, stop: client}") }),
		`step:1:1: unknown field "explode"`:                                    in(func(l *enilabtest.Lab) { l.Do("explode: client") }),
		`client has no workload "reqs"`:                                        in(func(l *enilabtest.Lab) { l.WaitForReplies("client", "reqs", "") }),
		`not within 1ms: instance client stopped; saw it running`:              in(func(l *enilabtest.Lab) { l.WaitFor(1e6, "instance: {name: client, state: stopped}") }),
		`there is no bound to hold it to: want max`:                            in(func(l *enilabtest.Lab) { l.Assert("outage: {client: client}") }),
		`assertion:1:12: this is one run`:                                      in(func(l *enilabtest.Lab) { l.Assert("overRuns: {metric: lost, max: 1}") }),
		`failed: answered of client requests at least 1000000`:                 in(func(l *enilabtest.Lab) { l.Assert("answered: {client: client, workload: requests, min: 1000000}") }),
		`inconclusive: outage of client requests at most 1s: there is no rec`:  in(func(l *enilabtest.Lab) { l.Assert("outage: {client: client, workload: requests, max: 1s}") }),
		`GET /api/v1/vpcs/vpc-1: 404 Not Found: no VPC vpc-1`:                  in(func(l *enilabtest.Lab) { l.Call("GET", "/api/v1/vpcs/vpc-1", nil, nil) }),
	} {
		if f := told(t, test); !f.failed || !f.heard(want) {
			t.Errorf("want %q, got %q", want, f.said)
		}
	}
}

// TestAFailedTestIsToldWhatHappened, and one that passed is not.
func TestAFailedTestIsToldWhatHappened(t *testing.T) {
	for _, fails := range []bool{true, false} {
		f := told(t, func(t testing.TB) {
			lab := enilabtest.Start(t, enilabtest.Scenario("demo"))
			lab.Fail("EC2-1", enilabtest.Freeze)
			lab.WaitForReplies("client", "requests", "EC2-2")
			if fails {
				t.Errorf("wrong")
			}
		})
		if f.heard("what has happened in the laboratory") != fails || fails && !f.heard(" instance.failed EC2-1") {
			t.Errorf("failed is %t, and it was told %q", fails, f.said)
		}
	}
}

// TestLaboratoriesAreApart: of one seed they have the same ids, and what is done in
// one is not seen in another.
func TestLaboratoriesAreApart(t *testing.T) {
	var ids [2]string
	for i := range ids {
		lab := enilabtest.Start(t, enilabtest.YAML(pair))
		ids[i] = lab.ID("server")
		lab.Wait("instance: {name: server, fault: none, state: running}")
		lab.Fail("server", enilabtest.Stop)
		lab.Wait("instance: {name: server, state: stopped}")
	}
	if ids[0] != ids[1] {
		t.Errorf("of one seed the ids are %v", ids)
	}
	if other := enilabtest.Start(t, enilabtest.YAML(pair), enilabtest.Seed(2)).ID("server"); other == ids[0] {
		t.Error("of another seed the ids are the same")
	}
}

// TestWhatTheTestMadeHasItsName: what is not of a scenario is named by its Name
// tag, or by its id.
func TestWhatTheTestMadeHasItsName(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t)
	var vpc, subnet, group, i struct{ ID string }
	make := func(path string, in, out any) { t.Helper(); lab.Call("POST", "/api/v1/"+path, in, out) }
	make("vpcs", map[string]any{"cidr": "10.0.0.0/16"}, &vpc)
	make("subnets", map[string]any{"vpcId": vpc.ID, "cidr": "10.0.0.0/24"}, &subnet)
	make("security-groups", map[string]any{"vpcId": vpc.ID, "name": "echo", "description": "UDP echo"}, &group)
	make("security-groups/"+group.ID+"/rules", map[string]any{"direction": "ingress", "rules": []any{
		map[string]any{"protocol": "udp", "fromPort": 7, "toPort": 7, "cidr": "10.0.0.0/16"}}}, nil)
	for _, name := range []string{"one", "two", "client", "twin", "twin"} {
		var made struct{ ID string }
		make("instances", map[string]any{"subnetId": subnet.ID, "groupIds": []string{group.ID}, "tags": map[string]string{"Name": name}}, &made)
		i = made
	}
	var eni struct{ ID string }
	make("network-interfaces", map[string]any{"subnetId": subnet.ID, "privateIp": "10.0.0.42", "groupIds": []string{group.ID}, "tags": map[string]string{"Name": "service"}}, &eni)
	lab.Wait("instance: {name: one, state: running}", "instance: {name: client, state: running}", "instance: {name: two, state: running}",
		"instance: {name: "+i.ID+", state: running}")
	lab.Do("attach: {networkInterface: service, instance: one, deviceIndex: 1}")
	lab.Call("PUT", "/api/v1/instances/"+lab.ID("client")+"/workloads", []any{
		map[string]any{"name": "ask", "kind": "udp-echo", "target": "10.0.0.42", "rate": 100}}, nil)
	lab.WaitForReplies("client", "ask", "one")
	lab.Move("service", "two")
	lab.WaitForReplies("client", "ask", "two")
	r := lab.Record("service")
	if r.From != "one" || r.To != "two" || r.NetworkInterface != "service" || !r.Measured || r.Sent == 0 || len(r.Clients) != 1 {
		t.Errorf("the record is %+v", r)
	}
	lab.Assert("moves: {networkInterface: service, kind: move, to: two, min: 1, max: 1}", "answered: {client: client, workload: ask, min: 1}")
	if all := lab.Records(); len(all) == 0 || all[len(all)-1].ID != r.ID {
		t.Errorf("the records are %+v", all)
	}
}

// TestInvariantsLeaveTrafficAsItWas.
func TestInvariantsLeaveTrafficAsItWas(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t, enilabtest.YAML(pair))
	lab.WaitForReplies("client", "requests", "server")
	lab.Assert("invariants: all")
	lab.WaitForReplies("client", "requests", "server")
	var client struct {
		Workloads []struct {
			Name   string
			Paused bool
		}
	}
	lab.Call("GET", "/api/v1/instances/"+lab.ID("client"), nil, &client)
	if len(client.Workloads) != 2 || client.Workloads[0].Paused || !client.Workloads[1].Paused {
		t.Errorf("workloads are %+v", client.Workloads)
	}
}

// TestReset takes back what was done and what was recorded, with the same ids.
func TestReset(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t, enilabtest.Scenario("demo"))
	was := lab.ID("eth1")
	lab.WaitForReplies("client", "requests", "EC2-1")
	lab.Move("eth1", "EC2-2")
	lab.Do("inject: {name: bad, kind: loss, of: {instance: EC2-2}, hit: 1, every: 4}", "clear: bad")
	if n := len(lab.Records()); n != 1 {
		t.Errorf("%d records", n)
	}
	lab.Reset()
	lab.Wait("networkInterface: {name: eth1, attachedTo: EC2-1, unchanged: true}")
	lab.WaitForReplies("client", "requests", "EC2-1")
	if id, n := lab.ID("eth1"), len(lab.Records()); id != was || n != 0 {
		t.Errorf("eth1 is %s, was %s; %d records", id, was, n)
	}
}

// TestDrills are carried out and judged.
func TestDrills(t *testing.T) {
	t.Parallel()
	enilabtest.Run(t, "survives")
	f := told(t, func(t testing.TB) {
		enilabtest.Start(t, enilabtest.YAML(pair+"assert: [moves: {min: 1}]\n")).Drill()
	})
	if !f.failed || !f.heard("failed: moves at least 1: 0: 0 such records, fewer than 1") || !f.heard("held: steps") {
		t.Errorf("a drill that fails says %q", f.said)
	}
}

// TestKeys are verified if one is given.
func TestKeys(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t, enilabtest.Key("AKIAEXAMPLE", "secret"))
	if lab.AccessKeyID != "AKIAEXAMPLE" || lab.SecretAccessKey != "secret" || !slices.Contains(lab.Environ(), "AWS_ENDPOINT_URL="+lab.Endpoint) {
		t.Errorf("%+v, %q", lab, lab.Environ())
	}
	for _, l := range []struct {
		lab  *enilabtest.Lab
		want int
	}{{lab, 401}, {enilabtest.Start(t), 200}} {
		resp, err := l.lab.HTTPClient().Get(l.lab.Endpoint + "/?Action=DescribeVpcs&Version=2016-11-15")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != l.want && !(l.want == 401 && resp.StatusCode == http.StatusForbidden) {
			t.Errorf("an unsigned call: %d %s", resp.StatusCode, text)
		}
	}
}

// BenchmarkStart is what a laboratory costs a test: its start and its end.
func BenchmarkStart(b *testing.B) {
	for name, opts := range map[string][]enilabtest.Option{"empty": nil, "demo": {enilabtest.Scenario("demo")}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if f := told(b, func(t testing.TB) { enilabtest.Start(t, opts...) }); f.failed {
					b.Fatal(f.said)
				}
			}
		})
	}
}
