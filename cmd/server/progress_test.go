package main

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAStartThatTakesLongSaysWhatItWaitsFor, not one that is soon over, and nothing
// once it is.
func TestAStartThatTakesLongSaysWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out spoken
		p := tell(slog.New(slog.NewTextHandler(&out, nil)))
		for what, lasts := range map[string]time.Duration{"a": time.Second, "b": patienceWithWait / 2} {
			p.waitFor(what)
			time.Sleep(lasts)
		}
		p.waitFor("NAT gateways")
		synctest.Wait()
		if out.String() != "" {
			t.Errorf("said too early: %s", out.String())
		}
		time.Sleep(patienceWithWait + reminder + time.Second)
		synctest.Wait()
		if n := strings.Count(out.String(), `msg=starting waitsFor="NAT gateways"`); n != 2 {
			t.Errorf("said %d times, want at once and as a reminder: %s", n, out.String())
		}
		p.end()
		before := out.String()
		p.waitFor("nothing")
		time.Sleep(time.Hour)
		synctest.Wait()
		if after := out.String(); after != before {
			t.Errorf("said after the end: %s", after)
		}
	})
}
