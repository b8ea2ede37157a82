// Package controltest is control for tests: a Service on a store in memory and a
// network that records, with a topology to begin with. Only tests import it.
//
// Virtual time: within synctest.Test everything here waits in the bubble's time.
package controltest
