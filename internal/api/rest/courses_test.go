package rest

import (
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/failover"
)

// TestCourse: what is known of a move's time is told with nulls where nothing was
// seen, and what is not known says why.
func TestCourse(t *testing.T) {
	var known string
	l := newLab(t, func(o *Options) {
		o.Course = func(id string) (failover.Course, bool) {
			return failover.Course{From: 5, Width: int64(100 * time.Millisecond), Bins: []failover.CourseBin{
				{Sent: 2, Answered: 2, P50: int64(time.Millisecond), P99: int64(2 * time.Millisecond), Open: 8}, {Sent: 3, Lost: 3, Open: -1},
			}}, id == known
		}
	})
	var ids []string
	for range 2 {
		f, err := l.svc.PutFailover(t.Context(), control.Failover{Kind: control.KindMove, State: control.FailoverCompleted, StartedAt: 1, EndedAt: 2})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, f.ID)
	}
	known = ids[0]
	want := `{"from":"5","binMs":100,"sent":[2,3],"answered":[2,0],"lost":[0,3],"rttP50Ms":[1,null],"rttP99Ms":[2,null],"open":[8,null]}`
	if r := l.send("GET", base+"/failovers/"+known+"/course", nil); r.status != 200 || strings.TrimSpace(string(r.body)) != want {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := l.send("GET", base+"/failovers/"+ids[1]+"/course", nil); r.status != 404 || !strings.Contains(string(r.body), "not known") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := l.send("GET", base+"/failovers/fo-x/course", nil); r.status != 404 || !strings.Contains(string(r.body), "failover record") {
		t.Errorf("%d %s", r.status, r.body)
	}
}
