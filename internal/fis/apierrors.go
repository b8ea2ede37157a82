package fis

import (
	"context"
	"strconv"
	"strings"

	"enilab/internal/api/apifault"
)

func checkAPI(field string, p map[string]string) error {
	if p["service"] != "ec2" {
		return wrong(field+".service", "enilab has the API of ec2 only, not of '%s'", clip(p["service"]))
	}
	if n, err := strconv.Atoi(p["percentage"]); err != nil || n < 1 || n > 100 {
		return wrong(field+".percentage", "'%s' is no whole number of 1 to 100", clip(p["percentage"]))
	}
	return checkDuration(field, p)
}

// injectAPI has calls fail. A fault is for one operation, so that there are as many.
func injectAPI(_ context.Context, d *doing) (e effect, err error) {
	p := d.action.Parameters
	if e.lasts, err = parseDuration("duration", p["duration"]); err != nil {
		return e, err
	}
	percent, err := strconv.Atoi(p["percentage"])
	if err != nil {
		return e, err
	}
	fault := apifault.Fault{API: apifault.EC2, Kind: apifault.Fail, Share: float64(percent) / 100, Roles: d.arns}
	switch d.action.Action {
	case "aws:fis:inject-api-throttle-error":
		fault.Kind = apifault.Throttle
	case "aws:fis:inject-api-unavailable-error":
		fault.Code, fault.Message = "Unavailable", "The server is overloaded and can't handle the request."
	default:
		fault.Code, fault.Message = "InternalError", "An internal error has occurred"
	}
	for name := range strings.SplitSeq(p["operations"], ",") {
		fault.Operation = strings.TrimSpace(name)
		made, err := d.opt.Faults.Add(fault)
		if err != nil {
			clearFaults(d.opt.Faults, e.undo)
			return effect{}, err
		}
		e.undo = append(e.undo, made.ID)
	}
	return e, nil
}

func clearAPI(_ context.Context, d *doing) error {
	clearFaults(d.opt.Faults, d.undo)
	return nil
}

// clearFaults takes faults out of force. One that is gone was taken by hand.
func clearFaults(set *apifault.Set, ids []string) {
	for _, id := range ids {
		set.Remove(id)
	}
}
