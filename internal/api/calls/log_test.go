package calls

import (
	"fmt"
	"strings"
	"testing"
)

func TestLogForgetsReadsAlone(t *testing.T) {
	var l Log
	l.Add(Call{Action: "CreateVpc"})
	l.Add(Call{Action: "DescribeVpcs", Read: true, Status: 400})
	for i := range 5000 {
		l.Add(Call{Action: fmt.Sprint("Describe", i), Read: true, Status: 200, From: strings.Repeat("x", 1000)})
	}
	got := l.Since(0, false, 10)
	if len(got) != 2 || got[0].Action != "DescribeVpcs" || got[1].Action != "CreateVpc" {
		t.Errorf("changes and refusals are %v, want both, newest first", got)
	}
	got = l.Since(0, true, 10_000)
	if len(got) != keepReads+2 || got[0].Action != "Describe4999" || len(got[0].From) != maxFrom {
		t.Errorf("%d calls, the newest %q from %d bytes; want %d, Describe4999, %d", len(got), got[0].Action, len(got[0].From), keepReads+2, maxFrom)
	}
	if got = l.Since(got[2].Seq, true, 10); len(got) != 2 {
		t.Errorf("after the third newest there are %d, want 2", len(got))
	}
	for range 5000 {
		l.Add(Call{Action: "CreateSubnet"})
	}
	if got := l.Since(0, true, 10_000); len(got) != keepChanges+keepReads {
		t.Errorf("%d are kept, want %d", len(got), keepChanges+keepReads)
	}
	(*Log)(nil).Add(Call{})
}

func TestLines(t *testing.T) {
	type permission struct {
		FromPort   *int
		IpProtocol *string
		IpRanges   []struct{ CidrIp *string }
	}
	type request struct {
		DryRun        *bool
		Egress        *bool
		GroupIds      []string
		IpPermissions []permission
		MinCount      *int
		MaxCount      *int
		Name          *string
	}
	in := request{
		DryRun: new(true), Egress: new(false), GroupIds: []string{"sg-1", "sg 2"}, Name: new("it's"), MaxCount: new(2), MinCount: new(2),
		IpPermissions: []permission{{FromPort: new(80), IpProtocol: new("tcp"), IpRanges: []struct{ CidrIp *string }{{new("10.0.0.0/8")}}}},
	}
	want := `aws ec2 run-instances --dry-run --ingress --group-ids sg-1 'sg 2' ` +
		`--ip-permissions '[{"FromPort":80,"IpProtocol":"tcp","IpRanges":[{"CidrIp":"10.0.0.0/8"}]}]' --count 2 --name 'it'\''s' ` +
		`--region us-east-1 --endpoint-url http://localhost:4566`
	if got := AWS("http://localhost:4566", "us-east-1", "RunInstances", &in); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, c := range [][4]string{
		{"GET", "/a?b=c&d", "", "curl 'http://h/a?b=c&d'"},
		{"POST", "/a", "", "curl -X POST http://h/a"},
		{"POST", "/a", "{}", "curl http://h/a -H 'content-type: application/json' -d '{}'"},
		{"DELETE", "/a", "", "curl -X DELETE http://h/a"},
	} {
		if got := Curl("http://h", c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%v: got %s", c[:3], got)
		}
	}
}
