package impair_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
	"enilab/internal/impair"
)

// plane has what the data plane would be told.
type plane struct {
	told   []spec.Impairment
	refuse error
}

func (p *plane) Impair(list []spec.Impairment) error {
	if p.refuse == nil {
		p.told = list
	}
	return p.refuse
}

func (p *plane) Impaired(string) (seen, hit uint64, ok bool) { return 10, 3, true }

// world is a Set on a site with two instances, "one" and twice "two".
type world struct {
	*controltest.Site
	*impair.Set
	plane *plane
	notes []string
	one   *control.Instance
	eni   *control.NetworkInterface
}

func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{Site: controltest.NewSite(t), plane: &plane{}}
		w.one = w.Run(w.A, "t3.medium")
		name := func(id, name string) { w.Check(w.SetTags(w.Ctx, id, control.Tags{"Name": name}, nil)) }
		name(w.one.ID, "one")
		name(w.Run(w.A, "t3.medium").ID, "two")
		name(w.Run(w.A, "t3.medium").ID, "two")
		w.eni = w.ENI(w.A, "")
		name(w.eni.ID, "eth1")
		name(w.A.ID, "here")
		w.Set = impair.New(impair.Options{Plane: w.plane, State: w.State, Seed: 7, Note: func(typ, id string, kv ...string) error {
			w.notes = append(w.notes, strings.Join(append([]string{typ, id}, kv...), " "))
			return nil
		}})
		f(t, w)
	})
}

// Places are found by id and by name, and direction says whose frames are meant.
func TestPlaces(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		index := 1
		one, eni := spec.Scope{Kind: spec.ScopeHost, ID: w.one.ID}, spec.Scope{Kind: spec.ScopeVNIC, ID: w.eni.ID}
		for _, c := range []struct {
			of, to    impair.Place
			direction impair.Direction
			from, at  spec.Scope
			both      bool
		}{
			{impair.Place{}, impair.Place{}, "", spec.Scope{}, spec.Scope{}, true},
			{impair.Place{Instance: "one"}, impair.Place{}, impair.Both, one, spec.Scope{}, true},
			{impair.Place{Instance: w.one.ID}, impair.Place{NetworkInterface: "eth1"}, impair.Out, one, eni, false},
			{impair.Place{Instance: "one"}, impair.Place{NetworkInterface: w.eni.ID}, impair.In, eni, one, false},
			{impair.Place{Instance: "one", DeviceIndex: &index}, impair.Place{}, impair.Out, spec.Scope{Kind: spec.ScopeLink, ID: w.one.ID, DeviceIndex: 1}, spec.Scope{}, false},
			{impair.Place{Subnet: "here"}, impair.Place{Zone: w.A.Zone}, impair.Out,
				spec.Scope{Kind: spec.ScopeSubnet, ID: w.A.ID}, spec.Scope{Kind: spec.ScopeZone, ID: w.A.Zone}, false},
		} {
			got, err := w.Add(impair.Input{Kind: "partition", Of: c.of, To: c.to, Direction: c.direction})
			if err != nil {
				t.Errorf("%+v: %v", c, err)
				continue
			}
			if got.From != c.from || got.Impairment.To != c.at || got.BothWays != c.both || got.Seed != 7 {
				t.Errorf("%+v: %+v", c, got)
			}
			if last := w.plane.told[len(w.plane.told)-1]; !reflect.DeepEqual(last, got.Impairment) {
				t.Errorf("the data plane is told %+v of %+v", last, got.Impairment)
			}
		}
	})
}

// Whatever is wrong is told with its field, and nothing changes.
func TestRefusals(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		negative, high := -1, impair.MaxDevice+1
		for _, c := range []struct {
			in    impair.Input
			field string
		}{
			{impair.Input{Kind: "rain"}, "kind"},
			{impair.Input{Kind: "loss"}, "share"},
			{impair.Input{Kind: "loss", Share: 1.1}, "share"},
			{impair.Input{Kind: "loss", Share: 0.5, Hit: 1, Every: 2}, "share"},
			{impair.Input{Kind: "loss", Hit: 3, Every: 2}, "hit"},
			{impair.Input{Kind: "loss", Hit: 1, Every: impair.MaxOf + 1}, "hit"},
			{impair.Input{Kind: "partition", Share: 0.5}, "share"},
			{impair.Input{Kind: "delay"}, "delayMs"},
			{impair.Input{Kind: "delay", Delay: impair.MaxDelay + 1}, "delayMs"},
			{impair.Input{Kind: "delay", Delay: -1}, "delayMs"},
			{impair.Input{Kind: "loss", Share: 0.5, Delay: time.Second}, "delayMs"},
			{impair.Input{Kind: "reorder", Share: 0.5, Jitter: time.Second}, "jitterMs"},
			{impair.Input{Kind: "rate"}, "bitsPerSecond"},
			{impair.Input{Kind: "rate", Rate: 1e6, Queue: impair.MaxQueue + 1}, "queueMs"},
			{impair.Input{Kind: "loss", Share: 0.5, Rate: 1e6}, "bitsPerSecond"},
			{impair.Input{Kind: "partition", Direction: "up"}, "direction"},
			{impair.Input{Kind: "partition", Seed: impair.MaxSeed + 1}, "seed"},
			{impair.Input{Kind: "partition", Of: impair.Place{Instance: "none"}}, "of.instance"},
			{impair.Input{Kind: "partition", Of: impair.Place{Instance: "two"}}, "of.instance"},
			{impair.Input{Kind: "partition", Of: impair.Place{Instance: "one", DeviceIndex: &negative}}, "of.deviceIndex"},
			{impair.Input{Kind: "partition", To: impair.Place{Instance: "one", DeviceIndex: &high}}, "to.deviceIndex"},
			{impair.Input{Kind: "partition", To: impair.Place{DeviceIndex: &high}}, "to.deviceIndex"},
			{impair.Input{Kind: "partition", To: impair.Place{NetworkInterface: "none"}}, "to.networkInterface"},
			{impair.Input{Kind: "partition", To: impair.Place{Subnet: "none"}}, "to.subnet"},
			{impair.Input{Kind: "partition", To: impair.Place{Zone: "us-east-1z"}}, "to.zone"},
			{impair.Input{Kind: "partition", To: impair.Place{Instance: "one", Subnet: "here"}}, "to"},
		} {
			_, err := w.Add(c.in)
			var e *control.Error
			if !errors.As(err, &e) || e.Code != "InvalidParameterValue" || e.Field != c.field {
				t.Errorf("%+v: %+v, want a refusal of %s", c.in, err, c.field)
			}
		}
		if len(w.List()) != 0 || w.plane.told != nil || len(w.notes) != 0 {
			t.Errorf("refusals have left %+v, %v", w.List(), w.notes)
		}
	})
}

// What is in force is what the data plane has taken, however it goes.
func TestComeAndGo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		loss := impair.Input{Kind: "loss", Hit: 1, Every: 4}
		for n := range impair.Max {
			if i, err := w.Add(loss); err != nil || i.ID != fmt.Sprintf("imp-%d", n+1) {
				t.Fatalf("%+v, %v", i, err)
			}
		}
		if _, err := w.Add(loss); err == nil || !strings.Contains(err.Error(), "delete one") {
			t.Errorf("one too many: %v", err)
		}
		if l := w.List(); len(l) != impair.Max || l[2].ID != "imp-3" || l[2].Seen != 10 || l[2].Acted != 3 {
			t.Errorf("%d in force: %+v", len(l), l[2])
		}
		if ok, err := w.Remove("imp-3"); !ok || err != nil || len(w.plane.told) != impair.Max-1 || w.plane.told[2].ID != "imp-4" {
			t.Errorf("removing one: %v, %v", ok, err)
		}
		if ok, err := w.Remove("imp-3"); ok || err != nil {
			t.Errorf("removing it again: %v, %v", ok, err)
		}
		w.plane.refuse = errors.New("not now")
		_, added := w.Add(loss)
		_, removed := w.Remove("imp-4")
		if added == nil || removed == nil || w.Clear() == nil || len(w.List()) != impair.Max-1 {
			t.Errorf("refused by the data plane: %v, %v; %d in force", added, removed, len(w.List()))
		}
		w.plane.refuse = nil
		if err := w.Clear(); err != nil || len(w.List()) != 0 || len(w.plane.told) != 0 {
			t.Errorf("after clearing: %v, %d in force", err, len(w.List()))
		}
		if i, err := w.Add(loss); err != nil || i.ID != "imp-101" {
			t.Errorf("an id is given twice: %+v, %v", i, err)
		}
		if n := len(w.notes); n != 2*impair.Max+1 || w.notes[0] != "impairment.created imp-1 kind loss" || w.notes[n-2] != "impairment.removed imp-100" {
			t.Errorf("%d events, %q", n, w.notes[n-2])
		}
	})
}
