package rest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"enilab/internal/snapshot"
)

// fullSource copies nothing.
type fullSource struct{ err error }

func (s fullSource) Copy(_ context.Context, path string) (uint64, error) {
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		return 0, err
	}
	return 7, s.err
}

// A disk without room is said as that, and leaves nothing; a restore ends faults
// only once the laboratory is back.
func TestSnapshotsThatFail(t *testing.T) {
	src := &fullSource{fmt.Errorf("copying to x: %w", syscall.ENOSPC)}
	set, err := snapshot.Open(t.TempDir(), src, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var refusal error
	l := newLab(t, func(o *Options) {
		o.Snapshots = set
		o.Restore = func(_ context.Context, _ string, forget func() error) error {
			if refusal != nil {
				return refusal
			}
			return forget()
		}
	})
	if r := l.send("POST", base+"/snapshots", map[string]any{"name": "a"}); r.status != 507 || !strings.Contains(string(r.body), "no space left") {
		t.Errorf("on a full disk: %d %s", r.status, r.body)
	}
	if r := l.send("GET", base+"/snapshots", nil); r.status != 200 || !strings.Contains(string(r.body), `"items":[]`) {
		t.Errorf("after that: %d %s", r.status, r.body)
	}
	src.err = nil
	if r := l.send("POST", base+"/snapshots", map[string]any{"name": "a", "description": "d"}); r.status != 201 || !strings.Contains(string(r.body), `"revision":7,"bytes":4`) {
		t.Errorf("with room: %d %s", r.status, r.body)
	}
	if r := l.send("GET", base+"/snapshots/a/database", nil); r.status != 200 || string(r.body) != "half" || r.header.Get("Content-Type") != mediaDatabase {
		t.Errorf("download: %d %v %s", r.status, r.header, r.body)
	}
	fault := map[string]any{"api": "admin", "operation": "post-vpcs", "kind": "fail", "code": "InternalError"}
	if r := l.send("POST", base+"/api-faults", fault); r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	for _, c := range []struct {
		refusal error
		status  int
		faults  bool
	}{{errors.New("it is damaged"), 500, true}, {nil, 204, false}} {
		refusal = c.refusal
		if r := l.send("POST", base+"/snapshots/a/restore", nil); r.status != c.status {
			t.Errorf("restore with %v: %d %s", c.refusal, r.status, r.body)
		}
		if r := l.send("GET", base+"/api-faults", nil); strings.Contains(string(r.body), `"items":[]`) == c.faults {
			t.Errorf("after a restore with %v the faults are %s", c.refusal, r.body)
		}
	}
}
