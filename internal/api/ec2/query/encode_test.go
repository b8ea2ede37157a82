package query

import (
	"fmt"
	"strings"
	"testing"
)

type named struct{ name string }

func (n *named) AppendXML(b []byte) []byte { return AppendString(b, "name", &n.name) }

// A list is the same whatever room there was for it, and a long one is written
// without being copied again and again.
func TestAppendStructs(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 17, 1000} {
		var want strings.Builder
		list := make([]named, n)
		want.WriteString("before<set>")
		for i := range list {
			list[i].name = fmt.Sprint(strings.Repeat("x", i%7*50), i)
			fmt.Fprintf(&want, "<item><name>%s</name></item>", list[i].name)
		}
		want.WriteString("</set>")
		for _, spare := range []int{0, 100, 1 << 20} {
			b := append(make([]byte, 0, len("before")+spare), "before"...)
			if got := AppendStructs(b, "set", list); string(got) != want.String() {
				t.Errorf("%d items, room for %d: got %d bytes, want %d", n, spare, len(got), want.Len())
			}
		}
	}
	list := make([]named, 10_000)
	for i := range list {
		list[i].name = strings.Repeat("x", 300)
	}
	// As often as it takes for the first few, and once or twice for all the others.
	if n := testing.AllocsPerRun(3, func() { AppendStructs(nil, "set", list) }); n > 20 {
		t.Errorf("a list of 10,000 is copied %v times", n)
	}
}
