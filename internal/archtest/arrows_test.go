package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "enilab/"

// leaves know frames, not the engine.
var leaves = []string{
	"internal/dataplane/verdict", "internal/dataplane/frame", "internal/dataplane/route",
	"internal/dataplane/conntrack", "internal/dataplane/secgroup", "internal/dataplane/tap",
	"internal/dataplane/linklocal", "internal/dataplane/match", "internal/dataplane/netacl",
	"internal/dataplane/nat", "internal/dataplane/spec", "internal/dataplane/intern",
}

// arrows says for every folder whose packages it may import besides its own. A
// package belongs to the longest folder named here; one that belongs to none
// is an error, so that a new package is given its place on purpose.
var arrows = map[string][]string{
	"internal/dataplane/verdict":   nil,
	"internal/dataplane/frame":     nil,
	"internal/dataplane/route":     {"internal/dataplane/frame", "internal/dataplane/match"},
	"internal/dataplane/linklocal": {"internal/dataplane/frame"},
	"internal/dataplane/intern":    nil,
	"internal/dataplane/conntrack": {"internal/dataplane/frame", "internal/dataplane/verdict", "internal/dataplane/intern"},
	"internal/dataplane/match":     {"internal/dataplane/frame"},
	"internal/dataplane/nat":       {"internal/dataplane/frame", "internal/dataplane/intern"},
	"internal/dataplane/netacl":    {"internal/dataplane/frame", "internal/dataplane/verdict", "internal/dataplane/conntrack", "internal/dataplane/match"},
	"internal/dataplane/secgroup":  {"internal/dataplane/frame", "internal/dataplane/verdict", "internal/dataplane/conntrack", "internal/dataplane/match"},
	"internal/dataplane/tap":       {"internal/dataplane/frame", "internal/dataplane/verdict"},
	// Data only: what filters compile is described by their own types.
	"internal/dataplane/spec": {"internal/dataplane/frame", "internal/dataplane/conntrack", "internal/dataplane/netacl", "internal/dataplane/secgroup"},
	"internal/dataplane":      leaves,
	"internal/dataplane/sim":  with(leaves, "internal/dataplane"),

	// Neither the engine nor what it is told: of spec control has what rows hold
	// (workloads, served ports) and what comes back, and it numbers its rules from
	// where verdict's own end.
	"internal/control":      {"internal/control/rows", "internal/dataplane/spec", "internal/dataplane/frame", "internal/dataplane/verdict"},
	"internal/control/rows": nil,
	// The compiler of control's States into the data plane's Deltas.
	"internal/plan": {"internal/control", "internal/dataplane/spec", "internal/dataplane/frame", "internal/dataplane/conntrack",
		"internal/dataplane/secgroup", "internal/dataplane/netacl", "internal/dataplane/verdict"},
	// What the data plane would do, told from what it is told; and the questions that
	// are answered by it.
	"internal/predict": leaves,
	// The language of filters over records; who resolves names is behind an interface.
	"internal/filter":  with(leaves, "internal/dataplane"),
	"internal/answers": with(leaves, "internal/control", "internal/plan", "internal/predict"),
	// For tests alone: no folder names it.
	"internal/control/controltest": {"internal/control", "internal/plan", "internal/dataplane/spec", "internal/dataplane/frame"},
	"internal/store":               {"internal/dataplane/spec", "internal/dataplane/frame", "internal/control"},
	"internal/guest":               with(leaves, "internal/dataplane"),

	// The one arrow from control to guest: records are computed from the
	// samples and connections that the guests' meters take.
	"internal/control/failover": with(leaves, "internal/dataplane", "internal/control", "internal/guest"),

	// The network's own services on the wire, DHCP, DNS and time, which read the
	// State; metadata's, behind the API, shares their TCP.
	"internal/services": with(leaves, "internal/dataplane", "internal/control"),

	// What a person does to the network, told to the engine through an interface.
	"internal/impair": {"internal/dataplane/spec", "internal/control"},

	// Named copies of what a Source behind an interface stores.
	"internal/snapshot": nil,

	// What wires all parts but the API, for the server and for tests of the whole.
	"internal/lab": with(leaves, "internal/impair", "internal/dataplane", "internal/control", "internal/control/failover", "internal/plan", "internal/guest",
		"internal/services", "internal/api"),

	// Which calls fail on purpose, whoever makes them; and EC2's requests as data.
	"internal/api/apifault":  {"internal/control"},
	"internal/api/ec2/model": {"internal/api/ec2/query"},
	"internal/api/ec2/query": nil,

	// Experiments act by the calls of control, have those of the API fail, and impair the network.
	"internal/fis": {"internal/control", "internal/api", "internal/api/apifault", "internal/impair"},

	"internal/scenario": with(leaves, "internal/impair", "internal/dataplane", "internal/control", "internal/control/failover", "internal/guest", "internal/drill",
		"internal/api/apifault", "internal/api/ec2/model"),
	// Observations in, verdicts out; and what is written of them.
	"internal/outfile":      nil,
	"internal/plain":        nil,
	"internal/drill":        nil,
	"internal/drill/report": {"internal/drill", "internal/outfile"},
	// Who makes the laboratory of a run is behind an interface.
	"internal/drill/runner": {"internal/drill", "internal/drill/report", "internal/scenario", "internal/guest"},
	"internal/drill/late":   nil,
	// Who does a sweep's jobs is behind an interface; the queue alone knows NATS.
	"internal/drill/sweep": {"internal/drill", "internal/drill/report", "internal/drill/runner", "internal/scenario", "internal/outfile"},
	// By the admin API alone.
	"internal/drill/attached": {"internal/drill", "internal/drill/runner"},
	"internal/drill/live": with(leaves, "internal/impair", "internal/drill", "internal/drill/late", "internal/drill/runner", "internal/scenario", "internal/control", "internal/lab",
		"internal/store", "internal/api/apifault", "internal/api/ec2/model"),
	"internal/drill/simulated": with(leaves, "internal/impair", "internal/dataplane", "internal/drill", "internal/drill/runner", "internal/scenario",
		"internal/control", "internal/guest", "internal/virtual", "internal/api/apifault", "internal/api/ec2/model", "internal/store"),
	// The laboratory in virtual time: one goroutine, one seed.
	"internal/virtual": with(leaves, "internal/impair", "internal/dataplane", "internal/dataplane/sim", "internal/control", "internal/control/failover",
		"internal/guest", "internal/plan", "internal/store/memory", "internal/services", "internal/api"),
	"internal/store/memory":  {"internal/control"},
	"internal/drill/command": {"internal/drill", "internal/drill/report", "internal/drill/runner", "internal/drill/sweep", "internal/scenario", "internal/plain", "internal/outfile"},
	// Beside a living server, by Drivers that it is given; what is shown beside a
	// drill is of docs.
	"internal/drill/trials": {"internal/drill", "internal/drill/report", "internal/drill/runner", "internal/scenario", "internal/outfile", "docs"},
	// Guided exercises: a laboratory looked at in the words of scenarios.
	"internal/exercise": {"internal/scenario", "internal/drill", "internal/control", "internal/answers", "internal/dataplane/verdict", "docs"},
	// Pages to read, as files of the binary.
	"docs": nil,
	"internal/api": with(leaves, "docs", "internal/answers", "internal/filter", "internal/impair", "internal/snapshot", "internal/drill/report", "internal/drill/trials", "internal/dataplane", "internal/control", "internal/control/failover", "internal/guest", "internal/services",
		"internal/fis", "internal/api/apifault", "internal/api/ec2/model", "internal/api/ec2/query"),
	// The APIs before a laboratory, for the command and for tests in process.
	"internal/served": with(leaves, "internal/api", "internal/api/apifault", "internal/api/ec2/query", "internal/control/failover", "internal/fis", "internal/lab"),
	// What tests of others import; nothing of the product imports it.
	"clients/go": with(leaves, "internal/impair", "internal/api", "internal/control", "internal/control/failover", "internal/drill", "internal/drill/late", "internal/drill/runner",
		"internal/lab", "internal/scenario", "internal/served", "internal/store/memory"),
	// The verbs over the admin API, with the forms of its answers.
	"internal/cli": {"internal/api", "internal/outfile", "internal/plain"},
	"web":          nil,
	"cmd": with(leaves, "internal/impair", "internal/dataplane", "internal/control", "internal/control/failover", "internal/guest",
		"internal/store", "internal/scenario", "internal/api", "internal/api/apifault", "internal/services", "internal/lab", "internal/fis", "internal/snapshot", "internal/cli", "internal/served", "web",
		"internal/drill", "internal/drill/report", "internal/drill/runner", "internal/drill/live", "internal/drill/simulated", "internal/drill/late",
		"internal/drill/attached", "internal/drill/command", "internal/drill/trials", "internal/drill/sweep", "internal/plain", "internal/exercise"),

	"internal/depspin":  nil,
	"internal/archtest": nil,
	// Drives the built binary from outside.
	"test": nil,
}

func with(list []string, more ...string) []string { return slices.Concat(list, more) }

// foreign says which packages of others a folder must not reach, directly or
// through anything it imports.
var foreign = map[string][]string{
	"internal/dataplane": {
		"database/sql", "net/http", "modernc.org/sqlite", "github.com/gofiber", "github.com/valyala/fasthttp",
		"github.com/gorilla/websocket", "github.com/danielgtaylor/huma", "gvisor.dev",
	},
	"internal/control": {
		"database/sql", "modernc.org/sqlite", "github.com/gofiber", "github.com/valyala/fasthttp",
		"github.com/gorilla/websocket", "github.com/danielgtaylor/huma", "gvisor.dev",
	},
	"internal/store": {
		"net/http", "github.com/gofiber", "github.com/valyala/fasthttp", "github.com/gorilla/websocket",
		"github.com/danielgtaylor/huma", "gvisor.dev",
	},
	"internal/guest": {"database/sql", "modernc.org/sqlite", "github.com/gofiber"},
	// Its tables cost every start 7 MB; pcapgo brings it along. And the server that
	// tests of sweeps run in their own process.
	"cmd": {"github.com/google/gopacket/layers", "github.com/nats-io/nats-server"},
}

// pkg is what `go list` tells of one package. Tests' imports are not in it:
// an integration test may wire what the product must not.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = "../.."
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaint.Bytes())
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("reading what go list printed: %v", err)
		}
		all = append(all, p)
	}
}

func within(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

// folderOf returns the folder of arrows that a package belongs to.
func folderOf(importPath string) (folder string, ok bool) {
	path := strings.TrimPrefix(importPath, module)
	for f := range arrows {
		if within(path, f) && len(f) > len(folder) {
			folder = f
		}
	}
	return folder, folder != ""
}

// wrongArrows returns a sentence for every import that arrows does not allow.
func wrongArrows(all []pkg) (wrong []string) {
	for _, p := range all {
		from, ok := folderOf(p.ImportPath)
		if !ok {
			wrong = append(wrong, p.ImportPath+" has no place in the architecture: give it one in arrows")
			continue
		}
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, module) {
				continue
			}
			if to, ok := folderOf(imported); !ok || to != from && !slices.Contains(arrows[from], to) {
				wrong = append(wrong, fmt.Sprintf("%s imports %s, want only %s", p.ImportPath, imported, strings.Join(arrows[from], ", ")))
			}
		}
	}
	return wrong
}

// wrongForeign returns a sentence for every foreign package that is reached
// from where it must not be.
func wrongForeign(all []pkg) (wrong []string) {
	for _, p := range all {
		folder, _ := folderOf(p.ImportPath)
		var banned []string
		for f, list := range foreign {
			if within(folder, f) && folder != "internal/control/failover" { // it probes through the guests
				banned = append(banned, list...)
			}
		}
		for _, dep := range p.Deps {
			if i := slices.IndexFunc(banned, func(b string) bool { return within(dep, b) }); i >= 0 {
				wrong = append(wrong, p.ImportPath+" reaches "+dep)
			}
		}
	}
	return wrong
}

func TestImportsPointOneWay(t *testing.T) {
	for _, w := range wrongArrows(listPackages(t)) {
		t.Error(w)
	}
}

func TestCoreReachesNoServerDatabaseOrStack(t *testing.T) {
	for _, w := range wrongForeign(listPackages(t)) {
		t.Error(w)
	}
}

// A rule that nothing can break is none.
func TestArrowsRefuse(t *testing.T) {
	for _, tc := range []struct {
		from, to string
		allowed  bool
	}{
		{"internal/dataplane", "internal/dataplane/tap", true},
		{"internal/dataplane/sim", "internal/dataplane", true},
		{"internal/control", "internal/dataplane/spec", true},
		{"internal/plan", "internal/control", true},
		{"internal/lab", "internal/plan", true},
		{"internal/control/failover", "internal/guest", true},
		{"internal/store/column", "internal/control", true},
		{"internal/api/rest", "internal/api/stream", true},
		{"cmd/server", "internal/store", true},
		{"internal/api/imds/inplane", "internal/services/stacks", true},

		{"internal/dataplane/tap", "internal/dataplane", false},
		{"internal/dataplane/frame", "internal/dataplane/verdict", false},
		{"internal/dataplane", "internal/dataplane/sim", false},
		{"internal/dataplane", "internal/control", false},
		{"internal/control", "internal/store", false},
		{"internal/control", "internal/dataplane", false},
		{"internal/control", "internal/dataplane/tap", false},
		{"internal/control", "internal/plan", false},
		{"internal/control", "internal/dataplane/secgroup", false},
		{"internal/plan", "internal/dataplane", false},
		{"internal/lab", "internal/control/controltest", false},
		{"internal/store", "internal/dataplane", false},
		{"internal/dataplane/spec", "internal/dataplane", false},
		{"internal/control", "internal/guest", false},
		{"internal/control", "internal/control/failover", false},
		{"internal/control/failover", "internal/api/rest", false},
		{"internal/store", "internal/guest", false},
		{"internal/virtual", "internal/store", false},
		{"internal/virtual", "internal/dataplane/sim", true},
		{"internal/guest", "internal/control", false},
		{"internal/api/rest", "internal/store", false},
		{"internal/api/rest", "cmd/server", false},
		{"web", "internal/control", false},
		{"internal/services/dns", "internal/api/imds", false},
		{"internal/control", "internal/services", false},
		{"internal/drill", "internal/scenario", false},
		{"internal/drill/runner", "internal/lab", false},
		{"internal/drill/live", "internal/lab", true},
		{"internal/newcomer", "internal/dataplane/verdict", false},
	} {
		got := wrongArrows([]pkg{{ImportPath: module + tc.from, Imports: []string{"fmt", module + tc.to}}})
		if (len(got) == 0) != tc.allowed {
			t.Errorf("%s -> %s: got %q, want allowed %t", tc.from, tc.to, got, tc.allowed)
		}
	}
	if len(wrongForeign([]pkg{{ImportPath: module + "internal/dataplane/tap", Deps: []string{"database/sql/driver"}}})) == 0 {
		t.Error("database/sql/driver behind internal/dataplane/tap was not noticed")
	}
	if len(wrongForeign([]pkg{{ImportPath: module + "cmd/server", Deps: []string{"github.com/google/gopacket", "github.com/google/gopacket/layers"}}})) != 1 {
		t.Error("gopacket/layers behind cmd/server was not noticed, or gopacket was")
	}
}
