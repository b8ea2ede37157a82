package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// timeless are the folders whose code takes time and chance as arguments, so
// that the same input gives the same frames: the data plane, and the control
// plane's transitions, and all that a laboratory in virtual time has besides.
var timeless = []string{
	"internal/dataplane", "internal/control", "internal/plan", "internal/virtual", "internal/drill/simulated", "internal/store/memory",
	"internal/guest/machines.go", "internal/guest/machineneighbor.go", "internal/guest/machineinput.go",
	"internal/guest/machinetcp.go", "internal/guest/machineweb.go", "internal/guest/machineclient.go",
	"internal/guest/meter.go", "internal/guest/samples.go", "internal/guest/conns.go", "internal/guest/pacer.go",
}

// forTests serves tests, as their own files do.
const forTests = "internal/control/controltest"

// shells are the places in them that may wait for real time: goroutines around
// the pure steps, which only decide when the next step runs. Files, then what
// they use. The failover controller is a shell as a whole but for its clock.
var shells = map[string][]string{
	"internal/dataplane/engine.go":            {"time.NewTicker"}, // wakes parked workers for their housekeeping
	"internal/dataplane/delay.go":             {"time.NewTimer"},  // wakes workers when delayed frames are due
	"internal/dataplane/observe.go":           {"time.NewTicker"}, // tells observers at intervals
	"internal/control/commit.go":              {"time.NewTimer"},  // waits for the next end of a transition
	"internal/control/failover/controller.go": {"time.NewTicker"}, // unless Options.Ticks says otherwise
}

// clocks are the functions of package time that read or wait for the machine's
// clock; seeded are what packages of chance offer that has a seed.
var (
	clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}
	seeded = []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}
)

// impure returns what a source file uses of the machine's clock and chance, as
// "time.Now", sorted.
func impure(name string, src any) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
	if err != nil {
		return nil, err
	}
	names := map[string]string{} // by what the file calls them
	var found []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		called := ""
		switch path {
		case "time":
			called = "time"
		case "math/rand", "math/rand/v2", "crypto/rand":
			called = "rand"
		default:
			continue
		}
		if spec.Name != nil {
			if called = spec.Name.Name; called == "." {
				found = append(found, "all of "+path) // nobody could tell what is used
			}
		}
		names[called] = path
	}
	ast.Inspect(f, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := sel.X.(*ast.Ident)
		if !ok || x.Obj != nil { // a variable of that name
			return true
		}
		switch path := names[x.Name]; path {
		case "time":
			if slices.Contains(clocks, sel.Sel.Name) {
				found = append(found, "time."+sel.Sel.Name)
			}
		case "math/rand", "math/rand/v2":
			if !slices.Contains(seeded, sel.Sel.Name) {
				found = append(found, path+"."+sel.Sel.Name)
			}
		case "crypto/rand":
			found = append(found, path+"."+sel.Sel.Name)
		}
		return true
	})
	slices.Sort(found)
	return slices.Compact(found), nil
}

func TestCoreHasNoClockAndNoChance(t *testing.T) {
	files := 0
	unused := map[string]bool{}
	for file := range shells {
		unused[file] = true
	}
	for _, folder := range timeless {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || path == filepath.Join("../..", forTests)):
				return fs.SkipDir
			case d.IsDir(), filepath.Ext(path) != ".go", strings.HasSuffix(path, "_test.go"):
				return nil
			}
			files++
			found, err := impure(path, nil)
			if err != nil {
				return fmt.Errorf("parsing %s: %w", path, err)
			}
			file := strings.TrimPrefix(filepath.ToSlash(path), "../../")
			for _, use := range found {
				if !slices.Contains(shells[file], use) {
					t.Errorf("%s uses %s: take time or chance as an argument, or say in shells why not", file, use)
				}
			}
			if slices.Equal(found, shells[file]) {
				delete(unused, file)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 50 {
		t.Errorf("looked at %d files only", files)
	}
	for file := range unused {
		t.Errorf("shells allows %v in %s, which does not use all of it any more", shells[file], file)
	}
}

func TestImpureSees(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"pure", `import "time"; var d = 3 * time.Second; func f(now time.Time) time.Time { return now.Add(d) }`, ""},
		{"now", `import "time"; var t = time.Now()`, "time.Now"},
		{"as a value", `import "time"; var now = time.Now`, "time.Now"},
		{"renamed", `import clock "time"; func f() { clock.Sleep(1) }`, "time.Sleep"},
		{"dot", `import . "time"; var t = Now()`, "all of time"},
		{"shadowed", `import "time"; type c struct{ Now int }; func f(time c) int { return time.Now }; var _ time.Time`, ""},
		{"global chance", `import "math/rand/v2"; var n = rand.IntN(4)`, "math/rand/v2.IntN"},
		{"old chance", `import "math/rand"; func f() { rand.Shuffle(1, nil) }`, "math/rand.Shuffle"},
		{"seeded chance", `import "math/rand/v2"; var r *rand.Rand = rand.New(rand.NewPCG(1, 2)); var n = r.IntN(4)`, ""},
		{"the system's", `import "crypto/rand"; var s = rand.Text()`, "crypto/rand.Text"},
		{"twice", `import "time"; var a, b, c = time.Now(), time.Now(), time.After(1)`, "time.After time.Now"},
	} {
		got, err := impure(tc.name+".go", "package p; "+tc.src)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: found %q, want %q", tc.name, s, tc.want)
		}
	}
}
