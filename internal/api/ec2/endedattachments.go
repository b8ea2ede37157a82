package ec2

import (
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

// withEnded adds to the rows of DescribeNetworkInterfaces the ENIs of ended
// attachments that the filter attachment.attachment-id names, each with that
// attachment as detached. On AWS such an attachment is gone at once, and
// Terraform's wait for "detached" then lasts until its not-found limit. Only a
// client that asks for the very attachment sees it, so that for all others the
// ENI is as free as it is.
func (c *call) withEnded(rows []eni, filters []model.Filter, only []string) []eni {
	changed := false
	for _, id := range exact(filters, "attachment.attachment-id") {
		n := c.state.EndedAttachment(id, c.api.opt.Now())
		if n == nil || len(only) > 0 && !slices.Contains(only, n.ID) {
			continue
		}
		if !changed {
			rows, changed = slices.Clone(rows), true
		}
		if k := slices.IndexFunc(rows, func(o eni) bool { return o.ID == n.ID }); k >= 0 {
			if a := rows[k].Attachment; a == nil || !contains(exact(filters, "attachment.attachment-id"), a.ID) {
				rows[k] = n
			}
			continue
		}
		rows = append(rows, n)
	}
	if changed {
		rows = sorted(rows, interfacePlace)
	}
	return rows
}

// status is that of the ENI itself, also of one shown with an ended attachment
// that has another by now.
func (c *call) status(n eni) string {
	if n.Attachment == nil || n.Attachment.State != control.Detached {
		return n.Status()
	}
	return c.state.NetworkInterface(n.ID).Status()
}
