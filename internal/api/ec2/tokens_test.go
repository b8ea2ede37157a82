package ec2

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"enilab/internal/control"
)

// forget makes of what a request was answered what a server leaves that ends
// between the commit and the answer.
func (l *lab) forget(action, token string) {
	l.t.Helper()
	svc := l.svc.In("us-east-1").Remembering(control.ClientToken{Action: action, Token: token})
	if err := svc.Answered(l.t.Context(), ""); err != nil {
		l.t.Fatal(err)
	}
	if r := l.svc.State().ClientToken("us-east-1", action, token); r == nil || r.Answer != "" {
		l.t.Fatalf("%s: remembered is %+v", action, r)
	}
	l.api.tokens.mu.Lock() // a handler may still be on its way out
	clear(l.api.tokens.byKey)
	l.api.tokens.mu.Unlock()
}

// ids are those that an answer names, sorted.
func ids(raw string) []string {
	found := regexp.MustCompile(`\b[a-z]+(?:-attach)?-[0-9a-f]{17}\b`).FindAllString(raw, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// A request whose answer was lost with the server is answered from what it has
// made, and nothing is made again.
func TestARetryIsAnsweredFromWhatTheCommitMade(t *testing.T) {
	l := newLab(t)
	w := l.world()
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	image := "ImageId=ami-0123456789abcdef0"
	for n, tt := range []struct {
		action string
		params []string
	}{
		{"RunInstances", []string{image, "MinCount=2", "MaxCount=3", "SubnetId=" + w.subnet}},
		{"RunInstances", []string{image, "MinCount=1", "MaxCount=1", "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.NetworkInterfaceId=" + eni}},
		{"CreateNetworkInterface", []string{"SubnetId=" + w.subnet, "PrivateIpAddress=10.0.1.77"}},
		{"CreateNatGateway", []string{"SubnetId=" + w.subnet, "ConnectivityType=private"}},
		{"CreateRouteTable", []string{"VpcId=" + w.vpc}},
		{"CreateNetworkAcl", []string{"VpcId=" + w.vpc}},
		{"CreateEgressOnlyInternetGateway", []string{"VpcId=" + w.vpc}},
		{"CreateManagedPrefixList", []string{"PrefixListName=office", "AddressFamily=IPv4", "MaxEntries=2"}},
		{"CreateLaunchTemplate", []string{"LaunchTemplateName=kept", "LaunchTemplateData.InstanceType=t3.micro"}},
		{"CreateLaunchTemplateVersion", []string{"LaunchTemplateName=kept", "LaunchTemplateData.InstanceType=t3.small"}},
		{"ModifyLaunchTemplate", []string{"LaunchTemplateName=kept", "SetDefaultVersion=2"}},
		{"CreateVolume", []string{"AvailabilityZone=us-east-1a", "Size=1"}},
		{"CreateVpcEndpoint", []string{"VpcId=" + w.vpc, "ServiceName=com.amazonaws.us-east-1.s3"}},
		{"CreateFlowLogs", []string{"ResourceType=Subnet", "ResourceId.1=" + w.subnet, "TrafficType=ALL", "LogDestinationType=s3", "LogDestination=arn:aws:s3:::bucket"}},
	} {
		token := fmt.Sprint("lost-", n)
		params := append(tt.params, "ClientToken="+token)
		first := l.must(tt.action, params...)
		before := l.svc.State()
		l.forget(tt.action, token)
		second := l.must(tt.action, params...)
		if a, b := ids(string(first.raw)), ids(string(second.raw)); !slices.Equal(a, b) || len(a) == 0 {
			t.Errorf("%s was answered with %v, then with %v", tt.action, a, b)
		}
		third := l.must(tt.action, params...)
		if a, b := ids(string(second.raw)), ids(string(third.raw)); !slices.Equal(a, b) {
			t.Errorf("%s: kept is %v, not %v", tt.action, b, a)
		}
		for _, k := range control.Kinds() {
			if a, b := len(k.Rows(before)), len(k.Rows(l.svc.State())); a != b {
				t.Errorf("%s: %d rows of %s, had %d", tt.action, b, k.Table, a)
			}
		}
		l.forget(tt.action, token)
		l.refused("IdempotentParameterMismatch", tt.action, append(params[:len(params):len(params)], "DryRun=false")...)
	}
}

// A request of several commands goes on behind the last that was carried out,
// and what was refused in between is asked for again.
func TestARetryGoesOnWhereTheRequestEnded(t *testing.T) {
	l := newLab(t)
	w := l.world()
	other := l.must("CreateSubnet", "VpcId="+w.vpc, "CidrBlock=10.0.9.0/24").text("subnet.subnetId")
	logs := func(more ...string) []string {
		return append([]string{"ResourceType=Subnet", "TrafficType=ALL", "LogDestinationType=s3", "LogDestination=arn:aws:s3:::bucket"}, more...)
	}
	l.must("CreateFlowLogs", logs("ResourceId.1="+w.subnet)...) // so that the same is refused
	params := logs("ResourceId.1="+w.subnet, "ResourceId.2="+other, "ResourceId.3="+w.subnet, "ClientToken=three")
	first := l.must("CreateFlowLogs", params...)
	if first.count("flowLogIdSet") != 1 || first.count("unsuccessful") != 2 {
		t.Fatalf("made %s", first.raw)
	}
	l.forget("CreateFlowLogs", "three")
	second := l.must("CreateFlowLogs", params...)
	body := func(r *reply) string { _, s, _ := strings.Cut(string(r.raw), "</requestId>"); return s }
	if body(first) != body(second) {
		t.Errorf("answered\n%s\nthen\n%s", first.raw, second.raw)
	}
	if n := len(l.svc.State().FlowLogs()); n != 2 {
		t.Errorf("%d flow logs", n)
	}
}

// What is gone cannot be shown; it is not made again either.
func TestARetryForWhatIsGone(t *testing.T) {
	l := newLab(t)
	w := l.world()
	params := []string{"VpcId=" + w.vpc, "ClientToken=gone"}
	id := l.must("CreateRouteTable", params...).text("routeTable.routeTableId")
	l.must("DeleteRouteTable", "RouteTableId="+id)
	l.forget("CreateRouteTable", "gone")
	had := len(l.svc.State().RouteTables())
	if r := l.refused("IncorrectState", "CreateRouteTable", params...); !strings.Contains(r.message(), id) {
		t.Errorf("said %s", r.message())
	}
	if n := len(l.svc.State().RouteTables()); n != had {
		t.Errorf("%d route tables, had %d", n, had)
	}
}
