package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"enilab/internal/control"
	"enilab/internal/store/column"
	"enilab/internal/store/sqlcgen"
)

// Events implements control.Store. The oldest sequence is 0 while the log is
// empty; a limit below 1 asks for that number only.
func (s *Store) Events(ctx context.Context, after uint64, limit int) (evs []control.Event, oldest uint64, err error) {
	after = min(after, math.MaxInt64) // SQLite's integers end there
	err = s.read(ctx, func(q *sqlcgen.Queries) error {
		first, err := q.OldestEvent(ctx)
		if err != nil {
			return err
		}
		oldest = uint64(first)
		if limit < 1 {
			return nil
		}
		stored, err := q.ListEvents(ctx, sqlcgen.ListEventsParams{After: after, MaxEvents: int64(limit)})
		if err != nil {
			return err
		}
		evs = make([]control.Event, len(stored))
		for i, r := range stored {
			evs[i] = control.Event{
				Seq:      r.Seq,
				Revision: r.Revision,
				At:       time.Time(r.At),
				Type:     r.Type,
				Resource: r.Resource,
				Detail:   r.Detail.V,
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	return evs, oldest, nil
}

// writeEvents appends c's events, whose numbers must rise and end at EventSeq
// or before: a number given twice would be lost on a reader that resumes.
func writeEvents(ctx context.Context, q *sqlcgen.Queries, c control.Commit) error {
	for _, e := range c.Events {
		if e.Seq > c.EventSeq {
			return fmt.Errorf("event %d lies beyond the commit's last sequence %d", e.Seq, c.EventSeq)
		}
		err := q.InsertEvent(ctx, sqlcgen.InsertEventParams{
			Seq:      e.Seq,
			Revision: e.Revision,
			At:       column.Time(e.At),
			Type:     e.Type,
			Resource: e.Resource,
			Detail:   column.Detail{V: e.Detail},
		})
		if err != nil {
			return fmt.Errorf("storing event %d: %w", e.Seq, constraint(err, "events", fmt.Sprint(e.Seq)))
		}
	}
	return nil
}
