package virtual

import (
	"errors"
	"iter"
	"slices"
)

// tasks are coroutines: code that waits, as the failover controller's, one after
// the other on the goroutine that drives the laboratory. Which one runs is decided
// by the order in which they began, never by the Go scheduler.
type tasks struct {
	all     []*task
	current *task              // that runs; nil: the driver
	idle    func() (more bool) // lets time go on, for a driver that parks
	over    bool               // nobody waits any more
}

// task is one coroutine. It gives what it waits for to whoever resumes it.
type task struct {
	resume func() (ready func() bool, alive bool)
	stop   func()
	yield  func(ready func() bool) bool
	ready  func() bool // nil: it may go on
}

var (
	errStuck = errors.New("virtual time has ended, and what is waited for has not come")
	// errStopped unwinds a task that waits when the laboratory is closed.
	errStopped = errors.New("the laboratory is closed")
)

// Go implements failover.Tasks.
func (ts *tasks) Go(f func()) {
	t := &task{}
	t.resume, t.stop = iter.Pull(func(yield func(func() bool) bool) {
		t.yield = yield
		defer func() {
			if e := recover(); e != nil && e != any(errStopped) {
				panic(e)
			}
		}()
		f()
	})
	ts.all = append(ts.all, t)
}

// Park implements failover.Tasks. The driver itself lets time go on meanwhile.
func (ts *tasks) Park(ready func() bool) {
	if t := ts.current; t != nil {
		for !ready() {
			if !t.yield(ready) {
				panic(errStopped)
			}
		}
		return
	}
	for !ready() {
		if ts.over {
			panic(errStopped)
		}
		if !ts.run() && !ts.idle() {
			panic(errStuck)
		}
	}
}

// run lets every task go on that can, until none can, and reports whether one did.
func (ts *tasks) run() (ran bool) {
	for again := true; again; {
		again = false
		for _, t := range slices.Clip(ts.all) {
			if t.ready != nil && !t.ready() {
				continue
			}
			again, ran = true, true
			ts.current = t
			ready, alive := t.resume()
			ts.current = nil
			if t.ready = ready; !alive {
				ts.all = slices.DeleteFunc(slices.Clone(ts.all), func(o *task) bool { return o == t })
			}
		}
	}
	return ran
}

// close ends every task: those that do not by themselves are unwound where they
// wait.
func (ts *tasks) close() {
	ts.run()
	ts.unwind()
}

// unwind ends every task where it waits.
func (ts *tasks) unwind() {
	ts.over = true
	for _, t := range ts.all {
		t.stop()
	}
	ts.all = nil
}
