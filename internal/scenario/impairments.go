package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/impair"
)

// allInjections is what clear ends all by; no injection has this name.
const allInjections = "all"

// Impairments puts impairments into the network; impair.Set does.
type Impairments interface {
	Add(in impair.Input) (impair.Impairment, error)
	Remove(id string) (ok bool, err error)
	Clear() error
}

var _ Impairments = (*impair.Set)(nil)

// injection is an impairment of the network, until it is cleared.
type injection struct {
	Name      string   `yaml:"name"` // for clear; "": only clear: all ends it
	Kind      string   `yaml:"kind"`
	Of        place    `yaml:"of"`
	To        place    `yaml:"to"`
	Direction string   `yaml:"direction"`
	Protocol  string   `yaml:"protocol"`
	Port      int      `yaml:"port"`
	Peers     []string `yaml:"peers"`
	Share     float64  `yaml:"share"`
	Hit       int      `yaml:"hit"`
	Every     int      `yaml:"every"`
	Delay     duration `yaml:"delay"`
	Jitter    duration `yaml:"jitter"`
	Ordered   bool     `yaml:"ordered"`
	Rate      int64    `yaml:"rate"` // bits a second
	Queue     duration `yaml:"queue"`
	Seed      uint64   `yaml:"seed"`
}

// place is one end of an injection.
type place struct {
	Instance         string `yaml:"instance"` // or an internet host
	DeviceIndex      *int   `yaml:"deviceIndex"`
	NetworkInterface string `yaml:"networkInterface"`
	Subnet           string `yaml:"subnet"`
	Zone             string `yaml:"zone"` // as subnets of the file name theirs
}

func (p place) String() string {
	name := cmp.Or(p.Instance, p.NetworkInterface, p.Subnet)
	switch {
	case p.Zone != "":
		return "zone " + p.Zone
	case p.DeviceIndex != nil:
		return fmt.Sprintf("%s at %d", name, *p.DeviceIndex)
	}
	return cmp.Or(name, "everything")
}

func (j *injection) String() string {
	text := "inject " + j.Kind + " of " + j.Of.String()
	if j.To != (place{}) {
		text += " to " + j.To.String()
	}
	return text
}

// input is what impair is asked for, but for the places.
func (j *injection) input() impair.Input {
	return impair.Input{
		Kind: j.Kind, Direction: impair.Direction(j.Direction), Match: impair.Match{Protocol: j.Protocol, Port: j.Port, Peers: j.Peers}, Share: j.Share, Hit: j.Hit, Every: j.Every,
		Delay: time.Duration(j.Delay), Jitter: time.Duration(j.Jitter), Ordered: j.Ordered,
		Rate: j.Rate, Queue: time.Duration(j.Queue), Seed: j.Seed,
	}
}

// keyOf is the key of a scenario that is a field of the admin API.
var keyOf = map[string]string{"delayMs": "delay", "jitterMs": "jitter", "bitsPerSecond": "rate", "queueMs": "queue"}

// faultNames are the names of what steps inject.
func faultNames(f *file) map[string]bool {
	names := map[string]bool{}
	for i := range f.Steps {
		st := &f.Steps[i]
		if st.Inject != nil {
			names[st.Inject.Name] = true
		}
		if p := st.Change.Partition; p != nil {
			names[p.Name] = true
		}
		if a := st.Change.API; a != nil {
			names[a.Name] = true
		}
	}
	return names
}

// cleared checks the name that a step clears.
func (c *checker) cleared(at, name string) {
	if name != "" && name != allInjections && !c.faults[name] {
		c.fail(at+".clear", "no step injects %q: want the name of a fault, or %s", name, allInjections)
	}
}

// injectionName checks a name for clear.
func (c *checker) injectionName(path, name string) {
	if name == allInjections || name != "" && !namePattern.MatchString(name) {
		c.fail(path, "name %q: want letters, digits, dots, dashes and underscores, at most 63, a letter or digit first, and not %s", name, allInjections)
	}
}

func (c *checker) injection(at string, j *injection) {
	c.injectionName(at+".name", j.Name)
	c.place(at+".of", j.Of)
	c.place(at+".to", j.To)
	in := j.input()
	var refusal *control.Error
	if err := in.Check(); errors.As(err, &refusal) {
		c.fail(at+"."+cmp.Or(keyOf[refusal.Field], refusal.Field), "%s", refusal.Message)
	}
}

func (c *checker) place(at string, p place) {
	given := 0
	for _, name := range []string{p.Instance, p.NetworkInterface, p.Subnet, p.Zone} {
		if name != "" {
			given++
		}
	}
	switch {
	case given > 1:
		c.fail(at, "a place is one of instance, networkInterface, subnet, zone")
	case p.DeviceIndex != nil && p.Instance == "":
		c.fail(at+".deviceIndex", "a device index needs its instance")
	case p.DeviceIndex != nil && (*p.DeviceIndex < 0 || *p.DeviceIndex > impair.MaxDevice):
		c.fail(at+".deviceIndex", "a device index is 0 to %d, not %d", impair.MaxDevice, *p.DeviceIndex)
	case p.Instance != "":
		c.hostRef(at+".instance", p.Instance)
	case p.NetworkInterface != "":
		c.interfaceRef(at+".networkInterface", p.NetworkInterface)
	case p.Subnet != "":
		c.ref(at+".subnet", "subnet", p.Subnet, c.names.subnets)
	case p.Zone != "":
		if !slices.ContainsFunc(c.file.Subnets, func(n subnet) bool { return n.Zone == p.Zone }) {
			c.fail(at+".zone", "no subnet of this file is in zone %q", p.Zone)
		}
	}
}

func (r *Session) inject(j *injection) error {
	id, err := r.add(j)
	if err == nil && j.Name != "" {
		r.injected[j.Name] = append(r.injected[j.Name], id)
	}
	return err
}

// add puts an impairment into force and returns its id.
func (r *Session) add(j *injection) (string, error) {
	if r.Impairments == nil {
		return "", errors.New("nobody here impairs the network")
	}
	in := j.input()
	in.Of, in.To = r.place(j.Of), r.place(j.To)
	i, err := r.Impairments.Add(in)
	return i.ID, err
}

// place names by ids what a scenario names: others may have the same names.
func (r *Session) place(p place) impair.Place {
	out := impair.Place{
		Instance: cmp.Or(r.loaded.Instances[p.Instance], r.loaded.InternetHosts[p.Instance]), DeviceIndex: p.DeviceIndex,
		NetworkInterface: r.loaded.Interfaces[p.NetworkInterface], Subnet: r.loaded.Subnets[p.Subnet],
	}
	if p.Zone == "" {
		return out
	}
	for _, n := range r.sc.file.Subnets {
		if n.Zone == p.Zone {
			if made := r.Service.State().Subnet(r.loaded.Subnets[n.Name]); made != nil {
				out.Zone = made.Zone
			}
		}
	}
	return out
}

// clear ends the faults of a name, or every impairment and fault of calls.
func (r *Session) clear(name string) error {
	if r.Impairments == nil && r.APIFaults == nil {
		return errors.New("nobody here impairs the network")
	}
	if name == allInjections {
		clear(r.injected)
		clear(r.faulted)
		if r.APIFaults != nil {
			r.APIFaults.Clear()
		}
		if r.Impairments != nil {
			return r.Impairments.Clear()
		}
		return nil
	}
	impairments, faults := r.injected[name], r.faulted[name]
	if len(impairments)+len(faults) == 0 {
		return fmt.Errorf("%s is not in force", name)
	}
	delete(r.injected, name)
	delete(r.faulted, name)
	for _, id := range faults {
		r.APIFaults.Remove(id)
	}
	for _, id := range impairments {
		if _, err := r.Impairments.Remove(id); err != nil {
			return err
		}
	}
	return nil
}
