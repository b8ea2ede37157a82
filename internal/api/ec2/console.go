package ec2

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

const (
	// maxConsole bounds a console's output in bytes: the newest 64 KB, as EC2
	// keeps (GetConsoleOutput).
	maxConsole = 64 << 10
	// consolePage is how many entries of the event log are read at once.
	consolePage = 5000
)

// getConsoleOutput shows what has happened to an instance, from the event log:
// boots, faults and network cards that came and went. The log is bounded, and
// so is the console's memory of long ago.
func getConsoleOutput(c *call, in *model.GetConsoleOutputRequest) (result, error) {
	i, err := find(control.InstanceID, *in.InstanceId, c.state.Instance)
	if err != nil {
		return nil, err
	}
	var lines []string
	at, size := i.LaunchAt, 0
	for after := uint64(0); ; {
		events, _, err := c.svc.Events(c.ctx, after, consolePage)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			after = e.Seq
			line := consoleLine(i.ID, e)
			if line == "" {
				continue
			}
			lines, at = append(lines, line), e.At
			for size += len(line); size > maxConsole; lines = lines[1:] {
				size -= len(lines[0])
			}
		}
		if len(events) < consolePage {
			break
		}
	}
	return &model.GetConsoleOutputResult{
		InstanceId: &i.ID, Timestamp: &at, Output: new(base64.StdEncoding.EncodeToString([]byte(strings.Join(lines, "")))),
	}, nil
}

// consoleLine is what an event writes to the console of an instance, "" for
// what its guest does not notice.
func consoleLine(id string, e control.Event) string {
	what, ofInstance := strings.CutPrefix(e.Type, "instance.")
	card, ofCard := strings.CutPrefix(e.Type, "network-interface.")
	switch {
	case ofInstance && e.Resource == id:
		switch what {
		case "modified", "removed":
			return ""
		case "pending":
			what = "power on"
		case "rebooted":
			what = "reboot"
		}
	case ofCard && e.Detail["instance"] == id:
		what = "network card " + e.Resource + " " + card
	default:
		return ""
	}
	var b strings.Builder
	b.WriteString(e.At.UTC().Format(time.RFC3339Nano) + " " + what)
	for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
		if k != "instance" {
			b.WriteString(" " + k + "=" + e.Detail[k])
		}
	}
	return b.String() + "\n"
}
