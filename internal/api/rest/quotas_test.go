package rest

import (
	"strings"
	"testing"

	"enilab/internal/control"
)

func mostOf(t *testing.T, q Quotas, resource string) *int {
	t.Helper()
	for _, one := range q.Items {
		if one.Resource == resource {
			return one.Most
		}
	}
	t.Fatalf("no quota of %s in %+v", resource, q)
	return nil
}

func TestQuotasChangeAtRunTime(t *testing.T) {
	l := newLab(t)
	if q := call[Quotas](l, "GET", "/quotas", nil); q.Preset != "none" || len(q.Items) != len(control.QuotasAWS) || mostOf(t, q, "vpcs") != nil {
		t.Errorf("at first %+v", q)
	}
	q := call[Quotas](l, "PUT", "/quotas", map[string]any{"preset": "aws", "limits": map[string]any{"vpcs": 1, "addresses": nil}})
	if most := mostOf(t, q, "vpcs"); most == nil || *most != 1 {
		t.Errorf("VPCs: %v", most)
	}
	if mostOf(t, q, "addresses") != nil || *mostOf(t, q, "subnets") != 200 {
		t.Errorf("others: %+v", q)
	}
	call[VPC](l, "POST", "/vpcs", map[string]any{"cidr": "10.0.0.0/16"})
	l.refused(409, "VpcLimitExceeded", "POST", "/vpcs", map[string]any{"cidr": "10.1.0.0/16"})
	// What is refused changes nothing, nor does a part of it.
	l.refused(422, "", "PUT", "/quotas", map[string]any{"preset": "none", "limits": map[string]any{"towers": 1}})
	l.refused(422, "", "PUT", "/quotas", map[string]any{"limits": map[string]any{"vpcs": -1}})
	l.refused(409, "VpcLimitExceeded", "POST", "/vpcs", map[string]any{"cidr": "10.1.0.0/16"})
	if q = call[Quotas](l, "DELETE", "/quotas", nil); mostOf(t, q, "vpcs") != nil {
		t.Errorf("back at the start: %+v", q)
	}
	call[VPC](l, "POST", "/vpcs", map[string]any{"cidr": "10.1.0.0/16"})
	if q.Preset != "none" || l.svc.State().Quotas() != nil {
		t.Errorf("left %+v", l.svc.State().Quotas())
	}
}

func TestTimingPresetAtRunTime(t *testing.T) {
	l := newLab(t)
	got := call[Timings](l, "PUT", "/timings", map[string]any{"preset": "aws", "announceMoves": true})
	if !got.StaleAfterForce || !got.AnnounceMoves || got.Operations[0].MedianMs != 5000 {
		t.Errorf("as aws: %+v", got)
	}
	got = call[Timings](l, "PUT", "/timings", map[string]any{"preset": "fast"})
	if got.StaleAfterForce || !got.AnnounceMoves || got.Operations[0].MedianMs != 20 {
		t.Errorf("as fast: %+v", got)
	}
	l.refused(422, "", "PUT", "/timings", map[string]any{"preset": "slow"})
}

func TestDocuments(t *testing.T) {
	l := newLab(t)
	if d := call[Document](l, "GET", "/documents/differences", nil); !strings.HasPrefix(d.Markdown, "# Where the laboratory differs from AWS") {
		t.Errorf("got %.80q", d.Markdown)
	}
	l.refused(404, "", "GET", "/documents/secrets", nil)
}
