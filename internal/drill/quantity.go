package drill

import (
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Duration is a time greater than nothing, such as 200ms.
type Duration time.Duration

// Limit is a time that may be nothing, such as 0s.
type Limit time.Duration

// Quantity is a bound of any metric as written: a time such as 1s, or a number.
type Quantity string

var (
	_ yaml.NodeUnmarshaler = (*Duration)(nil)
	_ yaml.NodeUnmarshaler = (*Limit)(nil)
	_ yaml.NodeUnmarshaler = (*Quantity)(nil)
)

// UnmarshalYAML reads a Go duration. The library would read one as well, but
// its error does not say where.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	v, err := readTime(n)
	if err != nil || v <= 0 {
		return badTime(n, "%q is not a duration such as 200ms or 5s")
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML reads a Go duration that is not negative.
func (l *Limit) UnmarshalYAML(n ast.Node) error {
	v, err := readTime(n)
	if err != nil || v < 0 {
		return badTime(n, "%q is not a duration such as 0s, 200ms or 5s")
	}
	*l = Limit(v)
	return nil
}

// UnmarshalYAML keeps the text; what it may be depends on the metric.
func (q *Quantity) UnmarshalYAML(n ast.Node) error {
	if _, ok := n.(ast.ScalarNode); !ok {
		return badTime(n, "%q is neither a duration such as 1s nor a number")
	}
	*q = Quantity(n.GetToken().Value)
	return nil
}

func readTime(n ast.Node) (time.Duration, error) {
	if _, ok := n.(ast.ScalarNode); !ok {
		return 0, fmt.Errorf("want a scalar")
	}
	return time.ParseDuration(n.GetToken().Value)
}

func badTime(n ast.Node, format string) error {
	return &yaml.SyntaxError{Message: fmt.Sprintf(format, n.GetToken().Value), Token: n.GetToken()}
}

// In reads the quantity as a value of a metric: nanoseconds, or a count.
func (q Quantity) In(m Metric) (int64, error) {
	if m.IsTime() {
		v, err := time.ParseDuration(string(q))
		if err != nil || v < 0 {
			return 0, fmt.Errorf("%q is not a duration such as 1s, which %s is measured in", string(q), m)
		}
		return int64(v), nil
	}
	v, err := strconv.ParseInt(string(q), 10, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%q is not a number such as 900, which %s is", string(q), m)
	}
	return v, nil
}

// Format writes a value of a metric for people, times to the microsecond.
func (m Metric) Format(v int64) string {
	if m.IsTime() {
		return FormatTime(v)
	}
	return strconv.FormatInt(v, 10)
}

// FormatTime writes nanoseconds for people, to the microsecond.
func FormatTime(nanos int64) string {
	d := time.Duration(nanos)
	if d >= time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}
