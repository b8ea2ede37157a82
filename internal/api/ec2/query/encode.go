package query

import (
	"encoding/base64"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// The Append functions write one element each. A nil value writes nothing; a
// list that is empty but not nil writes an empty element, which clients read
// as an empty list where they would miss an absent one.

func open(b []byte, name string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	return append(b, '>')
}

func shut(b []byte, name string) []byte {
	b = append(b, '<', '/')
	b = append(b, name...)
	return append(b, '>')
}

// AppendString writes text.
func AppendString(b []byte, name string, v *string) []byte {
	if v == nil {
		return b
	}
	return appendText(b, name, *v)
}

func appendText(b []byte, name, v string) []byte {
	return shut(AppendEscaped(open(b, name), v), name)
}

// AppendInt writes an integer.
func AppendInt(b []byte, name string, v *int) []byte {
	if v == nil {
		return b
	}
	return shut(strconv.AppendInt(open(b, name), int64(*v), 10), name)
}

// AppendLong writes an integer.
func AppendLong(b []byte, name string, v *int64) []byte {
	if v == nil {
		return b
	}
	return shut(strconv.AppendInt(open(b, name), *v, 10), name)
}

// AppendBool writes true or false.
func AppendBool(b []byte, name string, v *bool) []byte {
	if v == nil {
		return b
	}
	return shut(strconv.AppendBool(open(b, name), *v), name)
}

// AppendFloat writes a number.
func AppendFloat(b []byte, name string, v *float64) []byte {
	if v == nil {
		return b
	}
	return shut(strconv.AppendFloat(open(b, name), *v, 'f', -1, 64), name)
}

// AppendTime writes an instant in UTC with milliseconds, as EC2 does.
func AppendTime(b []byte, name string, v *time.Time) []byte {
	if v == nil {
		return b
	}
	return shut(v.UTC().AppendFormat(open(b, name), "2006-01-02T15:04:05.000Z"), name)
}

// AppendBlob writes base64.
func AppendBlob(b []byte, name string, v []byte) []byte {
	if v == nil {
		return b
	}
	return shut(base64.StdEncoding.AppendEncode(open(b, name), v), name)
}

// AppendStrings writes a list of texts.
func AppendStrings(b []byte, name string, v []string) []byte {
	return AppendStringsAs(b, name, "item", v)
}

// AppendStringsAs writes a list of texts whose elements have a name of their own.
func AppendStringsAs(b []byte, name, item string, v []string) []byte {
	if v == nil {
		return b
	}
	b = open(b, name)
	for _, s := range v {
		b = appendText(b, item, s)
	}
	return shut(b, name)
}

// AppendInts writes a list of integers.
func AppendInts(b []byte, name string, v []int) []byte {
	if v == nil {
		return b
	}
	b = open(b, name)
	for i := range v {
		b = AppendInt(b, "item", &v[i])
	}
	return shut(b, name)
}

// appendable is a pointer to a structure of the model.
type appendable[T any] interface {
	*T
	AppendXML([]byte) []byte
}

// AppendStruct writes a structure.
func AppendStruct[T any, P appendable[T]](b []byte, name string, v *T) []byte {
	if v == nil {
		return b
	}
	return shut(P(v).AppendXML(open(b, name)), name)
}

// AppendStructs writes a list of structures.
func AppendStructs[T any, P appendable[T]](b []byte, name string, v []T) []byte {
	if v == nil {
		return b
	}
	b = open(b, name)
	begun := len(b)
	for i := range v {
		if i >= sampled {
			b = room(b, (len(b)-begun)/i, len(v)-i)
		}
		b = shut(P(&v[i]).AppendXML(open(b, "item")), "item")
	}
	return shut(b, name)
}

// sampled is how many items of a list say how long the others will be.
const sampled = 16

// room makes room for n more items at once, if there is none for two: a list of
// thousands would else be copied time and again as it grows, and leave five times
// its length behind.
func room(b []byte, each, n int) []byte {
	if cap(b)-len(b) >= 2*each {
		return b
	}
	return slices.Grow(b, each*(n+2)+each*n/32)
}

// plain are the bytes that stand for themselves, wherever they are.
var plain = func() (t [256]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		t[c] = c != '&' && c != '<' && c != '>' && c != '"' && c != '\''
	}
	return t
}()

// AppendEscaped writes character data. What XML 1.0 cannot hold becomes U+FFFD:
// it may have come in by another door than this protocol.
func AppendEscaped(b []byte, s string) []byte {
	i := 0
	for i < len(s) && plain[s[i]] {
		i++
	}
	if i == len(s) {
		return append(b, s...)
	}
	done := 0
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		var with string
		switch {
		case r == '&':
			with = "&amp;"
		case r == '<':
			with = "&lt;"
		case r == '>':
			with = "&gt;"
		case r == '"':
			with = "&quot;"
		case r == '\'':
			with = "&apos;"
		case r == '\t':
			with = "&#9;"
		case r == '\n':
			with = "&#10;"
		case r == '\r':
			with = "&#13;"
		case r == utf8.RuneError && n == 1, r < 0x20, r == 0xfffe, r == 0xffff:
			with = "\uFFFD"
		}
		if with != "" {
			b = append(b, s[done:i]...)
			b = append(b, with...)
			done = i + n
		}
		i += n
	}
	return append(b, s[done:]...)
}
