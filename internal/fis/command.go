package fis

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"enilab/internal/control"
	"enilab/internal/impair"
)

// Impairments puts impairments into the network; impair.Set does.
type Impairments interface {
	Add(in impair.Input) (impair.Impairment, error)
	Remove(id string) (ok bool, err error)
}

var documentVersion = regexp.MustCompile(`^(?:\$LATEST|\$DEFAULT|[1-9]\d{0,8})$`)

// commandOf reads what aws:ssm:send-command is to send.
func commandOf(field string, p map[string]string) (doc *document, values map[string]string, err error) {
	if doc, err = documentAt(field+".documentArn", p["documentArn"]); err != nil {
		return nil, nil, err
	}
	if v, ok := p["documentVersion"]; ok && !documentVersion.MatchString(v) {
		return nil, nil, wrong(field+".documentVersion", "'%s' is no version: $DEFAULT, $LATEST or a number", clip(v))
	}
	values, err = doc.read(field+".documentParameters", p["documentParameters"])
	return doc, values, err
}

func checkCommand(field string, p map[string]string) error {
	if _, _, err := commandOf(field, p); err != nil {
		return err
	}
	return checkDuration(field, p)
}

// sendCommand impairs the instances' network as the document would from within. The
// document ends after its DurationSeconds and the action after its own duration.
func sendCommand(_ context.Context, d *doing) (e effect, err error) {
	p := d.action.Parameters
	if e.lasts, err = parseDuration("duration", p["duration"]); err != nil {
		return e, err
	}
	doc, values, err := commandOf("parameters", p)
	if err != nil {
		return e, err
	}
	e.acts = time.Duration(number(values["DurationSeconds"])) * time.Second
	for _, arn := range d.arns {
		all, err := d.impairmentsAt(idIn(arn), doc, values)
		for k := 0; err == nil && k < len(all); k++ {
			var made impair.Impairment
			if made, err = d.opt.Impairments.Add(all[k]); err == nil {
				e.undo = append(e.undo, made.ID)
			}
		}
		if err != nil {
			d.undo = e.undo
			return effect{}, errors.Join(err, calm(context.Background(), d))
		}
	}
	return e, nil
}

// impairmentsAt are what a document does at one instance.
func (d *doing) impairmentsAt(id string, doc *document, values map[string]string) ([]impair.Input, error) {
	st := d.svc.State()
	i := st.Instance(id)
	if i == nil || i.State != control.InstanceRunning || i.Fault != control.FaultNone {
		return nil, &control.Error{Code: "InvalidInstanceId", Message: "No command reaches the instance " + id + ": it does not run"} // unverified: the text
	}
	in := doc.impair(values)
	if in.Direction = impair.Out; values["TrafficType"] == trafficIn {
		in.Direction = impair.In
	}
	var err error
	if values["Sources"] != "" {
		if in.Match.Peers, err = d.sources(st, i, values["Sources"]); err != nil {
			return nil, err
		}
	}
	in.Of.Instance = id
	if values["Interface"] == "" {
		return []impair.Input{in}, nil // iptables does not ask by which interface
	}
	var all []impair.Input
	for name := range strings.SplitSeq(values["Interface"], ",") {
		n, _ := deviceIndex(name) // checked
		at := in
		if n >= 0 {
			if !holds(st, id, n) {
				return nil, &control.Error{Code: "InvalidParameters", Message: "The instance " + id + " has no interface " + name + ": nothing is attached at its device index " + strconv.Itoa(n)}
			}
			at.Of.DeviceIndex = &n
		}
		all = append(all, at)
	}
	return all, nil
}

// holds reports whether an instance has an interface at a device index.
func holds(st *control.State, instance string, index int) bool {
	for _, n := range st.InterfacesOf(instance) {
		if n.Attachment != nil && n.Attachment.DeviceIndex == index {
			return true
		}
	}
	return false
}

// sources are the blocks that a document's Sources stand for at an instance.
func (d *doing) sources(st *control.State, i *control.Instance, text string) (blocks []string, err error) {
	for name := range strings.SplitSeq(text, ",") {
		if p, err := blockOf(name); err == nil {
			blocks = append(blocks, p.String())
			continue
		}
		before := len(blocks)
		switch name {
		case allOf:
			blocks = append(blocks, anywhere.String())
		case sourceS3, sourceDynamo:
			for _, l := range st.PrefixLists() {
				if l.AWS && l.Family == "IPv4" && l.Name == "com.amazonaws."+d.x.Region+"."+strings.ToLower(name) {
					for _, e := range l.Entries() {
						blocks = append(blocks, e.CIDR.String())
					}
				}
			}
		default:
			for _, n := range st.Subnets() {
				if n.VPC == i.VPC && (n.Zone == name || control.ZoneID(n.Zone) == name) {
					blocks = append(blocks, n.CIDR.String())
				}
			}
		}
		if len(blocks) == before {
			return nil, &control.Error{Code: "InvalidParameters", Message: "The source " + name + " stands for no addresses: no subnet of " + i.VPC + " is there"}
		}
	}
	return blocks, nil
}

// calm ends impairments. One that is gone was ended by hand.
func calm(_ context.Context, d *doing) error {
	for _, id := range d.undo {
		if _, err := d.opt.Impairments.Remove(id); err != nil {
			return err
		}
	}
	return nil
}
