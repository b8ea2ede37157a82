package report

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"enilab/internal/drill"
)

// near is how many captures are kept, besides those of the first and the worst
// run, in which the median run is looked for.
const near = 16

// captures keeps those files of one variant of which one could turn out to be the
// median's: a bounded number, however many runs there are.
type captures struct {
	dir, prefix  string
	first, worst *captured
	rest         []*captured
}

type captured struct {
	run    *drill.Run
	path   string
	outage int64
}

func (c *captures) path(number int) string {
	return filepath.Join(c.dir, fmt.Sprintf("%s-run-%d.pcapng", c.prefix, number))
}

// add decides what becomes of a run's file. median is that of the outages so far.
func (c *captures) add(r *drill.Run, worst bool, median int64) error {
	one := &captured{run: r, path: c.path(r.Number), outage: drill.Values(r)[drill.MetricOutage].Nanos}
	if _, err := os.Stat(one.path); err != nil {
		return nil // the driver has made none
	}
	c.rest = append(c.rest, one)
	if c.first == nil {
		c.first = one
	}
	if worst || c.worst == nil {
		c.worst = one
	}
	slices.SortStableFunc(c.rest, func(a, b *captured) int {
		return cmp.Compare(distance(a.outage, median), distance(b.outage, median))
	})
	kept := 0
	c.rest = slices.DeleteFunc(c.rest, func(k *captured) bool {
		keep := k == c.first || k == c.worst || kept < near
		if keep && k != c.first && k != c.worst {
			kept++
		}
		return !keep && os.Remove(k.path) == nil
	})
	return nil
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

// finish names the files for what they are and removes the others.
func (c *captures) finish(median int64) (map[string]CaptureOf, error) {
	if c.first == nil {
		return nil, nil
	}
	slices.SortStableFunc(c.rest, func(a, b *captured) int {
		return cmp.Or(cmp.Compare(distance(a.outage, median), distance(b.outage, median)), a.run.Number-b.run.Number)
	})
	roles := []struct {
		name string
		of   *captured
	}{{"first", c.first}, {"median", c.rest[0]}, {"worst", c.worst}}
	out, named := map[string]CaptureOf{}, map[*captured]string{}
	for _, r := range roles {
		file, ok := named[r.of]
		if !ok {
			file = fmt.Sprintf("%s-%s.pcapng", c.prefix, r.name)
			if err := os.Rename(r.of.path, filepath.Join(c.dir, file)); err != nil {
				return nil, fmt.Errorf("naming a capture: %w", err)
			}
			named[r.of] = file
		}
		out[r.name] = CaptureOf{File: file, Run: drill.RunName{Number: r.of.run.Number, Seed: r.of.run.Seed}}
	}
	// Those of runs that nobody has judged, too.
	left, err := filepath.Glob(filepath.Join(c.dir, c.prefix+"-run-*.pcapng"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	if err != nil {
		return nil, fmt.Errorf("removing a capture: %w", err)
	}
	return out, nil
}
