package rest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestWithoutRehearsals: a server that carries out no drills says so.
func TestWithoutRehearsals(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		says         string
	}{
		{"POST", "/rehearsals", map[string]any{"name": "a", "text": "description: a", "timing": "fast"}, 501, "this server carries out no drills"},
		{"POST", "/rehearsals", map[string]any{"name": "a", "text": "description: a", "timing": "slow"}, 422, "timing"},
		{"POST", "/rehearsals", map[string]any{"timing": "fast"}, 422, "name"},
		{"GET", "/rehearsals/re-1?wait=1", nil, 404, "re-1"},
		{"GET", "/rehearsals/re-1?wait=100", nil, 422, "wait"},
		{"GET", "/rehearsals/re-1/pcapng", nil, 404, "re-1"},
		{"DELETE", "/rehearsals/re-1", nil, 404, "re-1"},
	} {
		if r := l.send(c.method, base+c.path, c.body); r.status != c.status || !strings.Contains(string(r.body), c.says) {
			t.Errorf("%s %s: %d %s, want %d with %q", c.method, c.path, r.status, r.body, c.status, c.says)
		}
	}
	var p *Problem
	if err := Refused(http.StatusConflict, "no"); !errors.As(err, &p) || p.Status != 409 || problem(err) != err {
		t.Errorf("a refusal is %v", err)
	}
}
