package failover

// detector counts consecutive misses. The zero detector has seen nothing.
type detector struct {
	misses    int
	firstMiss int64 // when the first of the misses was known
	seen      Fate  // of the newest of the misses of which a frame's end was seen
}

// observe takes one outcome and reports whether the probed instance has
// failed, given how many misses in a row mean that. A blocked probe, or one
// that could not be sent, says nothing of the instance: it neither counts nor
// forgives.
func (d *detector) observe(o Outcome, need int) (failed bool) {
	switch o.Result {
	case Answered:
		*d = detector{}
	case Missed:
		if d.misses == 0 {
			d.firstMiss = o.At
		}
		d.misses++
		if o.Seen != (Fate{}) {
			d.seen = o.Seen
		}
	}
	return d.misses >= need
}
