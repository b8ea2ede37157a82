package fis

import (
	"regexp"
	"strconv"
	"time"
)

// longest is how long an action may last (AWS FIS User Guide, "AWS FIS actions
// reference": 1 minute to 12 hours). Shorter ones are taken here: a rehearsal need
// not last a minute.
const longest = 12 * time.Hour

var iso = regexp.MustCompile(`^P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$`)

// parseDuration reads an ISO 8601 duration of days, hours, minutes and seconds.
func parseDuration(field, s string) (time.Duration, error) {
	m := iso.FindStringSubmatch(s)
	var d time.Duration
	if m != nil {
		for k, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, _ := strconv.Atoi("0" + m[k+1]) // nine digits at most
			d += time.Duration(n) * unit
		}
	}
	if d <= 0 || d > longest {
		return 0, wrong(field, "'%s' is no duration of more than nothing and at most 12 hours in ISO 8601, such as PT5M or PT30S", clip(s))
	}
	return d, nil
}
