package drill

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Merge adds the runs that another tally of the same drill has gathered. Whatever
// is merged in whichever order, what comes out is as if one tally had taken all
// runs, as long as no run is in two of them.
func (t *Tally) Merge(o *Tally) error {
	if len(t.outcomes) != len(o.outcomes) || len(t.over) != len(o.over) {
		return errors.New("merging tallies: they are of different drills")
	}
	for i := range t.outcomes {
		t.outcomes[i].merge(&o.outcomes[i])
	}
	for m, s := range t.series {
		s.merge(o.series[m])
	}
	for i, s := range t.over {
		if s != nil {
			s.merge(o.over[i])
		}
	}
	for _, c := range o.clients {
		is := *c
		is.Outage, is.Lost = Series{}, Series{}
		if mine := t.client(&is); mine != nil {
			mine.Outage.merge(&c.Outage)
			mine.Lost.merge(&c.Lost)
		}
	}
	t.tcp.add(o.tcp)
	t.runs += o.runs
	return nil
}

func (c *TCP) add(o TCP) {
	c.Open += o.Open
	c.Reset += o.Reset
	c.Closed += o.Closed
	c.Survived += o.Survived
	c.Reconnected += o.Reconnected
}

// The forms in which a tally goes from one process to another. What an assertion
// says is not among them: both sides have it from the file.
type (
	tallyWire struct {
		Runs     uint64                 `json:"runs"`
		Outcomes []outcomeWire          `json:"outcomes"`
		Series   map[Metric]*seriesWire `json:"series"`
		Over     []*seriesWire          `json:"over"`
		Clients  []clientWire           `json:"clients,omitempty"`
		TCP      TCP                    `json:"tcp"`
	}
	outcomeWire struct {
		Verdict      Verdict  `json:"verdict"`
		Held         uint64   `json:"held"`
		Failed       uint64   `json:"failed,omitempty"`
		Inconclusive uint64   `json:"inconclusive,omitempty"`
		Value        string   `json:"value,omitempty"`
		Reason       string   `json:"reason,omitempty"`
		Run          *RunName `json:"run,omitempty"`
		By           int      `json:"by"`
	}
	seriesWire struct {
		Exact   []int64          `json:"exact,omitempty"`
		Buckets map[int64]uint64 `json:"buckets,omitempty"`
		AtLeast uint64           `json:"atLeast,omitempty"`
		Unknown uint64           `json:"unknown,omitempty"`
		Max     int64            `json:"max,omitempty"`
		Sum     [2]uint64        `json:"sum"` // high, low
	}
	clientWire struct {
		Client   string     `json:"client"`
		Workload string     `json:"workload"`
		Kind     string     `json:"kind"`
		Seen     [2]int     `json:"seen"` // run, place
		Outage   seriesWire `json:"outage"`
		Lost     seriesWire `json:"lost"`
	}
)

func (s *Series) wire() *seriesWire {
	slices.Sort(s.exact)
	return &seriesWire{s.exact, s.buckets, s.atLeast, s.unknown, s.max, [2]uint64{s.sum.high, s.sum.low}}
}

func (w *seriesWire) series() (*Series, error) {
	if w == nil {
		return nil, errors.New("a series is missing")
	}
	s := &Series{exact: w.Exact, buckets: w.Buckets, atLeast: w.AtLeast, unknown: w.Unknown, max: w.Max, sum: total{w.Sum[0], w.Sum[1]}}
	if len(w.Exact) > exactly || len(w.Exact) > 0 && w.Buckets != nil {
		return nil, errors.New("a series has more values than one keeps")
	}
	for b, n := range w.Buckets {
		if bucket(b) != b {
			return nil, fmt.Errorf("no bucket begins at %d", b)
		}
		s.n += n
	}
	s.n += uint64(len(w.Exact))
	return s, nil
}

// MarshalJSON writes what was gathered; UnmarshalJSON reads it.
func (t *Tally) MarshalJSON() ([]byte, error) {
	w := tallyWire{Runs: t.runs, Series: map[Metric]*seriesWire{}, TCP: t.tcp}
	for _, o := range t.outcomes {
		w.Outcomes = append(w.Outcomes, outcomeWire{o.Verdict, o.Held, o.Failed, o.Inconclusive, o.Value, o.Reason, o.Run, o.by})
	}
	for m, s := range t.series {
		w.Series[m] = s.wire()
	}
	for _, s := range t.over {
		if s == nil {
			w.Over = append(w.Over, nil)
			continue
		}
		w.Over = append(w.Over, s.wire())
	}
	for _, c := range t.clients {
		w.Clients = append(w.Clients, clientWire{
			c.Client, c.Workload, c.Kind, [2]int{c.seen.run, c.seen.place}, *c.Outage.wire(), *c.Lost.wire(),
		})
	}
	return json.Marshal(w)
}

var _ json.Unmarshaler = (*Tally)(nil)

// UnmarshalJSON reads into a tally that NewTally has made for the same drill. What
// is not of such a drill is refused, and the tally is then of no use.
func (t *Tally) UnmarshalJSON(data []byte) error {
	var w tallyWire
	if err := json.Unmarshal(data, &w); err != nil {
		return fmt.Errorf("reading a tally: %w", err)
	}
	if err := t.read(&w); err != nil {
		return fmt.Errorf("reading a tally: %w", err)
	}
	return nil
}

func (t *Tally) read(w *tallyWire) (err error) {
	if len(w.Outcomes) != len(t.outcomes) || len(w.Over) != len(t.over) {
		return fmt.Errorf("it has %d outcomes, and the drill has %d", len(w.Outcomes), len(t.outcomes))
	}
	t.runs, t.tcp, t.clients = w.Runs, w.TCP, nil
	for i, o := range w.Outcomes {
		if o.Verdict != Held && o.Verdict != Failed && o.Verdict != Inconclusive {
			return fmt.Errorf("%q is no verdict", o.Verdict)
		}
		is := &t.outcomes[i]
		is.Verdict, is.Held, is.Failed, is.Inconclusive = o.Verdict, o.Held, o.Failed, o.Inconclusive
		is.Value, is.Reason, is.Run, is.by = o.Value, o.Reason, o.Run, o.By
	}
	for m := range t.series {
		if t.series[m], err = w.Series[m].series(); err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
	}
	for i, s := range t.over {
		if s == nil {
			continue
		}
		if t.over[i], err = w.Over[i].series(); err != nil {
			return fmt.Errorf("assertion %d: %w", i+1, err)
		}
	}
	for _, c := range w.Clients {
		outage, err := c.Outage.series()
		if err != nil {
			return fmt.Errorf("%s: %w", c.Client, err)
		}
		lost, err := c.Lost.series()
		if err != nil {
			return fmt.Errorf("%s: %w", c.Client, err)
		}
		t.client(&ClientSeries{
			Client: c.Client, Workload: c.Workload, Kind: c.Kind, Outage: *outage, Lost: *lost, seen: sighting{c.Seen[0], c.Seen[1]},
		})
	}
	return nil
}
