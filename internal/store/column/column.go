// Package column maps Go values to SQLite columns and back without loss. It
// knows neither tables nor queries; the generated queries name its types.
package column

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strings"
	"time"
)

// ID is a reference that may be absent: "" is NULL, so that UNIQUE and foreign
// keys ignore it.
type ID string

// Value implements driver.Valuer.
func (i ID) Value() (driver.Value, error) {
	if i == "" {
		return nil, nil
	}
	return string(i), nil
}

// Scan implements sql.Scanner.
func (i *ID) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i = ""
	case string:
		*i = ID(v)
	default:
		return mismatch(src, "text or null")
	}
	return nil
}

// Time is an instant in Unix nanoseconds; the zero time is NULL. It comes back
// in UTC and without a monotonic reading.
type Time time.Time

// The instants that int64 nanoseconds can hold: the years 1677 to 2262.
var (
	earliest = time.Unix(0, math.MinInt64)
	latest   = time.Unix(0, math.MaxInt64)
)

// Value implements driver.Valuer.
func (t Time) Value() (driver.Value, error) {
	at := time.Time(t)
	if at.IsZero() {
		return nil, nil
	}
	if at.Before(earliest) || at.After(latest) {
		return nil, fmt.Errorf("time %s does not fit 64 bits of nanoseconds", at.Format(time.RFC3339))
	}
	return at.UnixNano(), nil
}

// Scan implements sql.Scanner.
func (t *Time) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = Time{}
	case int64:
		*t = Time(time.Unix(0, v).UTC())
	default:
		return mismatch(src, "integer or null")
	}
	return nil
}

// Addr is an IP address as text; the zero Addr is NULL.
type Addr netip.Addr

// Value implements driver.Valuer.
func (a Addr) Value() (driver.Value, error) {
	if addr := netip.Addr(a); addr.IsValid() {
		return addr.String(), nil
	}
	return nil, nil
}

// Scan implements sql.Scanner.
func (a *Addr) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*a = Addr{}
	case string:
		addr, err := netip.ParseAddr(v)
		if err != nil {
			return err
		}
		*a = Addr(addr)
	default:
		return mismatch(src, "text or null")
	}
	return nil
}

// Prefix is an IP prefix as text; the zero Prefix is NULL.
type Prefix netip.Prefix

// Value implements driver.Valuer.
func (p Prefix) Value() (driver.Value, error) {
	if prefix := netip.Prefix(p); prefix.IsValid() {
		return prefix.String(), nil
	}
	return nil, nil
}

// Scan implements sql.Scanner.
func (p *Prefix) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*p = Prefix{}
	case string:
		prefix, err := netip.ParsePrefix(v)
		if err != nil {
			return err
		}
		*p = Prefix(prefix)
	default:
		return mismatch(src, "text or null")
	}
	return nil
}

// JSON holds a value that no query looks into. A nil map or slice is NULL, an
// empty one is not, so both come back as they were.
type JSON[T any] struct{ V T }

// Value implements driver.Valuer.
func (j JSON[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(j.V)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(b, []byte("null")) {
		return nil, nil
	}
	if replaced(b) {
		return nil, errors.New("text that is not valid UTF-8")
	}
	return string(b), nil
}

// Scan implements sql.Scanner, by ReadJSON.
func (j *JSON[T]) Scan(src any) error {
	var zero T
	j.V = zero
	switch v := src.(type) {
	case nil:
		return nil
	case string:
		return ReadJSON(v, &j.V)
	default:
		return mismatch(src, "JSON text or null")
	}
}

// ReadJSON reads one value into v. A key that v does not have is an error:
// dropping it silently would lose what an earlier version stored.
func ReadJSON(text string, v any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text after the JSON value")
	}
	return nil
}

// replaced reports whether encoding/json has put U+FFFD in place of bytes that
// are not UTF-8. It writes that one escaped and a genuine U+FFFD as it is.
func replaced(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(b[i+1:], []byte("ufffd")) {
			return true
		}
		i++ // the escaped byte, which may be a backslash
	}
	return false
}

func mismatch(src any, want string) error {
	return fmt.Errorf("found %T, want %s", src, want)
}
