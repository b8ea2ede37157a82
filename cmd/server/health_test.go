package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthCommand(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			t.Errorf("it asked for %s", r.URL.Path)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "a word\n")
	}))
	ask := func() (string, error) {
		var out strings.Builder
		err := run(t.Context(), []string{"health", "--endpoint", s.URL + "/"}, &out)
		return out.String(), err
	}
	if out, err := ask(); err != nil || out != "a word\n" {
		t.Errorf("of a ready one: %q, %v", out, err)
	}
	status = http.StatusServiceUnavailable
	if out, err := ask(); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable: a word") || out != "" {
		t.Errorf("of one that is starting: %q, %v", out, err)
	}
	s.Close()
	if _, err := ask(); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("of none: %v", err)
	}
}
