package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestATakeOverSurvivesTheServer: a server is killed in the middle of a take-over of
// each strategy, after the fence has taken the former owner's interface away or has
// stopped it, or between two routes, and before all that clients use has come to the
// standby. The former owner is healthy as far as the State tells, and answers no probe,
// which nothing says after the restart.
func TestATakeOverSurvivesTheServer(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "internal", "scenario", "scenarios", "four-strategies.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	network, _, ok := strings.Cut(string(text), "\npolicies:")
	if !ok {
		t.Fatal("the scenario has no policies")
	}
	const routes = "routes: [{routeTable: edge, destination: 10.0.3.0/24}, {routeTable: office, destination: 10.0.3.0/24}]"
	bothRoutes := func(a account) bool { return strings.Count(a.all("route-tables"), `"`+a.eni("spare")+`"`) == 2 }
	for _, x := range []struct {
		strategy, moves, fence, operation, when string
		// moved reports whether what clients use is all at the standby.
		moved func(a account) bool
	}{
		{"eni", "", "detach", "AttachNetworkInterface", "before", func(a account) bool { return a.owner("eth1") == a.instance("standby") }},
		{"address", "addresses: [10.0.1.50]", "detach", "AssignPrivateIpAddresses", "before", func(a account) bool {
			return strings.Contains(a.one("network-interfaces", a.eni("spare")), `"10.0.1.50"`)
		}},
		{"eip", "elasticIp: service", "stop", "AssociateAddress", "before", func(a account) bool {
			return strings.Contains(a.all("addresses"), `"networkInterfaceId":"`+a.eni("spare")+`"`)
		}},
		// Of its two calls the first has its effect, and its answer does not come.
		{"route", routes, "detach", "ReplaceRoute", "after", bothRoutes},
		{"route", routes, "none", "ReplaceRoute", "after", bothRoutes},
	} {
		t.Run(x.strategy+" "+x.fence, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "lab.yaml")
			policy := fmt.Sprintf(`
policies:
  - networkInterface: eth1
    standbys: [standby]
    probe: {type: icmp, from: desk/eth0, interval: 100ms, timeout: 100ms, misses: 2}
    strategy: %s
    fence: %s
`, x.strategy, x.fence)
			if x.moves != "" {
				policy += "    " + x.moves + "\n"
			}
			if err := os.WriteFile(file, []byte(network+policy), 0o600); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			p := start(t, nil, serveArgs(dir, "--scenario", file)...)
			a := account{t, p.url + "/api/v1/"}
			post(t, p.url+"/api/v1/api-faults", `{"operation":"`+x.operation+`","kind":"hang","when":"`+x.when+`","hangMs":600000}`)
			post(t, p.url+"/api/v1/impairments", `{"kind":"partition","of":{"instance":"active","deviceIndex":1}}`)
			a.until("the take-over hangs behind its fence", func() bool {
				return !strings.Contains(a.all("api-faults"), `"injected":0`) && (x.fence != "detach" || a.owner("eth1") == "")
			})
			if x.moved(a) {
				t.Fatal("it has moved already")
			}
			if err := p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-p.exited

			p = start(t, nil, serveArgs(dir, "--scenario", file)...)
			a = account{t, p.url + "/api/v1/"}
			a.until("the standby has all of it", func() bool { return x.moved(a) })
			a.until("a record says that a policy did it, and how", func() bool {
				records := a.all("failovers")
				return strings.Contains(records, `"kind":"failover"`) && (x.fence == "none" || strings.Contains(records, `"fence":"`+x.fence+`"`)) &&
					strings.Contains(records, `"toInstanceId":"`+a.instance("standby")+`"`)
			})
		})
	}
}

// account asks the admin API, for resources by their names.
type account struct {
	t    *testing.T
	base string
}

func (a account) all(kind string) string { return get(a.t, a.base+kind) }

func (a account) one(kind, id string) string { return get(a.t, a.base+kind+"/"+id) }

func (a account) instance(name string) string {
	return a.named("instances", func(m map[string]any) bool { return m["name"] == name })["id"].(string)
}

func (a account) eni(name string) string { return a.tagged(name)["id"].(string) }

// owner is the instance to which a network interface is attached, "" if none.
func (a account) owner(name string) string {
	at, _ := a.tagged(name)["attachment"].(map[string]any)
	id, _ := at["instanceId"].(string)
	return id
}

func (a account) tagged(name string) map[string]any {
	return a.named("network-interfaces", func(m map[string]any) bool { return m["tags"].(map[string]any)["Name"] == name })
}

func (a account) named(kind string, is func(map[string]any) bool) map[string]any {
	a.t.Helper()
	var list struct{ Items []map[string]any }
	decode(a.t, a.all(kind), &list)
	for _, m := range list.Items {
		if is(m) {
			return m
		}
	}
	a.t.Fatalf("it is not among the %s", kind)
	return nil
}

func (a account) until(what string, ok func() bool) {
	a.t.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for enough := time.Now().Add(patience); !ok(); <-look.C {
		if time.Now().After(enough) {
			a.t.Fatalf("waited in vain until %s: policies %s\nrecords %s", what, a.all("failover-policies"), a.all("failovers"))
		}
	}
}
