// Package rows keeps rows of tables in memory, found by indexes: versions that
// never change, and transactions that make a new one of an old one. What a
// transaction does not touch it shares with the version it began from.
//
// The trees are tidwall/btree's, whose copies share nodes. go-memdb did this before:
// its radix trees have a node a branch of a key and a channel a node for watchers,
// whom nobody needed here, and keep every key whole: they were a third of what
// creating a network interface allocated, and half of what one holds.
package rows

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Index is an order of a table's rows.
type Index struct {
	Name string
	// Key is what a row is found by, "" if it is not in the index; Keys are
	// several, in place of Key.
	Key  func(row any) string
	Keys func(row any) []string
	// Unique: no two rows have the same key, which nothing here checks. Else those
	// of one key are in the order of the first index, and no key may begin another.
	Unique bool
	// Whole indexes hold the rows, which makes lists fast. The others hold what is
	// found by the first index, so that a change of a row leaves them as they are
	// unless it is one of the key.
	Whole bool
}

// Table is one kind of rows. Its first index has every row, by a unique key that
// never changes, and is whole.
type Table struct {
	Name    string
	Indexes []Index
}

// schema tells tables and indexes by their names.
type schema struct {
	numbers map[string]int
	tables  []Table
}

// View is one version of all tables. It is safe for concurrent use unless it is
// that of a Txn.
type View struct {
	schema *schema
	// gen is above that of every node that can be reached.
	gen    uint64
	tables []*trees
}

// trees are one table's, by index.
type trees struct {
	gen uint64
	of  []tree
}

// New is a version without rows.
func New(tables ...Table) *View {
	s := &schema{numbers: make(map[string]int, len(tables)), tables: tables}
	v := &View{schema: s, gen: 1}
	for i, t := range tables {
		s.numbers[t.Name] = i
		v.tables = append(v.tables, &trees{of: make([]tree, len(t.Indexes))})
	}
	return v
}

// at panics for a name that is not the schema's: a mistake in the program.
func (v *View) at(table, index string) (t *trees, number int) {
	n, ok := v.schema.numbers[table]
	if ok {
		for i := range v.schema.tables[n].Indexes {
			if v.schema.tables[n].Indexes[i].Name == index {
				return v.tables[n], i
			}
		}
	}
	panic("rows: no index " + index + " of a table " + table)
}

// row is what an entry of an index means.
func (t *trees) row(e *entry) any {
	if id, ok := e.row.(primary); ok {
		return t.of[0].get(string(id)).row
	}
	return e.row
}

// primary is a key of the first index, in the entries of indexes that are not whole.
type primary string

// Get returns the row with a key in the first index, or the first whose key
// begins with that in another; nil if there is none.
func (v *View) Get(table, index, key string) any {
	t, i := v.at(table, index)
	if i == 0 {
		if e := t.of[0].get(key); e != nil {
			return e.row
		}
		return nil
	}
	for row := range v.Scan(table, index, key) {
		return row
	}
	return nil
}

// Last returns the row that an index has last, nil if there is none.
func (v *View) Last(table, index string) any {
	t, i := v.at(table, index)
	if e := t.of[i].last(); e != nil {
		return t.row(e)
	}
	return nil
}

// Scan yields the rows whose keys begin with prefix, in the order of the keys. A
// Txn must not change the table meanwhile.
func (v *View) Scan(table, index, prefix string) iter.Seq[any] {
	return v.walk(table, index, prefix, prefix)
}

// From yields the rows from a key on, in the order of the keys.
func (v *View) From(table, index, key string) iter.Seq[any] { return v.walk(table, index, key, "") }

func (v *View) walk(table, index, from, prefix string) iter.Seq[any] {
	return func(yield func(any) bool) {
		t, i := v.at(table, index)
		t.of[i].from(from, func(e *entry) bool {
			return strings.HasPrefix(e.key, prefix) && yield(t.row(e))
		})
	}
}

// Change is one row before and after a transaction; nil: it was, or is, not there.
type Change struct {
	Table         string
	Before, After any
}

// Txn is a version in the making, which nobody else sees. It belongs to one
// goroutine.
type Txn struct {
	View
	changes []Change
	at      map[changed]int // in changes
}

type changed struct {
	table int
	key   string
}

// Begin begins a version that differs from v. Any number may begin at v; one that
// is not wanted is left.
func (v *View) Begin() *Txn {
	t := &Txn{View: *v}
	t.tables = slices.Clone(v.tables)
	return t
}

// Version is what the Txn has made, which must not be changed any more.
func (t *Txn) Version() *View {
	v := t.View
	v.gen++
	return &v
}

// Changes are the rows that differ, or have been written anew, in the order in
// which they were first changed.
func (t *Txn) Changes() []Change {
	return slices.DeleteFunc(slices.Clone(t.changes), func(c Change) bool { return c.Before == nil && c.After == nil })
}

func (t *Txn) writable(table string) (number int, own *trees) {
	number, ok := t.schema.numbers[table]
	if !ok {
		panic("rows: no table " + table)
	}
	own = t.tables[number]
	if own.gen != t.gen {
		own = &trees{gen: t.gen, of: slices.Clone(own.of)}
		t.tables[number] = own
	}
	return number, own
}

func (t *Txn) note(table int, key string, before, after any) {
	if t.at == nil {
		t.at = make(map[changed]int)
	}
	c := changed{table, key}
	if i, ok := t.at[c]; ok {
		t.changes[i].After = after
		return
	}
	t.at[c] = len(t.changes)
	t.changes = append(t.changes, Change{t.schema.tables[table].Name, before, after})
}

// Put stores a row in the place of the one with its key in the first index.
func (t *Txn) Put(table string, row any) {
	number, own := t.writable(table)
	s := &t.schema.tables[number]
	key := s.Indexes[0].Key(row)
	if key == "" {
		panic(fmt.Sprintf("rows: a %T of %s without a key", row, table))
	}
	var before any
	if old := own.of[0].set(t.gen, &entry{key, row}); old != nil {
		before = old.row
	}
	for i := 1; i < len(s.Indexes); i++ {
		own.of[i].update(t.gen, &s.Indexes[i], key, before, row)
	}
	t.note(number, key, before, row)
}

// Delete takes a row away and reports whether it was there.
func (t *Txn) Delete(table string, row any) bool {
	number, own := t.writable(table)
	s := &t.schema.tables[number]
	key := s.Indexes[0].Key(row)
	old := own.of[0].remove(t.gen, key)
	if old == nil {
		return false
	}
	for i := 1; i < len(s.Indexes); i++ {
		own.of[i].update(t.gen, &s.Indexes[i], key, old.row, nil)
	}
	t.note(number, key, old.row, nil)
	return true
}

// update has an index find after where it found before; either may be nil.
func (t *tree) update(gen uint64, x *Index, id string, before, after any) {
	if x.Keys != nil {
		was, is := x.all(before, id), x.all(after, id)
		for _, k := range was {
			if !slices.Contains(is, k) {
				t.remove(gen, k)
			}
		}
		for _, k := range is {
			if x.Whole || !slices.Contains(was, k) {
				t.set(gen, x.entry(k, id, after))
			}
		}
		return
	}
	was, is := x.one(before, id), x.one(after, id)
	if was != is && was != "" {
		t.remove(gen, was)
	}
	if is != "" && (x.Whole || was != is) {
		t.set(gen, x.entry(is, id, after))
	}
}

func (x *Index) entry(key, id string, row any) *entry {
	if x.Whole {
		return &entry{key, row}
	}
	return &entry{key, primary(id)}
}

func (x *Index) one(row any, id string) string {
	if row == nil {
		return ""
	}
	key := x.Key(row)
	if key == "" || x.Unique {
		return key
	}
	return key + id
}

func (x *Index) all(row any, id string) []string {
	if row == nil {
		return nil
	}
	keys := x.Keys(row)
	if !x.Unique {
		for i := range keys {
			keys[i] += id
		}
	}
	return keys
}
