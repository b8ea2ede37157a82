package ec2

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"enilab/internal/api/ec2/model"
)

var update = flag.Bool("update", false, "write docs/ec2-api.md")

const docsHead = `# The EC2 API

` + "`aws --endpoint-url http://127.0.0.1:4566 ec2 ...`" + `, boto3 and every other client of EC2's Query protocol drive the same control plane as the
page and the admin API; a change moves packets before it is answered. Any credentials are taken on loopback. With
` + "`--access-key ID=SECRET`" + ` (more than once for several) requests must be signed with one of these keys, or with what AssumeRole gave to one, and
wrong signatures are refused as AWS refuses them. Beyond loopback the API is open to clients with such a key only: they cannot send the
token that everything else asks for there. With ` + "`--access-key any`" + ` it is open to everybody who can reach the port ([ci.md](ci.md)).

State is per region: a request acts in the region it is signed for, one without a signature in that of ` + "`--region`" + `; a signature
whose scope cannot be read is refused. A region gets its default VPC when it is first asked for. The account is 123456789012.
STS answers GetCallerIdentity and AssumeRole. A parameter that an action knows but enilab does not act on is refused with
UnsupportedOperation, never ignored. A request has at most 1 MiB; a larger one is refused with RequestEntityTooLarge.
This list is written by ` + "`go test ./internal/api/ec2 -update`" + ` from the code.

`

// TestTheListOfActionsIsTrue holds docs/ec2-api.md to the handlers.
func TestTheListOfActionsIsTrue(t *testing.T) {
	var b strings.Builder
	b.WriteString(docsHead)
	var have, empty, lack []string
	for _, name := range model.Names {
		switch h, ok := handlers[name]; {
		case !ok:
			lack = append(lack, name)
		case h.empty:
			empty = append(empty, name)
		default:
			have = append(have, name)
		}
	}
	fmt.Fprintf(&b, "## Implemented: %d\n\nWith the parameters that are refused.\n\n| action | not acted on |\n|---|---|\n", len(have))
	types := decoded(t)
	for _, name := range have {
		h := handlers[name]
		fmt.Fprintf(&b, "| %s | %s |\n", name, strings.Join(h.left(types, name+"Request", ""), ", "))
	}
	fmt.Fprintf(&b, "\n## Answered with an empty list: %d\n\nThese list what there is none of here. They take the parameters and filters of the reference, and refuse what\nnames one with the code of what is not found.\n\n%s\n",
		len(empty), strings.Join(empty, ", "))
	fmt.Fprintf(&b, "\n## Not implemented: %d\n\nThese answer `UnsupportedOperation` and their own name; a name that EC2 does not have answers `InvalidAction`.\n\n%s\n",
		len(lack), strings.Join(lack, ", "))
	b.WriteString("\n## Filters by other names\n\nActions whose resources have tags take `tag-value` beside `tag-key` and `tag:NAME`. " +
		"Where somebody is known to ask by\na name that EC2's reference does not have, or no longer, the action takes that too:\n\n" +
		"| action | name | is | seen in |\n|---|---|---|---|\n")
	for _, a := range filterAliases {
		is := "a filter of its own"
		if a.is != "" {
			is = "`" + a.is + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", a.action, a.name, is, a.seen)
	}
	path := filepath.Join("..", "..", "..", "docs", "ec2-api.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != b.String() {
		t.Errorf("docs/ec2-api.md is not what the code says (%v): run go test ./internal/api/ec2 -update", err)
	}
	if !slices.IsSorted(model.Names) {
		t.Error("the names of actions are not sorted, but looked up as if they were")
	}
}
