package ec2

import (
	"net/http"
	"testing"
)

// A page goes on where it began: in its region, by its question.
func TestATokenOfAPageFitsNoOtherQuestion(t *testing.T) {
	l := newLab(t)
	token := l.in("us-east-1", "DescribeSubnets", "MaxResults=5").text("nextToken")
	if token == "-" {
		t.Fatal("the default VPC's subnets fill one page")
	}
	for _, tt := range []struct {
		name, region, action string
		params               []string
		code                 string
	}{
		{"the same", "us-east-1", "DescribeSubnets", nil, ""},
		{"the same with another size", "us-east-1", "DescribeSubnets", []string{"MaxResults=6"}, ""},
		{"another region", "eu-west-1", "DescribeSubnets", nil, "InvalidNextToken"},
		{"another action", "us-east-1", "DescribeVpcs", nil, "InvalidNextToken"},
		{"another filter", "us-east-1", "DescribeSubnets", []string{"Filter.1.Name=state", "Filter.1.Value.1=available"}, "InvalidNextToken"},
	} {
		r := l.in(tt.region, tt.action, append(tt.params, "NextToken="+token)...)
		if tt.code == "" && r.status != http.StatusOK || tt.code != "" && r.code() != tt.code {
			t.Errorf("%s: %d %s, want %q", tt.name, r.status, r.raw, tt.code)
		}
	}
}
