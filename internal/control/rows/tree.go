package rows

import "strings"

// most is how many entries a node has. A change copies one node a level, so that
// wide nodes cost bytes and narrow ones levels: of ten thousand rows the way down
// is four nodes.
const (
	most  = 16
	least = most / 3
)

type entry struct {
	key string
	row any
}

// node is of a B-tree whose versions share what they have in common. gen is the
// Txn that made it, which alone may change it.
type node struct {
	gen   uint64
	n     int
	items [most]*entry
	kids  *[most + 1]*node // nil: a leaf
}

// tree is one version.
type tree struct{ root *node }

// own is n, or its copy if another Txn has made it.
func (n *node) own(gen uint64) *node {
	if n.gen == gen {
		return n
	}
	c := *n
	c.gen = gen
	if n.kids != nil {
		kids := *n.kids
		c.kids = &kids
	}
	return &c
}

// find is where a key is, or would be.
func (n *node) find(key string) (at int, found bool) {
	low, high := 0, n.n
	for low < high {
		middle := (low + high) / 2
		switch strings.Compare(n.items[middle].key, key) {
		case 0:
			return middle, true
		case -1:
			low = middle + 1
		default:
			high = middle
		}
	}
	return low, false
}

func (t *tree) get(key string) *entry {
	for n := t.root; n != nil; {
		i, found := n.find(key)
		if found {
			return n.items[i]
		}
		if n.kids == nil {
			break
		}
		n = n.kids[i]
	}
	return nil
}

func (t *tree) last() *entry {
	n := t.root
	if n == nil {
		return nil
	}
	for n.kids != nil {
		n = n.kids[n.n]
	}
	return n.items[n.n-1]
}

// from yields the entries from a key on, in order, until yield has enough.
func (t *tree) from(key string, yield func(*entry) bool) {
	if t.root != nil {
		t.root.from(key, yield)
	}
}

func (n *node) from(key string, yield func(*entry) bool) bool {
	first, found := n.find(key)
	for i := first; i <= n.n; i++ {
		if n.kids != nil && !(found && i == first) {
			if i > first {
				key = "" // all of what follows
			}
			if !n.kids[i].from(key, yield) {
				return false
			}
		}
		if i < n.n && !yield(n.items[i]) {
			return false
		}
	}
	return true
}

// set puts e in and returns what it replaces.
func (t *tree) set(gen uint64, e *entry) (old *entry) {
	if t.root == nil {
		t.root = &node{gen: gen}
	}
	n := t.root.own(gen)
	old, middle, right := n.set(gen, e)
	if t.root = n; middle != nil {
		t.root = &node{gen: gen, n: 1, kids: &[most + 1]*node{n, right}}
		t.root.items[0] = middle
	}
	return old
}

// set returns what is too much for n, if it was full: the node to its right, and
// the entry between the two.
func (n *node) set(gen uint64, e *entry) (old, middle *entry, right *node) {
	i, found := n.find(e.key)
	if found {
		old, n.items[i] = n.items[i], e
		return old, nil, nil
	}
	if n.kids != nil {
		n.kids[i] = n.kids[i].own(gen)
		if old, e, right = n.kids[i].set(gen, e); e == nil {
			return old, nil, nil
		}
	}
	middle, right = n.insert(gen, i, e, right)
	return old, middle, right
}

// insert puts e at a place, and the node to its right.
func (n *node) insert(gen uint64, at int, e *entry, right *node) (middle *entry, rest *node) {
	if n.n < most {
		copy(n.items[at+1:n.n+1], n.items[at:n.n])
		n.items[at] = e
		if n.kids != nil {
			copy(n.kids[at+2:n.n+2], n.kids[at+1:n.n+1])
			n.kids[at+1] = right
		}
		n.n++
		return nil, nil
	}
	half := most / 2
	if at == most {
		half = most - 1 // what comes in order leaves full nodes behind
	}
	middle, rest = n.items[half], &node{gen: gen}
	rest.n = copy(rest.items[:], n.items[half+1:])
	clear(n.items[half:])
	if n.kids != nil {
		rest.kids = new([most + 1]*node)
		copy(rest.kids[:], n.kids[half+1:])
		clear(n.kids[half+1:])
	}
	if n.n = half; at <= half {
		n.insert(gen, at, e, right)
	} else {
		rest.insert(gen, at-half-1, e, right)
	}
	return middle, rest
}

// remove takes a key out and returns what it had.
func (t *tree) remove(gen uint64, key string) (old *entry) {
	if t.get(key) == nil {
		return nil
	}
	n := t.root.own(gen)
	old = n.remove(gen, key)
	switch t.root = n; {
	case n.n > 0:
	case n.kids != nil:
		t.root = n.kids[0]
	default:
		t.root = nil
	}
	return old
}

func (n *node) remove(gen uint64, key string) (old *entry) {
	i, found := n.find(key)
	switch {
	case n.kids == nil:
		return n.take(i)
	case found:
		old = n.items[i]
		n.kids[i] = n.kids[i].own(gen)
		n.items[i] = n.kids[i].removeLast(gen)
	default:
		n.kids[i] = n.kids[i].own(gen)
		old = n.kids[i].remove(gen, key)
	}
	n.fill(gen, i)
	return old
}

func (n *node) removeLast(gen uint64) (old *entry) {
	if n.kids == nil {
		return n.take(n.n - 1)
	}
	i := n.n
	n.kids[i] = n.kids[i].own(gen)
	old = n.kids[i].removeLast(gen)
	n.fill(gen, i)
	return old
}

// take takes an entry out, and the node to its right.
func (n *node) take(at int) (old *entry) {
	old = n.items[at]
	copy(n.items[at:], n.items[at+1:n.n])
	n.items[n.n-1] = nil
	if n.kids != nil {
		copy(n.kids[at+1:], n.kids[at+2:n.n+1])
		n.kids[n.n] = nil
	}
	n.n--
	return old
}

// fill gives a child that has become small something of its neighbour, or joins
// the two.
func (n *node) fill(gen uint64, child int) {
	if n.kids[child].n >= least {
		return
	}
	between := max(child-1, 0)
	left, right := n.kids[between].own(gen), n.kids[between+1].own(gen)
	n.kids[between], n.kids[between+1] = left, right
	switch {
	case left.n+1+right.n <= most:
		left.items[left.n] = n.items[between]
		copy(left.items[left.n+1:], right.items[:right.n])
		if left.kids != nil {
			copy(left.kids[left.n+1:], right.kids[:right.n+1])
		}
		left.n += 1 + right.n
		n.take(between)
	case child > between:
		var kid *node
		if left.kids != nil {
			kid = left.kids[left.n]
		}
		e := left.take(left.n - 1)
		if right.kids != nil {
			copy(right.kids[1:right.n+2], right.kids[:right.n+1])
			right.kids[0] = kid
		}
		copy(right.items[1:right.n+1], right.items[:right.n])
		right.items[0], n.items[between] = n.items[between], e
		right.n++
	default:
		left.items[left.n] = n.items[between]
		n.items[between] = right.items[0]
		if left.kids != nil {
			left.kids[left.n+1] = right.kids[0]
			copy(right.kids[:], right.kids[1:right.n+1])
			right.kids[right.n] = nil
		}
		left.n++
		copy(right.items[:], right.items[1:right.n])
		right.items[right.n-1] = nil
		right.n--
	}
}
