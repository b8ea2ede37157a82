package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"enilab/internal/api/rest"
	"enilab/internal/served"
)

// patienceWithStart is how long a start may take before the address is printed:
// one that is refused sooner says nothing but why.
const patienceWithStart = 500 * time.Millisecond

// front is what of the server can be seen from the first moment on: its address,
// and its answers until the laboratory is whole.
type front struct {
	addr     net.Addr
	loopback bool
	token    string // asked for beyond loopback
	log      *slog.Logger
	starting *rest.Starting
	progress *progress

	mu        sync.Mutex
	stdout    io.Writer   // guarded by mu
	announced bool        // or never to be; guarded by mu
	handed    bool        // guarded by mu
	soon      *time.Timer // announces
}

func (s *serveCmd) front(ln *net.TCPListener, stdout io.Writer, log *slog.Logger) *front {
	f := &front{addr: ln.Addr(), loopback: isLoopback(ln.Addr()), token: s.Token, stdout: stdout, log: log}
	if f.token == "" && !f.loopback {
		f.token = rand.Text()
	}
	f.starting = rest.Start(ln, version, served.Refuse)
	f.progress = tell(log)
	f.soon = time.AfterFunc(patienceWithStart, f.announce)
	return f
}

// waitFor changes what the health and the log tell that is waited for.
func (f *front) waitFor(what string) {
	f.starting.WaitFor(func() string { return what })
	f.progress.waitFor(what)
}

// waitForCount tells the health how many network interfaces there are by then, too.
func (f *front) waitForCount(what string, count func() int) {
	f.starting.WaitFor(func() string { return fmt.Sprintf("%s; there are %d network interfaces so far", what, count()) })
	f.progress.waitFor(what)
}

// announce prints where the server is, once.
func (f *front) announce() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.announced {
		return
	}
	f.announced = true
	token := f.asked()
	// Without them the address at loopback is left, which is right.
	machine, _ := net.InterfaceAddrs()
	for k, u := range urls(f.addr, token, machine) {
		if k == 0 {
			f.printLocked("enilab is at " + u)
		} else {
			f.printLocked("         and " + u)
		}
	}
}

// asked is the token that is asked for, "" if none is.
func (f *front) asked() string {
	if f.loopback {
		return ""
	}
	return f.token
}

// ready says that the laboratory is whole, by the word that programs wait for
// which start LocalStack in a container.
func (f *front) ready() {
	f.announce()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.printLocked("Ready.")
}

func (f *front) printLocked(line string) {
	if _, err := fmt.Fprintln(f.stdout, line); err != nil {
		f.log.Warn("printing to standard output", "line", line, "error", err)
	}
}

// hand gives the listener to whoever answers from now on.
func (f *front) hand() (net.Listener, error) {
	f.progress.end()
	f.mu.Lock()
	f.handed = true
	f.mu.Unlock()
	return f.starting.Hand()
}

// close ends what is left of the front.
func (f *front) close() {
	f.soon.Stop()
	f.progress.end()
	f.mu.Lock()
	f.announced = true
	handed := f.handed
	f.mu.Unlock()
	if !handed {
		// What it says is of a listener that is closed next.
		_, _ = f.starting.Hand()
	}
}
