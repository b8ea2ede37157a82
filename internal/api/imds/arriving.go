package imds

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"enilab/internal/control"
)

// arriving marks the items of an interface that have not come at an instant,
// though the directories list them: after an attachment AWS's metadata is seen
// to have the directory before the items (amazon-ec2-net-utils, issue 38). Each
// item comes at a time of its own, which is the same whenever it is asked for.
func arriving(nic *node, n *control.NetworkInterface, at time.Time) {
	if !n.MetadataFrom.After(at) || n.Attachment == nil {
		return
	}
	begun := n.Attachment.AttachTime
	wait := n.MetadataFrom.Sub(begun)
	var mark func(of *node, path string)
	mark = func(of *node, path string) {
		for k := range of.entries {
			e := &of.entries[k]
			if e.isDir {
				mark(e, path+e.name+"/")
				continue
			}
			e.late = begun.Add(time.Duration(share(path+e.name) * float64(wait))).After(at)
		}
	}
	mark(nic, n.Attachment.ID+"/")
}

// share is a number from 0 to 1 that depends on a text alone, evenly spread.
func share(text string) float64 {
	sum := sha256.Sum256([]byte(text))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
