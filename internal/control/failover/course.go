package failover

import (
	"slices"

	"enilab/internal/guest"
)

const (
	// courseBin is the width of a bin, and maxCourseBins how many there are at most:
	// of a longer course bins are wider.
	courseBin     = int64(100_000_000)
	maxCourseBins = 300
	// maxCourses is how many are kept; the oldest go first.
	maxCourses = 200
)

// Course is how the requests of the clients that a move concerned went over its time,
// and how many of their connections were open, in bins of one width.
type Course struct {
	From, Width int64 // Unix nanoseconds, nanoseconds
	Bins        []CourseBin
}

// CourseBin is one bin of a Course.
type CourseBin struct {
	Sent, Answered, Lost int // requests, by when they were sent; replies, by when they came
	// P50 and P99 of the round trips of the replies that came, nanoseconds; 0: none came.
	P50, P99 int64
	// Open are the TCP connections that were open at the bin's end; -1: nobody's were
	// measured.
	Open int
}

// course lays the requests and connections of all clients out from start's lead to
// end, as known at now.
func course(samples []guest.Sample, conns []guest.Conn, measuredTCP bool, start, end, now int64) Course {
	from, width := start-lead, courseBin
	for (end-from+width-1)/width > maxCourseBins {
		width *= 2
	}
	c := Course{From: from, Width: width, Bins: make([]CourseBin, max(1, (end-from+width-1)/width))}
	at := func(t int64) *CourseBin {
		if i := (t - from) / width; t >= from && i < int64(len(c.Bins)) {
			return &c.Bins[i]
		}
		return nil
	}
	trips := make([][]int64, len(c.Bins))
	for _, s := range samples {
		if b := at(s.SentAt); b != nil {
			b.Sent++
			if s.RepliedAt == 0 && now-s.SentAt > int64(guest.ReplyTimeout) || s.RepliedAt-s.SentAt > int64(guest.ReplyTimeout) {
				b.Lost++
			}
		}
		if b := at(s.RepliedAt); b != nil && s.RepliedAt != 0 {
			b.Answered++
			i := (s.RepliedAt - from) / width
			trips[i] = append(trips[i], s.RepliedAt-s.SentAt)
		}
	}
	for i := range c.Bins {
		b := &c.Bins[i]
		if t := trips[i]; len(t) > 0 {
			slices.Sort(t)
			b.P50, b.P99 = t[(len(t)-1)/2], t[(len(t)-1)*99/100]
		}
		b.Open = -1
		if measuredTCP {
			b.Open = openAt(conns, from+int64(i+1)*width)
		}
	}
	return c
}

// openAt counts the connections that were open at an instant.
func openAt(conns []guest.Conn, at int64) (n int) {
	gone := func(t int64) bool { return t != 0 && t <= at }
	for _, c := range conns {
		if c.OpenedAt != 0 && c.OpenedAt <= at && !gone(c.ResetAt) && !gone(c.ClosedAt) {
			n++
		}
	}
	return n
}

// keepCourse keeps the course of a move whose record is complete, in memory.
func (c *Controller) keepCourse(id string, m move, now int64) {
	since := m.times.start() - lead
	var samples []guest.Sample
	var conns []guest.Conn
	measuredTCP := false
	s := c.opt.Service.State()
	for _, flow := range c.opt.Clients.Flows() {
		if !m.uses(s, flow.VNIC, flow.Target) {
			continue
		}
		of, _ := c.opt.Clients.Samples(flow, since)
		samples = append(samples, of...)
		if open := c.opt.Clients.Conns(flow, since); len(open) > 0 {
			conns, measuredTCP = append(conns, open...), true
		}
	}
	if len(samples) == 0 {
		return // nobody was measured
	}
	made := course(samples, conns, measuredTCP, m.times.start(), now, now)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.courses = append(c.courses, kept{id, made})
	c.courses = c.courses[max(0, len(c.courses)-maxCourses):]
}

// kept is a course by its record.
type kept struct {
	id string
	Course
}

// Course returns the course of a record that this controller has completed; the
// newest are kept, while it runs.
func (c *Controller) Course(id string) (Course, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.courses, func(k kept) bool { return k.id == id })
	if i < 0 {
		return Course{}, false
	}
	return c.courses[i].Course, true
}
