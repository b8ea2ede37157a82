package ec2

import "enilab/internal/control"

// Ids of what control does not keep.
var (
	idProfileAssociation = control.IDKind{
		Prefix: "iip-assoc-", NotFound: "InvalidAssociationID.NotFound", Malformed: "InvalidAssociationID.Malformed", Noun: "association ID",
	}
)

// find returns one resource.
func find[T any](k control.IDKind, id string, get func(string) *T) (*T, error) {
	rows, err := findAll(k, []string{id}, get)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// findAll returns the resources of ids, each once, in their order. Any id that
// is malformed or unknown refuses them all, as EC2 does.
func findAll[T any](k control.IDKind, ids []string, get func(string) *T) ([]*T, error) {
	for _, id := range ids {
		if err := k.Check(id); err != nil {
			return nil, err
		}
	}
	seen := make(map[string]bool, len(ids))
	rows := make([]*T, 0, len(ids))
	var absent []string
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		if row := get(id); row != nil {
			rows = append(rows, row)
		} else {
			absent = append(absent, id)
		}
	}
	if len(absent) > 0 {
		return nil, k.Missing(absent...)
	}
	return rows, nil
}
