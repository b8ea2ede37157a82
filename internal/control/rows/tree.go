package rows

import (
	"sync"

	"github.com/tidwall/btree"
)

// degree makes nodes of up to 15 entries. A change copies one node a level, so that
// wide nodes cost bytes and narrow ones levels: of ten thousand rows the way down
// is four nodes.
const degree = 8

type entry struct {
	key string
	row any
}

func less(a, b *entry) bool { return a.key < b.key }

// tree is one version of an index; nil: nothing is in it.
type tree struct {
	of *btree.BTreeG[*entry]
	// gen is the Txn that made it, which alone may change it.
	gen uint64
}

// copying is held while a tree is copied: that marks the one copied from too, and
// any number may begin at one version.
var copying sync.Mutex

// own makes t the tree of a Txn, which shares all nodes with what it was.
func (t *tree) own(gen uint64) {
	switch {
	case t.of == nil:
		t.of = btree.NewBTreeGOptions(less, btree.Options{NoLocks: true, Degree: degree})
	case t.gen != gen:
		copying.Lock()
		t.of = t.of.Copy()
		copying.Unlock()
	}
	t.gen = gen
}

func (t *tree) get(key string) *entry {
	if t.of == nil {
		return nil
	}
	e, _ := t.of.Get(&entry{key: key})
	return e
}

func (t *tree) last() *entry {
	if t.of == nil {
		return nil
	}
	e, _ := t.of.Max()
	return e
}

// from yields the entries from a key on, in order, until yield has enough.
func (t *tree) from(key string, yield func(*entry) bool) {
	if t.of != nil {
		t.of.Ascend(&entry{key: key}, yield)
	}
}

// set puts e in and returns what it replaces.
func (t *tree) set(gen uint64, e *entry) (old *entry) {
	t.own(gen)
	old, _ = t.of.Set(e)
	return old
}

// remove takes the entry of a key out and returns it, nil if there is none.
func (t *tree) remove(gen uint64, key string) (old *entry) {
	if t.of == nil {
		return nil
	}
	t.own(gen)
	old, _ = t.of.Delete(&entry{key: key})
	return old
}
