package fis

import (
	"context"

	"enilab/internal/control"
)

func checkStop(field string, p map[string]string) error {
	if v, ok := p["completeIfInstancesTerminated"]; ok && v != "true" && v != "false" {
		return wrong(field+".completeIfInstancesTerminated", "it is true or false, not '%s'", clip(v))
	}
	if v, ok := p["startInstancesAfterDuration"]; ok {
		_, err := parseDuration(field+".startInstancesAfterDuration", v)
		return err
	}
	return nil
}

func stop(ctx context.Context, d *doing) (e effect, err error) {
	for _, arn := range d.arns {
		if _, err := d.svc.StopInstance(ctx, idIn(arn), false); err != nil {
			return e, err
		}
		e.undo = append(e.undo, idIn(arn))
	}
	if v := d.action.Parameters["startInstancesAfterDuration"]; v != "" {
		e.lasts, err = parseDuration("startInstancesAfterDuration", v)
	}
	return e, err
}

// startAgain starts what stop has stopped and waits for none.
func startAgain(ctx context.Context, d *doing) error {
	for _, id := range d.undo {
		i := d.svc.State().Instance(id)
		switch {
		case i == nil || i.State == control.InstanceTerminated || i.State == control.InstanceShuttingDown:
			if d.action.Parameters["completeIfInstancesTerminated"] != "true" {
				return &control.Error{Code: "InvalidInstanceID.NotFound", Message: "The instance " + id + " was terminated meanwhile"}
			}
		case i.State == control.InstanceStopped, i.State == control.InstanceStopping:
			if _, err := d.svc.StartInstance(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func reboot(ctx context.Context, d *doing) (effect, error) {
	for _, arn := range d.arns {
		if _, err := d.svc.RebootInstance(ctx, idIn(arn)); err != nil {
			return effect{}, err
		}
	}
	return effect{}, nil
}

func terminate(ctx context.Context, d *doing) (effect, error) {
	for _, arn := range d.arns {
		if _, err := d.svc.TerminateInstance(ctx, idIn(arn)); err != nil {
			return effect{}, err
		}
	}
	return effect{}, nil
}

func checkDuration(field string, p map[string]string) error {
	_, err := parseDuration(field+".duration", p["duration"])
	return err
}

func wait(_ context.Context, d *doing) (e effect, err error) {
	e.lasts, err = parseDuration("duration", d.action.Parameters["duration"])
	return e, err
}
