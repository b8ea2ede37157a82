package imds

import (
	"encoding/json"
	"time"

	"enilab/internal/control"
)

// identityDocument has the keys of AWS's document in its order. It comes
// without signatures: only AWS can make those.
type identityDocument struct {
	AccountID               string   `json:"accountId"`
	Architecture            *string  `json:"architecture"`
	AvailabilityZone        string   `json:"availabilityZone"`
	BillingProducts         []string `json:"billingProducts"`
	DevpayProductCodes      []string `json:"devpayProductCodes"`
	MarketplaceProductCodes []string `json:"marketplaceProductCodes"`
	ImageID                 *string  `json:"imageId"` // null without one
	InstanceID              string   `json:"instanceId"`
	InstanceType            string   `json:"instanceType"`
	KernelID                *string  `json:"kernelId"`
	PendingTime             string   `json:"pendingTime"`
	PrivateIP               *string  `json:"privateIp"`
	RamdiskID               *string  `json:"ramdiskId"`
	Region                  string   `json:"region"`
	Version                 string   `json:"version"`
}

// identity is dynamic/instance-identity/document.
func (s *Service) identity(st *control.State, i *control.Instance) node {
	d := identityDocument{
		AccountID: s.opt.Account, AvailabilityZone: i.Zone, InstanceID: i.ID, InstanceType: i.Type,
		PendingTime: i.LaunchTime().UTC().Format(time.RFC3339), Region: i.Region, Version: "2017-09-30",
	}
	if i.ImageID != "" {
		d.ImageID = &i.ImageID
	}
	if t, ok := control.InstanceTypeByName(i.Type); ok {
		d.Architecture = &t.Architecture
	}
	if n := primary(present(st, i.ID)); n != nil {
		ip := n.PrimaryAddress().String()
		d.PrivateIP = &ip
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic("imds: encoding the identity document: " + err.Error()) // strings only
	}
	return value("document", string(b))
}
