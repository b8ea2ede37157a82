package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/posener/complete"
	"github.com/willabides/kongplete"

	"enilab/internal/api/rest"
)

// CompletionCmd prints what makes a shell complete.
type CompletionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// scripts ask the binary itself, with the line typed so far in COMP_LINE.
var scripts = map[string]string{
	"bash": "complete -o default -C %[1]s enilab\n",
	"zsh":  "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\ncomplete -o default -C %[1]s enilab\n",
	"fish": `function __enilab_complete
    set -lx COMP_LINE (commandline -cp)
    test -z (commandline -ct)
    and set COMP_LINE "$COMP_LINE "
    %[1]s
end
complete -c enilab -a "(__enilab_complete)"
`,
}

// Run prints it.
func (c *CompletionCmd) Run(e Env) error {
	bin, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	_, err = fmt.Fprintf(e.Stdout, scripts[c.Shell], "'"+strings.ReplaceAll(bin, "'", `'\''`)+"'")
	return err
}

// completionTime is how long a person waits for names at a key press.
const completionTime = 700 * time.Millisecond

// Predictors complete names from the living laboratory, and nothing if none answers.
func Predictors() []kongplete.Option {
	living := func(ask func(context.Context, *client) []thing) complete.Predictor {
		return complete.PredictFunc(func(a complete.Args) []string {
			ctx, cancel := context.WithTimeout(context.Background(), completionTime)
			defer cancel()
			r := remoteOf(a.All, os.Getenv)
			c, err := r.client()
			if err != nil {
				return nil
			}
			return offered(ask(ctx, c))
		})
	}
	instances := func(ctx context.Context, c *client) []thing {
		all, _ := listOf[rest.Instance](ctx, c, "instances")
		return things(all, instanceThing)
	}
	interfaces := func(ctx context.Context, c *client) []thing {
		all, _ := listOf[rest.NetworkInterface](ctx, c, "network-interfaces")
		return things(all, interfaceThing)
	}
	hosts := func(ctx context.Context, c *client) []thing {
		all, _ := listOf[rest.InternetHost](ctx, c, "internet-hosts")
		return things(all, hostThing)
	}
	snapshots := func(ctx context.Context, c *client) []thing {
		all, _ := listOf[rest.Snapshot](ctx, c, "snapshots")
		return things(all, snapshotThing)
	}
	var words []string
	for _, k := range kinds {
		words = append(words, k.name)
	}
	return []kongplete.Option{
		kongplete.WithPredictor("kind", complete.PredictSet(words...)),
		kongplete.WithPredictor("instance", living(instances)),
		kongplete.WithPredictor("eni", living(interfaces)),
		kongplete.WithPredictor("snapshot", living(snapshots)),
		kongplete.WithPredictor("assertion", living(func(ctx context.Context, c *client) []thing {
			all, _ := listOf[rest.Assertion](ctx, c, "assertions")
			return things(all, func(a rest.Assertion) thing {
				if strings.Contains(a.Name, " ") {
					return thing{id: a.ID} // a name that a shell would take apart
				}
				return assertionThing(a)
			})
		})),
		kongplete.WithPredictor("part", living(func(ctx context.Context, c *client) []thing {
			var t rest.Topology
			if c.call(ctx, "GET", "topology", nil, &t) != nil {
				return nil
			}
			return parts(t)
		})),
		kongplete.WithPredictor("station", living(func(ctx context.Context, c *client) []thing {
			return slices.Concat(instances(ctx, c), interfaces(ctx, c), hosts(ctx, c))
		})),
	}
}

// offered are names that mean one thing, and ids of what has none.
func offered(all []thing) (words []string) {
	held := map[string]int{}
	for _, t := range all {
		if !t.past {
			held[t.called()]++
		}
	}
	for _, t := range all {
		if word := t.called(); !t.past && held[word] == 1 && !strings.ContainsAny(word, " \t'\"\\$`") {
			words = append(words, word)
		}
	}
	return words
}

// remoteOf reads, out of a line that is not finished, which laboratory is meant.
func remoteOf(words []string, getenv func(string) string) Remote {
	r := Remote{Endpoint: getenv("ENILAB_ENDPOINT"), Token: getenv("ENILAB_TOKEN"), Data: getenv("ENILAB_DATA")}
	for k, word := range words {
		for flag, value := range map[string]*string{"--endpoint": &r.Endpoint, "--token": &r.Token, "--data": &r.Data} {
			if rest, ok := strings.CutPrefix(word, flag+"="); ok {
				*value = rest
			} else if word == flag && k+1 < len(words) {
				*value = words[k+1]
			}
		}
	}
	if r.Data == "" {
		r.Data = defaultData
	}
	return r
}
