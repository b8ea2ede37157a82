package scenario

import (
	"context"
	"time"
)

// recent is how old a reply may be that a look at a condition still counts.
const recent = 5 * time.Second

// Look tells whether a condition, written as an entry of waitUntil, is true now, and
// what is seen. Replies count of the last seconds. The error is of the text, or of a
// name that nothing in the laboratory has.
func (r *Session) Look(ctx context.Context, text string) (ok bool, saw string, err error) {
	var cond condition
	c, err := r.fragment(ctx, "condition", text, &cond)
	if err != nil {
		return false, "", err
	}
	if c.condition("$", cond); c.err != nil {
		return false, "", spoken(c.err)
	}
	ok, saw = r.holds(ctx, cond, r.Now()-int64(recent))
	return ok, saw, nil
}
