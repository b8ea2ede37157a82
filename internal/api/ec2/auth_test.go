package ec2

import (
	"net/http"
	"strings"
	"testing"
)

// Where no keys are configured nothing is verified, but a request acts in the
// region that its signature names or not at all.
func TestSignaturesThatAreNotVerifiedTellTheRegion(t *testing.T) {
	l := newLab(t)
	const there = "AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/ec2/aws4_request"
	const noDate = ""
	for _, tt := range []struct{ name, auth, date, region, code string }{
		{"none at all", "", noDate, "us-east-1", ""},
		{"the server's own token", "Bearer 0123456789abcdef", noDate, "us-east-1", ""},
		{"whole", scope("eu-west-1", "ec2"), "20260101T000000Z", "eu-west-1", ""},
		{"no date", scope("eu-west-1", "ec2"), noDate, "eu-west-1", ""},
		{"a bad date", scope("eu-west-1", "ec2"), "yesterday", "eu-west-1", ""},
		{"the scope alone", there, noDate, "eu-west-1", ""},
		{"a signature that is none", there + ", SignedHeaders=host, Signature=junk", "20260101T000000Z", "eu-west-1", ""},
		{"no signed headers", there + ", Signature=00", "20260101T000000Z", "eu-west-1", ""},
		{"an unknown region", scope("mars-north-1", "ec2"), "20260101T000000Z", "", "AuthFailure"},
		{"an unknown region and no date", scope("mars-north-1", "ec2"), noDate, "", "AuthFailure"},
		{"no scope", "AWS4-HMAC-SHA256 Credential=junk, SignedHeaders=host, Signature=00", noDate, "", "IncompleteSignature"},
		{"a scope without its end", "AWS4-HMAC-SHA256 Credential=any/20260101/eu-west-1/ec2", noDate, "", "IncompleteSignature"},
		{"a scope without a region", scope("", "ec2"), "20260101T000000Z", "", "IncompleteSignature"},
		{"no credential", "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00", "20260101T000000Z", "", "IncompleteSignature"},
		{"nothing after the scheme", "AWS4-HMAC-SHA256", noDate, "", "IncompleteSignature"},
	} {
		var headers []string
		if tt.auth != "" {
			headers = append(headers, "Authorization", tt.auth)
		}
		if tt.date != noDate {
			headers = append(headers, "X-Amz-Date", tt.date)
		}
		r := l.post(form("DescribeAvailabilityZones").Encode(), headers...)
		if got := r.text("availabilityZoneInfo.1.regionName"); tt.code == "" && got != tt.region {
			t.Errorf("%s: %d in %s, want %s: %s", tt.name, r.status, got, tt.region, r.raw)
		}
		if tt.code != "" && r.code() != tt.code {
			t.Errorf("%s: %d %s, want %s", tt.name, r.status, r.raw, tt.code)
		}
	}
}

// The same holds for what stands in the query of a presigned request.
func TestPresignedScopesTellTheRegion(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct{ name, credential, want string }{
		{"a scope", "any/20260101/eu-west-1/ec2/aws4_request", "<regionName>eu-west-1<"},
		{"none", "junk", "<Code>IncompleteSignature<"},
	} {
		// No X-Amz-Expires: the rest is incomplete.
		_, text, _ := l.raw(http.MethodGet, "/?"+form("DescribeAvailabilityZones", "X-Amz-Algorithm=AWS4-HMAC-SHA256",
			"X-Amz-Credential="+tt.credential).Encode(), "")
		if !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, text, tt.want)
		}
	}
}

// Where keys are configured a signature must be whole.
func TestIncompleteSignaturesDoNotOpenALabWithKeys(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Keys = map[string]string{"any": "secret"} })
	for _, tt := range []struct{ name, auth, code string }{
		{"none", "", "MissingAuthenticationToken"},
		{"another scheme", "Bearer 0123456789abcdef", "IncompleteSignature"},
		{"no scope", "AWS4-HMAC-SHA256 Credential=junk", "IncompleteSignature"},
		{"the scope alone", "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/ec2/aws4_request", "IncompleteSignature"},
		{"no date", scope("us-east-1", "ec2"), "IncompleteSignature"},
	} {
		r := l.post(form("DescribeVpcs").Encode(), "Authorization", tt.auth)
		if r.code() != tt.code {
			t.Errorf("%s: %d %s, want %s", tt.name, r.status, r.raw, tt.code)
		}
	}
}
