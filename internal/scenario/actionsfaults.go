package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/drill"
)

// APIFaults has calls of the EC2 API fail, be throttled or hang; apifault.Set does.
type APIFaults interface {
	Add(f apifault.Fault) (apifault.Fault, error)
	Remove(id string) (ok bool)
	Clear()
}

var _ APIFaults = (*apifault.Set)(nil)

// parting is the impairment that loses every frame between two places.
type parting struct {
	Name      string `yaml:"name"` // for clear
	Of        place  `yaml:"of"`
	To        place  `yaml:"to"`
	Direction string `yaml:"direction"`
}

func (p *parting) injection() *injection {
	return &injection{Name: p.Name, Kind: "partition", Of: p.Of, To: p.To, Direction: p.Direction}
}

func (p *parting) String() string {
	text := "partition " + p.Of.String()
	if p.To != (place{}) {
		text += " from " + p.To.String()
	}
	if p.Direction != "" && p.Direction != "both" {
		text += ", " + p.Direction
	}
	return text
}

func (p *parting) check(c *checker, at string) { c.injection(at, p.injection()) }

func (p *parting) do(_ context.Context, r *Session) error { return r.inject(p.injection()) }

// lagging has the metadata of an instance show what was a while ago.
type lagging struct {
	Instance string       `yaml:"instance"`
	Lag      *drill.Limit `yaml:"lag"` // 0s: no more
}

func (l *lagging) lag() time.Duration {
	if l.Lag == nil {
		return 0
	}
	return time.Duration(*l.Lag)
}

func (l *lagging) String() string {
	return fmt.Sprintf("metadata of %s lag by %v", l.Instance, l.lag())
}

func (l *lagging) check(c *checker, at string) {
	c.ref(at+".instance", "instance", l.Instance, c.names.instances)
	switch {
	case l.Lag == nil:
		c.fail(at, "want lag, a time such as 5s; 0s ends it")
	case l.lag() > control.MaxMetadataLag:
		c.fail(at+".lag", "metadata can lag by %v at most", control.MaxMetadataLag)
	}
}

func (l *lagging) do(ctx context.Context, r *Session) error {
	_, err := r.Service.SetMetadataLag(ctx, r.loaded.Instances[l.Instance], l.lag())
	return err
}

// callsFailed has calls of the EC2 API fail, be throttled or hang: those of clients,
// of failover policies, and of the steps.
type callsFailed struct {
	Name      string   `yaml:"name"` // for clear
	Operation string   `yaml:"operation"`
	Kind      string   `yaml:"kind"` // fail, throttle, hang
	When      string   `yaml:"when"` // before, after; "": before
	Code      string   `yaml:"code"`
	Message   string   `yaml:"message"`
	Hang      duration `yaml:"hang"`
	Calls     int      `yaml:"calls"` // 0: until it is cleared
	Share     float64  `yaml:"share"` // 0: all
	Seed      uint64   `yaml:"seed"`  // 0: the run's
}

func (a *callsFailed) String() string {
	text := fmt.Sprintf("%s %s", a.Kind, cmp.Or(a.Operation, apifault.Every))
	if a.Calls > 0 {
		text += fmt.Sprintf(" %d times", a.Calls)
	}
	return text
}

func (a *callsFailed) fault() apifault.Fault {
	return apifault.Fault{
		API: apifault.EC2, Operation: a.Operation, Kind: apifault.Kind(a.Kind), When: apifault.When(a.When),
		Code: a.Code, Message: a.Message, Hang: time.Duration(a.Hang), Calls: a.Calls, Share: a.Share, Seed: a.Seed,
	}
}

// faultKeys are the keys of a scenario that are other fields of the admin API.
var faultKeys = map[string]string{"hangMs": "hang"}

func (a *callsFailed) check(c *checker, at string) {
	c.injectionName(at+".name", a.Name)
	if a.Operation != apifault.Every {
		if _, ok := slices.BinarySearch(model.Names, a.Operation); !ok {
			c.fail(at+".operation", "%q is no action of EC2 such as AttachNetworkInterface; %s is for all", a.Operation, apifault.Every)
		}
	}
	var refusal *control.Error
	if err := a.fault().Check(); errors.As(err, &refusal) {
		c.fail(at+"."+cmp.Or(faultKeys[refusal.Field], refusal.Field), "%s", refusal.Message)
	}
}

func (a *callsFailed) do(_ context.Context, r *Session) error {
	if r.APIFaults == nil {
		return errors.New("nobody here has calls fail")
	}
	f, err := r.APIFaults.Add(a.fault())
	if err == nil && a.Name != "" {
		r.faulted[a.Name] = append(r.faulted[a.Name], f.ID)
	}
	return err
}
