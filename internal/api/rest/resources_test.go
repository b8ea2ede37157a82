package rest

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	l := newLab(t)
	if r := l.send("GET", "/healthz", nil); r.status != http.StatusOK || string(r.body) != "ok\n" {
		t.Errorf("healthz: %d %q", r.status, r.body)
	}
}

// The life of every resource over the API, as a script would have it.
func TestResources(t *testing.T) {
	s := newSite(t)
	if s.a.AvailableAddresses != 251 || s.a.RouterMAC == "" {
		t.Errorf("subnet %+v", s.a)
	}
	if s.one.Name != "one" || s.one.Role != "active" || s.one.MaxInterfaces != 3 || len(s.one.Interfaces) != 1 {
		t.Errorf("instance %+v", s.one)
	}
	if s.eni.Status != "available" || len(s.eni.PrivateIPs) != 1 || s.eni.Groups[0].Name != "web" {
		t.Errorf("interface %+v", s.eni)
	}

	s.attach(s.one.ID)
	topology := call[Topology](s.lab, "GET", "/topology", nil)
	if len(topology.VPCs) != 1 || len(topology.Subnets) != 2 || len(topology.Instances) != 3 || len(topology.NetworkInterfaces) != 4 {
		t.Errorf("topology has %d VPCs, %d subnets, %d instances, %d interfaces", len(topology.VPCs),
			len(topology.Subnets), len(topology.Instances), len(topology.NetworkInterfaces))
	}
	if topology.EventSeq == 0 || topology.Epoch == "" || topology.Revision == 0 {
		t.Errorf("topology's place: %d %q %d", topology.EventSeq, topology.Epoch, topology.Revision)
	}

	eni := "/network-interfaces/" + s.eni.ID
	n := call[NetworkInterface](s.lab, "PATCH", eni, map[string]any{"description": "floating"})
	if n.Description != "floating" || n.Attachment == nil || n.Attachment.InstanceID != s.one.ID {
		t.Errorf("interface after PATCH: %+v", n)
	}
	n = call[NetworkInterface](s.lab, "POST", eni+"/private-ips", map[string]any{"addresses": []string{"192.168.0.43"}})
	if len(n.PrivateIPs) != 2 || n.PrivateIPs[1].Address != "192.168.0.43" {
		t.Errorf("addresses: %+v", n.PrivateIPs)
	}
	n = call[NetworkInterface](s.lab, "DELETE", eni+"/private-ips/192.168.0.43", nil)
	if len(n.PrivateIPs) != 1 {
		t.Errorf("addresses: %+v", n.PrivateIPs)
	}

	one := "/instances/" + s.one.ID
	lagging := call[Instance](s.lab, "PUT", one+"/metadata-lag", map[string]any{"lagMs": 1500.25})
	if got := call[Instance](s.lab, "GET", one, nil).MetadataLagMs; lagging.MetadataLagMs != 1500.25 || got != 1500.25 {
		t.Errorf("metadata lags by %v ms, then by %v", lagging.MetadataLagMs, got)
	}
	if lagging = call[Instance](s.lab, "PUT", one+"/metadata-lag", map[string]any{"lagMs": 0}); lagging.MetadataLagMs != 0 {
		t.Errorf("metadata still lags by %v ms", lagging.MetadataLagMs)
	}

	eip := call[Address](s.lab, "POST", "/addresses", nil)
	eip = call[Address](s.lab, "POST", "/addresses/"+eip.AllocationID+"/associate", map[string]any{"networkInterfaceId": s.eni.ID})
	if got := call[NetworkInterface](s.lab, "GET", eni, nil).PrivateIPs[0].PublicIP; got != eip.PublicIP {
		t.Errorf("public address %q, want %q", got, eip.PublicIP)
	}
	if eip = call[Address](s.lab, "POST", "/addresses/"+eip.AllocationID+"/disassociate", nil); eip.AssociationID != "" {
		t.Errorf("address is still associated: %+v", eip)
	}
	call[struct{}](s.lab, "DELETE", "/addresses/"+eip.AllocationID, nil)

	call[struct{}](s.lab, "PUT", "/tags/"+s.eni.ID, map[string]any{"set": map[string]string{"k": "v"}})
	if got := call[NetworkInterface](s.lab, "GET", eni, nil).Tags["k"]; got != "v" {
		t.Errorf("tag %q", got)
	}

	i := call[Instance](s.lab, "POST", "/instances/"+s.one.ID+"/fail", nil)
	if i.Fault != "freeze" || i.FaultAt == nil {
		t.Errorf("failed instance: %+v", i)
	}
	if i = call[Instance](s.lab, "POST", "/instances/"+s.one.ID+"/recover", nil); i.Fault != "" {
		t.Errorf("recovered instance: %+v", i)
	}
	call[Instance](s.lab, "POST", "/instances/"+s.far.ID+"/stop", map[string]any{"force": true})
	s.settled(s.far.ID, "stopped")
	call[Instance](s.lab, "DELETE", "/instances/"+s.far.ID, nil)
	s.settled(s.far.ID, "terminated")
}

// The life of a host of the modelled internet.
func TestInternetHosts(t *testing.T) {
	l := newLab(t)
	h := call[InternetHost](l, "POST", "/internet-hosts", map[string]any{"name": "client", "address": "192.0.2.10",
		"serve": []map[string]any{{"protocol": "tcp", "port": 443}}})
	at := "/internet-hosts/" + h.ID
	if h.Name != "client" || h.Address != "192.0.2.10" || len(h.Serve) != 1 || h.Fault != "" || h.FaultAt != nil {
		t.Errorf("created %+v", h)
	}
	work := []map[string]any{{"name": "w", "kind": "ping", "target": "203.0.113.1", "rate": 1}}
	if got := call[InternetHost](l, "PUT", at+"/workloads", work); len(got.Workloads) != 1 {
		t.Errorf("workloads %+v", got.Workloads)
	}
	if got := call[InternetHost](l, "PUT", at+"/serve", []any{}); len(got.Serve) != 0 {
		t.Errorf("served ports %+v", got.Serve)
	}
	if got := call[InternetHost](l, "POST", at+"/fail", nil); got.Fault != "freeze" || got.FaultAt == nil {
		t.Errorf("failed %+v", got)
	}
	if got := call[InternetHost](l, "POST", at+"/recover", nil); got.Fault != "" || got.FaultAt != nil {
		t.Errorf("recovered %+v", got)
	}
	l.refused(http.StatusBadRequest, "InvalidParameterValue", "POST", "/internet-hosts", map[string]any{"name": "other", "address": "10.0.0.1"})
	l.refused(http.StatusBadRequest, "InvalidParameterValue", "POST", "/internet-hosts", map[string]any{"name": "other", "address": "192.0.2.10"})
	l.refused(http.StatusBadRequest, "InvalidParameterValue", "PUT", at+"/workloads", []map[string]any{{"name": "w", "kind": "ping", "target": "0.0.0.0", "rate": 1}})
	l.refused(http.StatusBadRequest, "", "PUT", at+"/workloads", []map[string]any{{"name": "w", "kind": "ping", "target": "nobody", "rate": 1}})
	if got := call[list[InternetHost]](l, "GET", "/internet-hosts", nil); len(got.Items) != 1 || got.Items[0].ID != h.ID {
		t.Errorf("listed %+v", got.Items)
	}
	call[struct{}](l, "DELETE", at, nil)
	l.refused(http.StatusNotFound, "", "GET", at, nil)
	l.refused(http.StatusNotFound, "InvalidInternetHostID.NotFound", "DELETE", at, nil)
}

func TestMove(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	move := "/network-interfaces/" + s.eni.ID + "/move"

	dry := call[Move](s.lab, "POST", move+"?dryRun=true", map[string]any{"instanceId": s.two.ID})
	if !dry.Allowed || *dry.DeviceIndex != 1 {
		t.Errorf("dry run: %+v", dry)
	}
	verdicts := call[Move](s.lab, "POST", move, map[string]any{"targets": []string{s.two.ID, s.far.ID, "i-none"}, "dryRun": true}).Items
	if len(verdicts) != 3 || !verdicts[0].Allowed || verdicts[1].Allowed || verdicts[1].Code == "" || verdicts[2].Allowed {
		t.Errorf("verdicts: %+v", verdicts)
	}
	if got := call[NetworkInterface](s.lab, "GET", "/network-interfaces/"+s.eni.ID, nil).Attachment.InstanceID; got != s.one.ID {
		t.Fatalf("a dry run moved the interface to %s", got)
	}

	done := call[Move](s.lab, "POST", move, map[string]any{"instanceId": s.two.ID})
	if done.NetworkInterface.Attachment.InstanceID != s.two.ID || done.FailoverID == "" || done.AttachedAt == "" {
		t.Errorf("move: %+v", done)
	}
	f := call[Failover](s.lab, "GET", "/failovers/"+done.FailoverID, nil)
	if f.State != "completed" || f.NetworkInterfaceID != s.eni.ID || f.OutageMs != nil {
		t.Errorf("record: %+v", f)
	}
	s.refused(http.StatusBadRequest, "", "POST", move, map[string]any{"targets": []string{s.one.ID}})
}

func TestPolicies(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	body := map[string]any{
		"networkInterfaceId": s.eni.ID, "standbys": []string{s.two.ID},
		"probe": map[string]any{"type": "icmp", "fromInterfaceId": s.primary(s.two), "intervalMs": 200, "timeoutMs": 150, "misses": 3},
	}
	p := call[FailoverPolicy](s.lab, "POST", "/failover-policies", body)
	if !p.Enabled || p.Status.State != "watching" || p.Probe.IntervalMs != 200 || p.Probe.Misses != 3 {
		t.Errorf("policy: %+v", p)
	}
	body["enabled"] = false
	if p = call[FailoverPolicy](s.lab, "PUT", "/failover-policies/"+p.ID, body); p.Enabled || p.Status.State != "disabled" {
		t.Errorf("policy: %+v", p)
	}
	call[struct{}](s.lab, "DELETE", "/failover-policies/"+p.ID, nil)
	s.refused(http.StatusNotFound, "InvalidFailoverPolicyID.NotFound", "DELETE", "/failover-policies/"+p.ID, nil)
}

func TestListsPage(t *testing.T) {
	s := newSite(t)
	seen := map[string]bool{}
	token, pages := "", 0
	for {
		page := call[list[Instance]](s.lab, "GET", "/instances?limit=2&nextToken="+token, nil)
		for _, i := range page.Items {
			if seen[i.ID] {
				t.Errorf("%s is listed twice", i.ID)
			}
			seen[i.ID] = true
		}
		pages++
		if token = page.NextToken; token == "" {
			break
		}
	}
	if len(seen) != 3 || pages != 2 {
		t.Errorf("%d instances on %d pages", len(seen), pages)
	}
	s.refused(http.StatusBadRequest, "InvalidNextToken", "GET", "/instances?nextToken=nobody", nil)
}

func TestEvents(t *testing.T) {
	s := newSite(t)
	all := call[Events](s.lab, "GET", "/events?limit=1000", nil)
	if len(all.Items) == 0 || all.Oldest != 1 || all.Items[0].Seq != 1 {
		t.Fatalf("events: %+v", all)
	}
	last := all.Items[len(all.Items)-1].Seq
	if rest := call[Events](s.lab, "GET", fmt.Sprintf("/events?after=%d", last-1), nil); len(rest.Items) == 0 || rest.Items[0].Seq != last {
		t.Errorf("events after %d: %+v", last-1, rest)
	}
	// It names the newest event that the stream knows of, which follows the log.
	deadline := time.Now().Add(patience)
	for call[Topology](s.lab, "GET", "/topology", nil).EventSeq < last {
		if time.Now().After(deadline) {
			t.Fatalf("topology does not reach event %d of the log within %s", last, patience)
		}
	}
}
