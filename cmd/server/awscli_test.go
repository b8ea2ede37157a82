package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// awsCLI runs the unmodified AWS CLI against a server.
type awsCLI struct{ bin, url string }

// ec2 returns what a command prints, and the error that it shows, if any.
func (a awsCLI) ec2(args ...string) (out, refusal string) {
	cmd := exec.Command(a.bin, append([]string{"--endpoint-url", a.url, "--output", "json", "ec2"}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", stderr.String() + err.Error()
	}
	return stdout.String(), ""
}

// TestTheAWSCLIMovesTheInterface is the seed's story as a failover script
// would do it: EC2-1's eth1 goes to EC2-2, and what EC2 refuses is refused.
func TestTheAWSCLIMovesTheInterface(t *testing.T) {
	bin, ok := tool(t, "aws")
	if !ok {
		return
	}
	p := start(t, nil, serveArgs(t.TempDir(), "--scenario", "demo")...)
	cli := awsCLI{bin, p.url}
	must := func(args ...string) string {
		t.Helper()
		out, refusal := cli.ec2(args...)
		if refusal != "" {
			t.Fatalf("aws ec2 %s: %s", strings.Join(args, " "), refusal)
		}
		return out
	}
	refused := func(code string, args ...string) {
		t.Helper()
		if _, refusal := cli.ec2(args...); !strings.Contains(refusal, "("+code+")") {
			t.Errorf("aws ec2 %s: %q, want %s", strings.Join(args, " "), refusal, code)
		}
	}
	one := func(query string, args ...string) (s string) {
		t.Helper()
		decode(t, must(append(args, "--query", query)...), &s)
		return s
	}
	instance := func(name string) string {
		t.Helper()
		return one("Reservations[0].Instances[0].InstanceId", "describe-instances", "--filters", "Name=tag:Name,Values="+name)
	}
	byAddress := []string{"describe-network-interfaces", "--filters", "Name=addresses.private-ip-address,Values=192.168.0.42"}
	eni := one("NetworkInterfaces[0].NetworkInterfaceId", byAddress...)
	mac := one("NetworkInterfaces[0].MacAddress", byAddress...)
	attachment := one("NetworkInterfaces[0].Attachment.AttachmentId", byAddress...)
	primary := one("NetworkInterfaces[0].Attachment.AttachmentId", "describe-network-interfaces", "--filters",
		"Name=attachment.instance-id,Values="+instance("EC2-1"), "Name=attachment.device-index,Values=0")

	refused("OperationNotPermitted", "detach-network-interface", "--attachment-id", primary)
	refused("InvalidParameterValue", "delete-network-interface", "--network-interface-id", eni)
	must("detach-network-interface", "--attachment-id", attachment, "--force")
	must("wait", "network-interface-available", "--network-interface-ids", eni)
	refused("InvalidParameterCombination", "attach-network-interface", "--network-interface-id", eni,
		"--instance-id", instance("EC2-3"), "--device-index", "1")
	must("attach-network-interface", "--network-interface-id", eni, "--instance-id", instance("EC2-2"), "--device-index", "1")
	if got := one("NetworkInterfaces[0].Attachment.InstanceId", byAddress...); got != instance("EC2-2") {
		t.Errorf("the interface is with %s", got)
	}
	if got := one("NetworkInterfaces[0].MacAddress", byAddress...); got != mac {
		t.Errorf("MAC %s became %s", mac, got)
	}
	var all struct{ Items []json.RawMessage }
	decode(t, get(t, p.url+"/api/v1/failovers"), &all)
	if len(all.Items) != 1 {
		t.Errorf("%d records of one move by two calls", len(all.Items))
	}
}
