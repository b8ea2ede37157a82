package store

import (
	"enilab/internal/control"
)

func deleteInterface(w *world) {
	if n := pick[control.NetworkInterface](w, control.TableNetworkInterface, nil); n != nil {
		dropInterface(w, n)
	}
}

func dropInterface(w *world, n *control.NetworkInterface) {
	release(w, func(a *control.Address) bool { return a.NetworkInterface == n.ID })
	w.delete(control.TableNetworkInterface, n.ID)
}

// deleteGroup moves the members of a group to another and removes the rules
// that refer to it, all in the commit that deletes it.
func deleteGroup(w *world) {
	g := pick[control.SecurityGroup](w, control.TableSecurityGroup, nil)
	if g == nil {
		return
	}
	heir := pick(w, control.TableSecurityGroup, func(o *control.SecurityGroup) bool { return o.VPC == g.VPC && o != g })
	if heir == nil {
		return
	}
	for _, n := range all[control.NetworkInterface](w, control.TableNetworkInterface) {
		for _, id := range n.Groups {
			if id == g.ID {
				c := *n
				c.Groups = []string{heir.ID}
				w.put(control.TableNetworkInterface, c.ID, &c)
			}
		}
	}
	for _, o := range all[control.SecurityGroup](w, control.TableSecurityGroup) {
		c := *o
		c.Rules = nil
		for _, r := range o.Rules {
			if r.Group != g.ID {
				c.Rules = append(c.Rules, r)
			}
		}
		if len(c.Rules) != len(o.Rules) {
			w.put(control.TableSecurityGroup, c.ID, &c)
		}
	}
	w.delete(control.TableSecurityGroup, g.ID)
}

func deleteInstance(w *world) {
	i := pick[control.Instance](w, control.TableInstance, nil)
	if i == nil {
		return
	}
	for _, n := range all[control.NetworkInterface](w, control.TableNetworkInterface) {
		if n.Attachment != nil && n.Attachment.Instance == i.ID {
			c := *n
			c.Attachment = nil
			w.put(control.TableNetworkInterface, c.ID, &c)
		}
	}
	w.delete(control.TableInstance, i.ID)
}

// deleteVPC deletes a VPC and everything in it in one commit; its instances
// stay, as terminated ones do.
func deleteVPC(w *world) {
	v := pick[control.VPC](w, control.TableVPC, nil)
	if v == nil || w.rng.IntN(4) != 0 {
		return
	}
	for _, n := range all[control.NetworkInterface](w, control.TableNetworkInterface) {
		if n.VPC == v.ID {
			dropInterface(w, n)
		}
	}
	for _, g := range all[control.SecurityGroup](w, control.TableSecurityGroup) {
		if g.VPC == v.ID {
			w.delete(control.TableSecurityGroup, g.ID)
		}
	}
	for _, s := range all[control.Subnet](w, control.TableSubnet) {
		if s.VPC == v.ID {
			w.delete(control.TableSubnet, s.ID)
		}
	}
	w.delete(control.TableVPC, v.ID)
}

func putPolicy(w *world) {
	id := w.id("fop")
	if p := pick[control.FailoverPolicy](w, control.TablePolicy, nil); p != nil && w.maybe() {
		id = p.ID
	}
	p := &control.FailoverPolicy{
		ID: id, Region: "us-east-1", NetworkInterface: w.text(), Probe: w.probe(),
		FailBack: w.maybe(), Enabled: w.maybe(), CreatedAt: w.time(),
	}
	if w.maybe() {
		p.Standbys = []string{w.text(), w.text()}
	}
	w.put(control.TablePolicy, id, p)
}

func putFailover(w *world) {
	id := w.id("fo")
	if f := pick[control.Failover](w, control.TableFailover, nil); f != nil && w.maybe() {
		id = f.ID
	}
	f := &control.Failover{
		ID: id, Region: "us-east-1", Kind: control.KindMove, State: control.FailoverRunning, Error: w.text(),
		Policy: w.text(), NetworkInterface: w.text(), From: w.text(), To: w.text(),
		StartedAt: w.rng.Int64(), EndedAt: -w.rng.Int64(), Notes: []string{},
		Control: control.ControlTimes{FaultAt: w.rng.Int64()}, TCP: control.TCPResult{Open: w.rng.Int()},
	}
	if w.maybe() {
		f.Traffic = []control.TrafficResult{{Client: w.text(), Target: w.addr(), LastReplySeq: w.rng.Uint64()}, {}}
		f.Phases = []control.Phase{{Name: w.text(), Start: w.rng.Int64()}}
		f.Checks = []control.Check{{Name: "ip", Before: w.text()}}
	}
	w.put(control.TableFailover, id, f)
}

func deletePolicyAndFailover(w *world) {
	if p := pick[control.FailoverPolicy](w, control.TablePolicy, nil); p != nil && w.maybe() {
		w.delete(control.TablePolicy, p.ID)
	}
	if f := pick[control.Failover](w, control.TableFailover, nil); f != nil {
		w.delete(control.TableFailover, f.ID)
	}
}
