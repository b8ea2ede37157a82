package rows

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// thing is a row with an index of each form.
type thing struct {
	id, colour string
	tags       []string
	order      int
}

func things() *View {
	return New(Table{Name: "others", Indexes: []Index{{Name: "id", Unique: true, Whole: true, Key: func(row any) string { return row.(string) }}}},
		Table{Name: "things", Indexes: []Index{
			{Name: "id", Unique: true, Whole: true, Key: func(row any) string { return row.(*thing).id }},
			{Name: "colour", Key: func(row any) string {
				if c := row.(*thing).colour; c != "" {
					return c + "\x00"
				}
				return ""
			}},
			{Name: "order", Whole: true, Key: func(row any) string { return fmt.Sprintf("%09d", row.(*thing).order) }},
			{Name: "tag", Keys: func(row any) (ks []string) {
				for _, t := range row.(*thing).tags {
					ks = append(ks, t+"\x00")
				}
				return ks
			}},
		}})
}

// model says what a View should show.
type model map[string]*thing

func (m model) sorted(key func(*thing) []string) (out []*thing) {
	type found struct {
		key string
		row *thing
	}
	var all []found
	for _, row := range m {
		for _, k := range key(row) {
			all = append(all, found{k + "\x00" + row.id, row})
		}
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.key, b.key) })
	for _, f := range all {
		out = append(out, f.row)
	}
	return out
}

func (m model) check(t *testing.T, v *View) {
	t.Helper()
	list := func(index, prefix string) (out []*thing) {
		for row := range v.Scan("things", index, prefix) {
			out = append(out, row.(*thing))
		}
		return out
	}
	for index, key := range map[string]func(*thing) []string{
		"id":    func(r *thing) []string { return []string{r.id} },
		"order": func(r *thing) []string { return []string{fmt.Sprintf("%09d", r.order)} },
		"tag":   func(r *thing) []string { return r.tags },
		"colour": func(r *thing) []string {
			if r.colour == "" {
				return nil
			}
			return []string{r.colour}
		},
	} {
		want := m.sorted(key)
		if got := list(index, ""); !slices.Equal(got, want) {
			t.Fatalf("%s: %d rows, want %d, or another order", index, len(got), len(want))
		}
		last, _ := v.Last("things", index).(*thing)
		if len(want) == 0 && last != nil || len(want) > 0 && last != want[len(want)-1] {
			t.Fatalf("%s: last %v", index, last)
		}
	}
	for id, row := range m {
		if v.Get("things", "id", id) != row {
			t.Fatalf("%s is not found", id)
		}
	}
	for _, colour := range []string{"red", "blue", "none"} {
		want := m.sorted(func(r *thing) []string {
			if r.colour == colour {
				return []string{colour}
			}
			return nil
		})
		if got := list("colour", colour+"\x00"); !slices.Equal(got, want) {
			t.Fatalf("%s: %d rows, want %d", colour, len(got), len(want))
		}
	}
}

// TestAgainstModel changes rows at random, by transactions of which some are left,
// and looks at every version again at the end: none may have changed.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		sizes := []int{5, 40, 300, 3000}
		size := sizes[seed%4]
		v, m := things(), model{}
		type version struct {
			v *View
			m model
		}
		var versions []version
		for round := range 60 {
			txn, next := v.Begin(), maps.Clone(m)
			first := map[string]*thing{}
			grow := round%20 < 12
			for range 1 + r.IntN(size) {
				id := fmt.Sprintf("thing-%d", r.IntN(size))
				if _, ok := first[id]; !ok {
					first[id] = next[id]
				}
				if row, ok := next[id]; ok && r.IntN(3) > 0 == !grow {
					if !txn.Delete("things", row) {
						t.Fatalf("%s was not there", id)
					}
					delete(next, id)
					continue
				}
				row := &thing{id: id, order: r.IntN(20), colour: []string{"", "red", "blue"}[r.IntN(3)]}
				for _, tag := range []string{"a", "b", "c"} {
					if r.IntN(2) == 0 {
						row.tags = append(row.tags, tag)
					}
				}
				if r.IntN(2) == 0 {
					row.order = 1000*round + len(next) // in order, as creations are
				}
				txn.Put("things", row)
				next[id] = row
			}
			if txn.Delete("things", &thing{id: "never"}) {
				t.Fatal("what was never there was deleted")
			}
			next.check(t, &txn.View)
			for _, c := range txn.Changes() {
				var before, after any
				row, _ := cmpOr(c.Before, c.After).(*thing)
				if was := first[row.id]; was != nil {
					before = was
				}
				if is := next[row.id]; is != nil {
					after = is
				}
				if c.Before != before || c.After != after {
					t.Fatalf("the change of %s is %v to %v", row.id, c.Before, c.After)
				}
			}
			if r.IntN(3) == 0 {
				continue // refused
			}
			v, m = txn.Version(), next
			versions = append(versions, version{v, m})
		}
		for _, k := range versions {
			k.m.check(t, k.v)
		}
	}
}

func cmpOr(a, b any) any {
	if a != nil {
		return a
	}
	return b
}

func TestFromAKeyOn(t *testing.T) {
	txn := things().Begin()
	for i := range 500 {
		txn.Put("others", fmt.Sprintf("%04d", 2*i))
	}
	for i := range 1000 {
		var got []string
		for row := range txn.From("others", "id", fmt.Sprintf("%04d", i)) {
			if got = append(got, row.(string)); len(got) == 3 {
				break
			}
		}
		var want []string
		for k := (i + 1) / 2; k < 500 && len(want) < 3; k++ {
			want = append(want, fmt.Sprintf("%04d", 2*k))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("from %d: %v, want %v", i, got, want)
		}
	}
}

// TestReadersOfAVersion is for the race detector: a version is read while others
// are made of it.
func TestReadersOfAVersion(t *testing.T) {
	txn := things().Begin()
	for i := range 200 {
		txn.Put("things", &thing{id: fmt.Sprint(i), order: i})
	}
	v := txn.Version()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				txn := v.Begin()
				txn.Put("things", &thing{id: fmt.Sprint(i * w), colour: "red"})
				txn.Delete("things", &thing{id: fmt.Sprint(i)})
				_ = txn.Version()
				n := 0
				for range v.Scan("things", "order", "") {
					n++
				}
				if n != 200 {
					t.Errorf("%d rows", n)
					return
				}
			}
		})
	}
	wg.Wait()
}
