package rest

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"enilab/internal/control"
)

// guarded is a site whose interface is at instance one and has something of each
// strategy: a secondary address, an Elastic IP, and two routes that lead to it.
// Instance two has an interface that could receive it.
type guarded struct {
	*site
	allocation string
	routes     []any
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{site: newSite(t)}
	g.attach(g.one.ID)
	call[NetworkInterface](g.lab, "POST", "/network-interfaces/"+g.eni.ID+"/private-ips", map[string]any{"addresses": []string{"192.168.0.50"}})
	spare := call[NetworkInterface](g.lab, "POST", "/network-interfaces", map[string]any{"subnetId": g.a.ID, "privateIp": "192.168.0.43"})
	call[NetworkInterface](g.lab, "POST", "/network-interfaces/"+spare.ID+"/attach", map[string]any{"instanceId": g.two.ID, "deviceIndex": 1})
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	gateway, err := g.svc.CreateInternetGateway(t.Context(), nil)
	ok(err)
	ok(g.svc.AttachInternetGateway(t.Context(), gateway.ID, g.vpc.ID))
	g.allocation = call[Address](g.lab, "POST", "/addresses", map[string]any{}).AllocationID
	call[any](g.lab, "POST", "/addresses/"+g.allocation+"/associate", map[string]any{"networkInterfaceId": g.eni.ID})
	table, err := g.svc.CreateRouteTable(t.Context(), g.vpc.ID, nil)
	ok(err)
	for _, block := range []string{"10.9.0.0/16", "10.8.0.0/16"} {
		ok(g.svc.CreateRoute(t.Context(), control.RouteInput{
			Table: table.ID, DestinationInput: control.DestinationInput{CIDR: block}, Interface: g.eni.ID,
		}))
		g.routes = append(g.routes, map[string]any{"routeTableId": table.ID, "destination": block})
	}
	return g
}

// policy is a request for one by a strategy that is right.
func (g *guarded) policy(strategy string) map[string]any {
	p := map[string]any{
		"networkInterfaceId": g.eni.ID, "standbys": []any{g.two.ID}, "strategy": strategy, "fence": "stop", "holdDownMs": 1500.0,
		"probe": map[string]any{"type": "icmp", "fromInterfaceId": g.primary(g.two), "intervalMs": 200.0, "timeoutMs": 150.0, "misses": 4.0},
	}
	switch strategy {
	case "address":
		p["addresses"] = []any{"192.168.0.50"}
	case "eip":
		p["allocationId"] = g.allocation
	case "route":
		p["routes"] = g.routes
	}
	return p
}

// TestPoliciesOfEveryStrategy are made, shown, replaced and deleted; what is wrong
// with one is said by the name of its field, and changes nothing.
func TestPoliciesOfEveryStrategy(t *testing.T) {
	g := newGuarded(t)
	for strategy, scope := range map[string]string{"eni": "zone", "address": "subnet", "eip": "region", "route": "region"} {
		made := call[map[string]any](g.lab, "POST", "/failover-policies", g.policy(strategy))
		for field, want := range g.policy(strategy) {
			if !reflect.DeepEqual(made[field], want) {
				t.Errorf("%s: %s is %v, want %v", strategy, field, made[field], want)
			}
		}
		if made["scope"] != scope || made["enabled"] != true {
			t.Errorf("%s: made %v, want the scope %s", strategy, made, scope)
		}
		at := "/failover-policies/" + made["id"].(string)
		with := func(field string, value any) map[string]any {
			p := maps.Clone(g.policy(strategy))
			p[field] = value
			return p
		}
		probe := func(field string, value any) map[string]any {
			p := maps.Clone(g.policy(strategy)["probe"].(map[string]any))
			p[field] = value
			return with("probe", p)
		}
		other := map[string]string{"eni": "addresses", "address": "allocationId", "eip": "routes", "route": "addresses"}[strategy]
		own := map[string]string{"address": "addresses", "eip": "allocationId", "route": "routes"}[strategy]
		of := map[string]any{"addresses": []any{"192.168.0.50"}, "allocationId": g.allocation, "routes": g.routes}
		for _, x := range []struct {
			status     int
			code, says string
			body       map[string]any
		}{
			{404, "InvalidNetworkInterfaceID.NotFound", "eni-0", with("networkInterfaceId", "eni-00000000000000000")},
			{400, "MissingParameter", "standby", with("standbys", []any{})},
			{404, "InvalidInstanceID.NotFound", "i-0", with("standbys", []any{"i-00000000000000000"})},
			{400, "InvalidParameterValue", "more than once", with("standbys", []any{g.two.ID, g.two.ID})},
			{400, "InvalidParameterCombination", other, with(other, of[other])},
			{422, "", "holdDownMs", with("holdDownMs", -1.0)},
			{422, "", "strategy", with("strategy", "luck")},
			{422, "", "fence", with("fence", "shoot")},
			{422, "", "type", probe("type", "telepathy")},
			{400, "InvalidParameterValue", "cannot probe itself", probe("fromInterfaceId", g.eni.ID)},
			{400, "InvalidParameterValue", "interval", probe("intervalMs", 1.0)},
			{422, "", "misses", probe("misses", 101.0)},
			{400, "InvalidParameterCombination", "never", also(with("neverFailBack", true), "failBack", true)},
			{400, "InvalidParameterCombination", "fence", also(with("fenceOptional", true), "fence", "none")},
		} {
			if p := g.refused(x.status, x.code, "PUT", at, x.body); !strings.Contains(p.Detail+p.problems(), x.says) {
				t.Errorf("%s: %q, want %q", strategy, p.Detail+p.problems(), x.says)
			}
		}
		if own != "" {
			missing := maps.Clone(g.policy(strategy))
			delete(missing, own)
			if p := g.refused(400, "MissingParameter", "PUT", at, missing); !strings.Contains(p.Detail, own) {
				t.Errorf("%s without %s: %q", strategy, own, p.Detail)
			}
		}
		if strategy == "eni" || strategy == "address" {
			g.refused(400, "InvalidParameterCombination", "PUT", at, with("standbys", []any{g.far.ID}))
		}
		if now := call[map[string]any](g.lab, "GET", at, nil); !reflect.DeepEqual(now, made) {
			t.Errorf("%s: refusals have changed it from %v to %v", strategy, made, now)
		}
		changed := call[map[string]any](g.lab, "PUT", at, with("fence", "detach"))
		if changed["fence"] != "detach" || changed["id"] != made["id"] || changed["strategy"] != strategy {
			t.Errorf("%s: replaced by %v", strategy, changed)
		}
		call[any](g.lab, "DELETE", at, nil)
		g.refused(404, "", "GET", at, nil)
	}
}

// TestWhatPoliciesMustName: what a policy would move must be there, and the interface's.
func TestWhatPoliciesMustName(t *testing.T) {
	g := newGuarded(t)
	table := g.routes[0].(map[string]any)["routeTableId"]
	free := call[Address](g.lab, "POST", "/addresses", map[string]any{}).AllocationID
	for _, x := range []struct {
		strategy, field string
		value           any
		says            string
	}{
		{"address", "addresses", []any{"192.168.0.42"}, "primary"},
		{"address", "addresses", []any{"192.168.0.99"}, "does not have"},
		{"address", "addresses", []any{"192.168.0.50", "192.168.0.50"}, "more than once"},
		{"address", "addresses", []any{"here"}, "'here' is not an IP address"},
		{"eip", "allocationId", "eipalloc-00000000000000000", "eipalloc-0"},
		{"eip", "allocationId", free, "is not associated"},
		{"route", "routes", []any{map[string]any{"routeTableId": "rtb-00000000000000000", "destination": "10.9.0.0/16"}}, "rtb-0"},
		{"route", "routes", []any{map[string]any{"routeTableId": table, "destination": "10.7.0.0/16"}}, "no route"},
		{"route", "routes", []any{map[string]any{"routeTableId": table, "destination": "192.168.0.0/16"}}, "does not lead"},
		{"route", "routes", []any{map[string]any{"routeTableId": table, "destination": "x"}}, "x"},
		{"route", "routes", []any{g.routes[0], g.routes[0]}, "more than once"},
	} {
		p := g.policy(x.strategy)
		p[x.field] = x.value
		r := g.send("POST", base+"/failover-policies", p)
		if r.status != 400 && r.status != 404 || !strings.Contains(string(r.body), x.says) {
			t.Errorf("%s of %v: %d %s, want %q", x.field, x.value, r.status, r.body, x.says)
		}
	}
	if got := call[list[FailoverPolicy]](g.lab, "GET", "/failover-policies", nil); len(got.Items) != 0 {
		t.Errorf("refusals have made %v", got.Items)
	}
	// Of one interface two strategies may not move what the other's stands on.
	call[FailoverPolicy](g.lab, "POST", "/failover-policies", g.policy("eni"))
	for _, strategy := range []string{"eni", "address", "eip", "route"} {
		g.refused(400, "InvalidParameterCombination", "POST", "/failover-policies", g.policy(strategy))
	}
}

func also(p map[string]any, field string, value any) map[string]any {
	p[field] = value
	return p
}

// problems are the fields that a problem names.
func (p Problem) problems() string {
	var all []string
	for _, e := range p.Errors {
		all = append(all, e.Location+" "+e.Message)
	}
	return strings.Join(all, "; ")
}
