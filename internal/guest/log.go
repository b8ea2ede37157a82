package guest

import (
	"time"

	"gvisor.dev/gvisor/pkg/log"
)

// netstack logs to standard error what goes wrong in a guest's TCP, such as a
// handshake whose NIC has left. Here that is the experiment, and the meters
// and the data plane's counters tell it.
func init() { log.SetTarget(silence{}) }

type silence struct{}

// Emit implements gVisor's log.Emitter.
func (silence) Emit(int, log.Level, time.Time, string, ...any) {}
