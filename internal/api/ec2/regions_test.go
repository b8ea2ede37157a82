package ec2

import (
	"slices"
	"strings"
	"testing"

	"enilab/internal/control"
)

// scope is an Authorization header that tells region and service. Where no keys
// are configured the rest of it is of no value.
func scope(region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=any/20260101/" + region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=" +
		strings.Repeat("0", 64)
}

// in performs an action in a region.
func (l *lab) in(region, action string, params ...string) *reply {
	l.t.Helper()
	return l.post(form(action, params...).Encode(), "Authorization", scope(region, "ec2"), "X-Amz-Date", "20260101T000000Z")
}

// An account sees the regions of its own partition only.
func TestRegionsOfThePartition(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct {
		region string
		want   []string // nil: all that begin with none of the others' prefixes
	}{
		{"us-east-1", nil},
		{"cn-north-1", []string{"cn-north-1", "cn-northwest-1"}},
		{"us-gov-west-1", []string{"us-gov-east-1", "us-gov-west-1"}},
	} {
		for _, all := range []string{"true", "false"} {
			r := l.in(tt.region, "DescribeRegions", "AllRegions="+all)
			var got []string
			for i := range r.at("regionInfo").Children {
				got = append(got, r.at("regionInfo").Children[i].text("regionName"))
			}
			slices.Sort(got)
			if tt.want != nil && !slices.Equal(got, tt.want) {
				t.Errorf("in %s: %v, want %v", tt.region, got, tt.want)
			}
			if tt.want == nil && (len(got) < 15 || slices.ContainsFunc(got, func(s string) bool { return control.Partition(s) != "aws" })) {
				t.Errorf("in %s: %v", tt.region, got)
			}
		}
		// Those that AWS launched since March 2019 have to be enabled (AWS Account
		// Management Reference Guide, "Enable or disable AWS Regions").
		for status, some := range map[string][]string{
			"opt-in-not-required": {"us-east-1", "eu-north-1", "ap-northeast-3", "ca-central-1"},
			"opted-in":            {"af-south-1", "ap-southeast-3", "eu-south-1", "ap-east-1", "me-south-1", "mx-central-1"},
		} {
			r := l.in(tt.region, "DescribeRegions", "Filter.1.Name=opt-in-status", "Filter.1.Value.1="+status)
			for _, name := range some {
				if tt.want == nil && strings.Count(string(r.raw), "<regionName>"+name+"</regionName>") != 1 {
					t.Errorf("%s is not %s", name, status)
				}
			}
			if tt.want != nil && (r.count("regionInfo") == len(tt.want)) != (status == "opt-in-not-required") {
				t.Errorf("in %s: %s: %s", tt.region, status, r.raw)
			}
		}
		elsewhere := "cn-north-1"
		if tt.region == elsewhere {
			elsewhere = "us-east-1"
		}
		if r := l.in(tt.region, "DescribeRegions", "RegionName.1="+elsewhere); r.code() != "InvalidParameterValue" {
			t.Errorf("%s in %s: %s", elsewhere, tt.region, r.raw)
		}
	}
}
