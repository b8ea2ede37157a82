package rest

import (
	"encoding/json"
	"hash/fnv"
	"strconv"

	"enilab/internal/control"
)

// etag is a text that changes whenever anything of a row does that its owner
// sets: who has seen it can have a change refused that was made for another.
func etag(row control.Row) string {
	raw, err := json.Marshal(row)
	var members any
	if err == nil {
		err = json.Unmarshal(raw, &members)
	}
	if err == nil {
		unnumber(members)
		raw, err = json.Marshal(members)
	}
	if err != nil {
		panic("rest: writing a row: " + err.Error()) // rows are stored in this form
	}
	h := fnv.New64a()
	_, _ = h.Write(raw)
	return strconv.FormatUint(h.Sum64(), 36)
}

// unnumber takes the data plane's numbers out, which are others after the row has
// been restored from a snapshot.
func unnumber(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			unnumber(x)
		}
	case map[string]any:
		delete(v, "Ref")
		for _, x := range v {
			unnumber(x)
		}
	}
}
