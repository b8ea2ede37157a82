package enilabtest_test

import (
	"testing"
	"time"

	"enilab/clients/go/enilabtest"
)

// TestFailover is what docs/clients.md shows.
func TestFailover(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t, enilabtest.Scenario("demo"))
	lab.WaitForReplies("client", "requests", "EC2-1")

	lab.Fail("EC2-1", enilabtest.Freeze) // the policy of the scenario notices
	lab.WaitForReplies("client", "requests", "EC2-2")

	if r := lab.Record("eth1"); r.To != "EC2-2" || r.Outage > 3*time.Second {
		t.Errorf("moved to %s, and no answer for %v", r.To, r.Outage)
	}
	lab.Assert(
		"outage: {client: client, workload: requests, max: 3s}",
		"unchanged: [ip, mac, groups, eni]",
		"connections: {reset: all}",
	)
}
