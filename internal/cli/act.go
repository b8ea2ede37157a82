package cli

import (
	"fmt"
	"strconv"
	"time"

	"enilab/internal/api/rest"
)

type failCmd struct {
	Instance string `arg:"" predictor:"station" help:"Instance or internet host, by name or id."`
	Mode     string `default:"freeze" enum:"freeze,link,stop" help:"How: freeze (nothing runs), link (its network is cut) or stop (EC2 sees it stop)."`
	Remote
}

var faultWords = map[string]string{
	"freeze": "nothing runs on it (freeze)", "link": "its network is cut (link)", "stop": "it stops (stop)",
}

// Run has an instance fail.
func (c *failCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		t, path, err := s.machine(c.Instance)
		if err != nil {
			return err
		}
		var after map[string]any
		if err := s.call(s.Ctx, "POST", path+"/fail", map[string]string{"mode": c.Mode}, &after); err != nil {
			return err
		}
		return s.say(after, "%s has failed: %s", t.called(), faultWords[c.Mode])
	})
}

type recoverCmd struct {
	Instance string `arg:"" predictor:"station" help:"Instance or internet host, by name or id."`
	Remote
}

// Run ends an instance's failure.
func (c *recoverCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		t, path, err := s.machine(c.Instance)
		if err != nil {
			return err
		}
		var before, after map[string]any
		if err := s.call(s.Ctx, "GET", path, nil, &before); err != nil {
			return err
		}
		if err := s.call(s.Ctx, "POST", path+"/recover", nil, &after); err != nil {
			return err
		}
		if before["fault"] == "" {
			return s.say(after, "%s had not failed", t.called())
		}
		return s.say(after, "%s has recovered from %s", t.called(), word(before["fault"]))
	})
}

type moveCmd struct {
	ENI      string `arg:"" name:"eni" predictor:"eni" help:"Network interface, by name, id or address."`
	Instance string `arg:"" predictor:"instance" help:"Instance that it goes to, by name or id."`
	Device   *int   `placeholder:"N" help:"Device index there. Default: the present one if it is free, else the lowest free one."`
	Force    bool   `help:"Detach by force."`
	DryRun   bool   `help:"Only say whether the move would be accepted."`
	Remote
}

// Run moves a network interface.
func (c *moveCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		n, err := s.networkInterface(c.ENI)
		if err != nil {
			return err
		}
		to, err := s.instance(c.Instance)
		if err != nil {
			return err
		}
		body := map[string]any{"instanceId": to.ID, "force": c.Force, "dryRun": c.DryRun}
		if c.Device != nil {
			body["deviceIndex"] = *c.Device
		}
		var m rest.Move
		if err := s.call(s.Ctx, "POST", "network-interfaces/"+n.ID+"/move", body, &m); err != nil {
			return err
		}
		what, whither := interfaceThing(n).called(), instanceThing(to).called()
		if c.DryRun {
			return s.say(m, "%s could move to %s, device %s", what, whither, device(m))
		}
		return s.say(m, "%s is with %s, device %s, %s after the call; record %s", what, whither, device(m), between(m.AcceptedAt, m.AttachedAt), m.FailoverID)
	})
}

func device(m rest.Move) string {
	if m.DeviceIndex == nil {
		return "unknown"
	}
	return strconv.Itoa(*m.DeviceIndex)
}

// between is the time between two instants of the API.
func between(from, to string) string {
	a, err := strconv.ParseInt(from, 10, 64)
	b, err2 := strconv.ParseInt(to, 10, 64)
	if err != nil || err2 != nil {
		return "an unknown time"
	}
	return time.Duration(b - a).Round(10 * time.Microsecond).String()
}

type resetCmd struct{ Remote }

// Run takes everything back to the start.
func (c *resetCmd) Run(e Env) error {
	return c.do(e, func(s *session) error {
		if err := s.call(s.Ctx, "POST", "reset", nil, nil); err != nil {
			return err
		}
		var t rest.Topology
		if err := s.call(s.Ctx, "GET", "topology", nil, &t); err != nil {
			return err
		}
		return s.say(map[string]any{"revision": t.Revision}, "the laboratory is as it was at the start: %s", counted(t))
	})
}

func counted(t rest.Topology) string {
	return fmt.Sprintf("instances: %d, network interfaces: %d, VPCs: %d", len(t.Instances), len(t.NetworkInterfaces), len(t.VPCs))
}
