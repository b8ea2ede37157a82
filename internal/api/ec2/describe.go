package ec2

import (
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

// asked is what every Describe action is asked alike.
type asked struct {
	filters []model.Filter
	max     *int
	token   *string
	ids     []string
}

// listing is one kind of resource as its Describe action lists it.
type listing[T any] struct {
	id      control.IDKind // zero: ids of nothing are passed over, and no error
	filters *filterable[*T]
	get     func(*control.State, string) *T
	all     func(*control.State) []*T // in order of creation
}

// row is a pointer to a resource of the control plane.
type row[T any] interface {
	*T
	control.Row
}

// listed returns the resources asked for, and the token of the next page.
func listed[T any, P row[T]](c *call, l listing[T], a asked) ([]*T, *string, error) {
	keep, err := l.filters.compile(c, a.filters)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.page(a.max, a.token, "", nil)
	if err != nil {
		return nil, nil, err
	}
	at := func(r *T) string {
		i := P(r).Identity()
		return place(i.CreatedAt, i.ID)
	}
	if len(a.ids) == 0 {
		rows, next := cutPage(p, l.all(c.state), at, keep)
		return rows, next, nil
	}
	get := func(id string) *T { return l.get(c.state, id) }
	var rows []*T
	if l.id == (control.IDKind{}) {
		for _, id := range a.ids {
			if r := get(id); r != nil && !slices.Contains(rows, r) {
				rows = append(rows, r)
			}
		}
	} else if rows, err = findAll(l.id, a.ids, get); err != nil {
		return nil, nil, err
	}
	rows, next := cutPage(p, sorted(rows, at), at, keep)
	return rows, next, nil
}

// owner is a filter's field of the account, which owns everything.
func owner[T any]() field[T] { return one(func(c *call, _ T) string { return c.api.opt.Account }) }
