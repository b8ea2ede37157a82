// Package calls remembers the newest calls of the APIs, whoever made them and
// however they ended, and writes each as the line that would make it again.
package calls

import (
	"slices"
	"sync"
	"time"
)

const (
	// keepChanges and keepReads bound how many calls are remembered: who polls
	// makes so many reads that what was changed would soon be forgotten.
	keepChanges = 1000
	keepReads   = 200
	// MaxArguments bounds the arguments of one call that are remembered, in bytes.
	MaxArguments = 8 << 10
	maxFrom      = 200
)

// Call is one call of an API.
type Call struct {
	Seq    uint64 // from 1, in the order in which calls ended
	At     time.Time
	Took   time.Duration
	API    string // "ec2", "admin"
	Action string // of EC2, or method and path
	Region string // "" of the admin API
	From   string // what the client calls itself (User-Agent)
	Read   bool   // it changes nothing
	// Status is HTTP's; Code and Message are of a refusal.
	Status        int
	Code, Message string
	// Line writes the call for a shell, to an endpoint such as
	// http://localhost:4566; nil: its arguments were too long to be kept.
	Line func(endpoint string) string
}

// Refused reports whether the call has failed.
func (c *Call) Refused() bool { return c.Status >= 400 }

// Log is safe for concurrent use. A nil Log remembers nothing.
type Log struct {
	mu      sync.Mutex
	seq     uint64 // guarded by mu
	changes []Call // guarded by mu; oldest first
	reads   []Call // guarded by mu; oldest first
}

// Add remembers a call and gives it its number.
func (l *Log) Add(c Call) {
	if l == nil {
		return
	}
	c.From = c.From[:min(len(c.From), maxFrom)]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	c.Seq = l.seq
	if c.Read && !c.Refused() {
		l.reads = push(l.reads, c, keepReads)
	} else {
		l.changes = push(l.changes, c, keepChanges)
	}
}

// push forgets in blocks, so that it does not move everything at each call.
func push(list []Call, c Call, keep int) []Call {
	if len(list) >= 2*keep {
		list = slices.Delete(list, 0, len(list)-keep+1)
	}
	return append(list, c)
}

// Since returns the newest calls after a number, newest first, at most limit;
// those that only read and succeeded are among them if asked for.
func (l *Log) Since(after uint64, reads bool, limit int) []Call {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	tail := func(list []Call, keep int) []Call { return list[max(0, len(list)-keep):] }
	out := slices.Clone(tail(l.changes, keepChanges))
	if reads {
		out = append(out, tail(l.reads, keepReads)...)
	}
	out = slices.DeleteFunc(out, func(c Call) bool { return c.Seq <= after })
	slices.SortFunc(out, func(a, b Call) int { return int(int64(b.Seq) - int64(a.Seq)) })
	return out[:min(len(out), limit)]
}
