package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestTroubleIsToldWhenItBeginsAndWhenItEnds(t *testing.T) {
	var said bytes.Buffer
	tr := trouble{log: slog.New(slog.NewTextHandler(&said, nil))}
	full := errors.New("full")
	for _, err := range []error{nil, full, full, errors.New("still"), nil, nil, full} {
		tr.look(err)
	}
	var levels []string
	for line := range strings.Lines(said.String()) {
		_, level, _ := strings.Cut(line, "level=")
		level, _, _ = strings.Cut(level, " ")
		levels = append(levels, level)
	}
	if got := strings.Join(levels, " "); got != "ERROR INFO ERROR" {
		t.Errorf("said %s:\n%s", got, said.String())
	}
}
