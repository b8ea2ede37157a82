package rest

import (
	"encoding/json"
	"hash/fnv"
	"strconv"

	"enilab/internal/control"
)

// etag is a text that changes whenever anything of a row does that its owner
// sets: who has seen it can have a change refused that was made for another.
func etag[R control.Row](row R) string {
	raw, err := json.Marshal(row)
	if err != nil {
		panic("rest: writing a row: " + err.Error()) // rows are stored in this form
	}
	h := fnv.New64a()
	_, _ = h.Write(raw)
	return strconv.FormatUint(h.Sum64(), 36)
}
