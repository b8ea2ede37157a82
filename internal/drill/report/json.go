package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"enilab/internal/drill"
	"enilab/internal/outfile"
)

// JSON writes a file with a line for each run as it ends, and what came of all
// at the end. Until then it has the suffix .partial.
type JSON struct {
	path   string
	file   *outfile.File
	out    *bufio.Writer
	runs   int
	detail int  // runs that were written whole
	failed bool // and it was told
}

// maxDetail is how many runs that were not held are written with everything that
// was observed in them.
const maxDetail = 100

// one is the line of a run.
type one struct {
	Variant  int                          `json:"variant"` // index
	Number   int                          `json:"number"`
	Seed     uint64                       `json:"seed"`
	Verdict  drill.Verdict                `json:"verdict"`
	Values   map[drill.Metric]drill.Value `json:"values"`
	Observed *drill.Run                   `json:"observed,omitempty"`
}

// CreateJSON begins the file.
func CreateJSON(path string) (*JSON, error) {
	f, err := outfile.Create(path, 0o644)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	j := &JSON{path: path, file: f, out: bufio.NewWriter(f)}
	return j, j.wrap(j.out.WriteString("{\n\"runs\": ["))
}

func (j *JSON) wrap(_ any, err error) error {
	if err != nil {
		j.failed = true
		return fmt.Errorf("writing %s: %w", j.path, err)
	}
	return nil
}

// Add writes one run.
func (j *JSON) Add(variant int, r *drill.Run, verdict drill.Verdict) error {
	line := one{Variant: variant, Number: r.Number, Seed: r.Seed, Verdict: verdict, Values: drill.Values(r)}
	if verdict != drill.Held && j.detail < maxDetail {
		line.Observed = r
		j.detail++
	}
	data, err := json.Marshal(line)
	if err != nil {
		return j.wrap(nil, err)
	}
	sep := ",\n  "
	if j.runs == 0 {
		sep = "\n  "
	}
	j.runs++
	_, err = j.out.WriteString(sep)
	if err == nil {
		_, err = j.out.Write(data)
	}
	return j.wrap(nil, err)
}

// Close writes what came of all and gives the file its name.
func (j *JSON) Close(res *Results) error {
	if j.failed {
		j.Abandon()
		return nil
	}
	data, err := json.MarshalIndent(res, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(j.out, "\n],\n%s\n", bytes.TrimPrefix(data, []byte("{\n")))
	}
	if err == nil {
		err = j.out.Flush()
	}
	if err == nil {
		err = j.file.Commit()
	} else {
		err = errors.Join(err, j.file.Close())
	}
	return j.wrap(nil, err)
}

// Abandon closes the file as it is, under the name of one that is not whole.
func (j *JSON) Abandon() { _ = j.file.Close() } // what was wrong with it was told before
