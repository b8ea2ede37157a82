package control

import "context"

// What tests outside of the package compare with.
const (
	RetryDelay      = retryDelay
	DrainTime       = drainTime
	ApplyLength     = applyLength
	MaxClientTokens = maxClientTokens
)

// Remembered counts the States that are kept for metadata that lags, and the
// instances whose metadata does.
func (s *Service) Remembered() (states, lags int) { return len(s.past.past), len(s.past.lags) }

// End ends a detachment at once.
func (s *Service) End(n *NetworkInterface) {
	_ = s.change(context.Background(), func(t *tx) error {
		if n := get[*NetworkInterface](t, TableNetworkInterface, byID, n.ID); n.Attachment != nil {
			t.available(n)
		}
		return nil
	})
}

// Mirror is what a State must come to outside of this package: in a store, and in
// the network.
type Mirror struct {
	Store   Store
	Plane   Plane
	Differs func(*State) error // of the network, from the State
}

// NewMirror is set by package control_test: what makes a Mirror imports this
// package.
var NewMirror func() Mirror
