package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"enilab/internal/drill"
	"enilab/internal/outfile"
)

// Folder is a report's folder: index.html, results.json, and captures.
type Folder struct {
	dir  string
	json *JSON
	of   *captures
}

// CreateFolder makes the folder, if it is not there, and begins results.json. A
// folder that holds something else than an earlier report is refused.
func CreateFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the report's folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading the report's folder: %w", err)
	}
	for _, e := range entries {
		if !ours.MatchString(e.Name()) || e.IsDir() {
			return nil, fmt.Errorf("%s holds %s, which is not of a report: choose a folder of its own", dir, e.Name())
		}
	}
	if err := earlier(dir, entries); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return nil, fmt.Errorf("removing the earlier report: %w", err)
		}
	}
	f := &Folder{dir: dir}
	f.json, err = CreateJSON(filepath.Join(dir, "results.json"))
	return f, err
}

// How this package begins its files: a folder is replaced only if they are of it.
var beginnings = map[string]string{"index.html": "<title>enilab run: ", "results.json": `"runs": [`}

// earlier refuses a folder whose files have the names of a report's but are not of
// one: somebody else's index.html must not be lost.
func earlier(dir string, entries []os.DirEntry) error {
	known := len(entries) == 0
	for _, e := range entries {
		want, ok := beginnings[strings.TrimSuffix(e.Name(), outfile.Suffix)]
		if !ok {
			continue
		}
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("reading the report's folder: %w", err)
		}
		begins, err := io.ReadAll(io.LimitReader(f, 1024))
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("reading the report's folder: %w", err)
		}
		if !bytes.Contains(begins, []byte(want)) && len(begins) > 0 {
			return fmt.Errorf("%s holds %s, which no enilab run has written: choose a folder of its own", dir, e.Name())
		}
		known = true
	}
	if !known {
		return fmt.Errorf("%s holds %s and no report: choose a folder of its own", dir, entries[0].Name())
	}
	return nil
}

// ours are the names of a report's files.
var ours = regexp.MustCompile(`^(index\.html|results\.json|.*-comparison\.svg|.*-(first|median|worst|run-\d+)\.pcapng)(\.[a-z0-9]+\.partial)?$`)

// Begin begins a variant.
func (f *Folder) Begin(v *Variant, index int) {
	base := filepath.Base(v.File)
	prefix := fmt.Sprintf("%d-%s", index+1, strings.TrimSuffix(base, filepath.Ext(base)))
	if v.Strategy != "" {
		prefix += "-" + v.Strategy
	}
	f.of = &captures{dir: f.dir, prefix: prefix}
}

// Capture is where a run's capture is written.
func (f *Folder) Capture(number int) string { return f.of.path(number) }

// Add takes one run.
func (f *Folder) Add(v *Variant, index int, r *drill.Run, verdict drill.Verdict, t *drill.Tally) error {
	median, _ := t.Series(drill.MetricOutage).At(drill.P50, 0, 0)
	return errors.Join(f.json.Add(index, r, verdict), f.of.add(r, v.Shown["worst"] == r, median))
}

// End ends a variant.
func (f *Folder) End(v *Variant) (err error) {
	v.Captures, err = f.of.finish(max(v.Metrics[drill.MetricOutage].P50, 0))
	return err
}

// Close writes the page and ends results.json.
func (f *Folder) Close(res *Results) error {
	page, err := os.Create(filepath.Join(f.dir, "index.html"))
	if err == nil {
		err = errors.Join(WritePage(page, res), page.Close())
	}
	for _, of := range byFile(res) {
		if len(of.Variants) > 1 && len(clientNames(of.Variants)) > 0 {
			err = errors.Join(err, f.picture(of))
		}
	}
	return errors.Join(err, f.json.Close(res))
}

// picture writes a comparison for whoever wants it outside the page.
func (f *Folder) picture(of *file) error {
	base := filepath.Base(of.Name)
	w, err := os.Create(filepath.Join(f.dir, strings.TrimSuffix(base, filepath.Ext(base))+"-comparison.svg"))
	if err != nil {
		return fmt.Errorf("writing a picture: %w", err)
	}
	return errors.Join(writePicture(w, of), w.Close())
}

// Abandon leaves what is there as it is.
func (f *Folder) Abandon() { f.json.Abandon() }
