package ec2

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"enilab/internal/api/ec2/query"
)

// bombs make a request of every size that is too much in one way.
func bombs(vpc string) map[string]string {
	tags := func(n int) string {
		var b strings.Builder
		b.WriteString("Action=CreateTags&ResourceId.1=" + vpc)
		for i := 1; i <= n; i++ {
			fmt.Fprintf(&b, "&Tag.%d.Key=k%d&Tag.%d.Value=", i, i, i)
		}
		return b.String()
	}
	return map[string]string{
		"51 tags": tags(51), "1,000 tags": tags(1000), "more tags than a list has": tags(1001), "6,000 tags": tags(6000),
		"a key of 129":         "Action=CreateTags&ResourceId.1=" + vpc + "&Tag.1.Key=" + strings.Repeat("k", 129),
		"a value of 257":       "Action=CreateTags&ResourceId.1=" + vpc + "&Tag.1.Key=k&Tag.1.Value=" + strings.Repeat("é", 257),
		"a key of half a MiB":  "Action=CreateTags&ResourceId.1=" + vpc + "&Tag.1.Key=" + strings.Repeat("k", 1<<19),
		"a CIDR of half a MiB": "Action=CreateVpc&CidrBlock=" + strings.Repeat("1", 1<<19),
		"an index of 1,001":    "Action=DescribeVpcs&VpcId.1001=x",
		"a deep name":          "Action=CreateVpc&CidrBlock" + strings.Repeat(".1", 5000) + "=x",
		"a huge index":         "Action=CreateTags&ResourceId.99999999999999999999=" + vpc,
	}
}

// Whatever is too much is refused with a short answer, and nothing is stored.
func TestBombsStoreNothing(t *testing.T) {
	l := newLab(t)
	vpc := l.world().vpc
	before := l.svc.State().Revision()
	for name, body := range bombs(vpc) {
		r := l.post(body)
		if r.status != http.StatusBadRequest || r.code() == "-" || len(r.raw) > 2000 {
			t.Errorf("%s: %d, %d bytes, %s", name, r.status, len(r.raw), r.code())
		}
	}
	if after := l.svc.State().Revision(); after != before {
		t.Errorf("revision %d became %d", before, after)
	}
	// A million tags do not fit a request.
	var b strings.Builder
	b.WriteString("Action=CreateTags&ResourceId.1=" + vpc)
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "&Tag.%d.Key=%d", i, i)
	}
	if _, err := query.Parse(b.String()); err == nil {
		t.Error("a million tags were read")
	}
}

// What XML would take for markup comes back as it was sent, wherever it was
// sent and whether it is refused or stored.
func TestMarkupStaysText(t *testing.T) {
	l := newLab(t)
	w := l.world()
	const nasty = "</item>&lt;<![CDATA[x]]>\"'é\t\n<!-- -->"
	r := l.must("CreateNetworkInterface", "SubnetId="+w.subnet, "Description="+nasty, "TagSpecification.1.ResourceType=network-interface",
		"TagSpecification.1.Tag.1.Key="+nasty, "TagSpecification.1.Tag.1.Value="+nasty)
	for _, path := range []string{"networkInterface.description", "networkInterface.tagSet.1.key", "networkInterface.tagSet.1.value"} {
		if got := r.text(path); got != nasty {
			t.Errorf("%s came back as %q", path, got)
		}
	}
	// As any parameter of any action: an answer that XML can read, or none at
	// all for what is no text.
	for _, action := range slices.Sorted(maps.Keys(handlers)) {
		for _, name := range handlers[action].honours {
			name, _, _ = strings.Cut(name, "=")
			for _, suffix := range []string{"", ".1", ".1.Key", ".1.Name", ".Value"} {
				body := "Action=" + action + "&" + url.QueryEscape(name+suffix) + "="
				if r := l.post(body + url.QueryEscape(nasty)); r.status >= http.StatusInternalServerError {
					t.Errorf("%s %s%s: %d %s", action, name, suffix, r.status, r.raw)
				}
				if r := l.post(body + "%ff"); r.code() != "InvalidCharacter" {
					t.Errorf("%s %s%s took what is not UTF-8: %s", action, name, suffix, r.raw)
				}
			}
		}
	}
}
