package enilabtest

import (
	"context"
	"errors"
	"fmt"

	"enilab/internal/control"
	"enilab/internal/scenario"
)

// Option says how a laboratory is to be.
type Option func(*config) error

// config is what the options make.
type config struct {
	region, timing string
	seed           uint64
	keys           map[string]string // secrets by id; none: any key does
	quotas         control.Quotas
	open           func(ctx context.Context, settings []string) (*scenario.Scenario, error) // nil: nothing is in it
	settings       []string
}

// Scenario fills the laboratory with a scenario of enilab, such as demo or
// eni-failover, or with that of a file. Its steps are not carried out: see Drill.
func Scenario(nameOrFile string) Option {
	return filled(func(ctx context.Context, settings []string) (*scenario.Scenario, error) {
		return scenario.OpenWith(ctx, nameOrFile, settings)
	})
}

// YAML fills the laboratory with a scenario that is written out. docs/scenarios.md
// and docs/drills.md have its keys.
func YAML(text string) Option {
	return filled(func(ctx context.Context, settings []string) (*scenario.Scenario, error) {
		return scenario.ParseWith(ctx, "scenario.yaml", []byte(text), settings)
	})
}

func filled(open func(context.Context, []string) (*scenario.Scenario, error)) Option {
	return func(c *config) error {
		if c.open != nil {
			return errors.New("a laboratory is filled with one scenario, and two are given")
		}
		c.open = open
		return nil
	}
}

// Set changes values of the scenario before it is checked, each by KEY=VALUE such
// as policies[0].probe.misses=5.
func Set(settings ...string) Option {
	return func(c *config) error {
		c.settings = append(c.settings, settings...)
		return nil
	}
}

// Timing is how long states such as attaching last: fast, 20 ms and the default,
// or aws, as AWS takes. docs/bad-day.md has the durations.
func Timing(name string) Option {
	return func(c *config) error {
		if name != "fast" && name != "aws" {
			return fmt.Errorf("timing %q: want fast or aws", name)
		}
		c.timing = name
		return nil
	}
}

// Seed is that of ids, MACs and hashes, 1 unless it is given: two laboratories of
// one seed in which the same is done in the same order have the same ids.
func Seed(seed uint64) Option {
	return func(c *config) error {
		c.seed = seed
		return nil
	}
}

// Region is the AWS region to be, us-east-1 unless it is given.
func Region(name string) Option {
	return func(c *config) error {
		if control.RegionByName(name) == nil {
			return fmt.Errorf("there is no region %q: want one such as us-east-1", name)
		}
		c.region = name
		return nil
	}
}

// Key has requests verified: they must be signed with this key. Without it any
// key does.
func Key(id, secret string) Option {
	return func(c *config) error {
		if id == "" || secret == "" {
			return errors.New("a key has an id and a secret, and one of them is empty")
		}
		c.keys = map[string]string{id: secret}
		return nil
	}
}

// Quotas holds the account to the quotas of a new AWS account: 5 VPCs, 5 Elastic
// IPs and so on. Without it there are none.
func Quotas() Option {
	return func(c *config) error {
		c.quotas = control.QuotasAWS
		return nil
	}
}
