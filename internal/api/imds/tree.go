package imds

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"enilab/internal/control"
)

// Values that are the same for every instance, as AWS gives them where there
// is nothing to tell. The root device is that of Amazon Linux: images have no
// block devices here.
const (
	noManifest    = "(unknown)"
	noAction      = "none"
	noEvents      = "[]"
	lifeCycle     = "on-demand"
	profile       = "default-hvm"
	noVMMetrics   = `<?xml version="1.0" encoding="UTF-8"?>`
	typeOctets    = "application/octet-stream"
	allowTags     = "enabled"
	monitoringOn  = "enabled"
	monitoringOff = "disabled"
)

// tree is what one version shows of an instance at an instant, which is the
// past where metadata lags behind, in the order of the names. An
// item without a value does not exist, as on AWS, where clients take the 404
// for "none".
func (s *Service) tree(st *control.State, i *control.Instance, m options, at time.Time) node {
	monitoring := monitoringOff
	if i.Monitoring {
		monitoring = monitoringOn
	}
	root := dir("",
		dir("dynamic",
			dir("fws", value("instance-monitoring", monitoring)),
			dir("instance-identity", s.identity(st, i))),
		s.metaData(st, i, m, at))
	root.bare = true
	if data, err := base64.StdEncoding.DecodeString(i.UserData); err == nil && len(data) > 0 {
		n := value("user-data", string(data))
		n.media = typeOctets // whatever a guest's owner put there
		root.entries = append(root.entries, n)
	}
	return root
}

// blockDevices are the devices that the instance had when it was started last
// (EC2 User Guide, "Instance metadata categories").
func blockDevices(st *control.State, i *control.Instance) []node {
	entries := []node{value("ami", i.RootDeviceName())}
	for _, v := range st.VolumesOf(i) {
		if a := v.AttachmentTo(i.ID); a.Device != i.RootDeviceName() && !a.AttachTime.After(i.LaunchTime()) {
			entries = append(entries, value("ebs"+strconv.Itoa(len(entries)), strings.TrimPrefix(a.Device, "/dev/")))
		}
	}
	return append(entries, value("root", i.RootDeviceName()))
}

func (s *Service) metaData(st *control.State, i *control.Instance, m options, at time.Time) node {
	nics := present(st, i.ID)
	var entries []node
	add := func(n ...node) { entries = append(entries, n...) }

	if i.ImageID != "" {
		add(value("ami-id", i.ImageID))
	}
	add(value("ami-launch-index", strconv.Itoa(i.LaunchIndex)),
		value("ami-manifest-path", noManifest),
		dir("block-device-mapping", blockDevices(st, i)...),
		dir("events", dir("maintenance", value("history", noEvents), value("scheduled", noEvents))))
	p := primary(nics)
	if p != nil {
		add(value("hostname", hostname(i, p)))
	}
	add(value("instance-action", noAction),
		value("instance-id", i.ID),
		value("instance-life-cycle", lifeCycle),
		value("instance-type", i.Type))
	if p != nil {
		if v6 := addressesOf6(p); len(v6) > 0 {
			add(value("ipv6", v6[0].String()))
		}
		add(value("local-hostname", hostname(i, p)),
			value("local-ipv4", p.PrimaryAddress().String()),
			value("mac", p.MAC.String()))
	}
	macs := make([]node, len(nics))
	for k, n := range nics {
		macs[k] = s.networkInterface(st, n)
		arriving(&macs[k], n, at)
	}
	macs = append(macs, s.stale(st, i)...)
	add(dir("metrics", value("vhostmd", noVMMetrics)),
		dir("network", dir("interfaces", dir("macs", macs...))),
		s.placement(i),
		value("profile", profile))
	if p != nil {
		if ip, ok := publicAddress(st, p); ok {
			if st.VPC(p.VPC).DNSHostnames {
				add(value("public-hostname", publicName(ip, i.Region)))
			}
			add(value("public-ipv4", ip.String()))
		}
	}
	if i.KeyName != "" {
		add(publicKeys(i))
	}
	if i.ReservationID != "" {
		add(value("reservation-id", i.ReservationID))
	}
	if p != nil {
		add(list("security-groups", groupNames(st, p)))
	}
	domain, partition := services(i.Region)
	add(dir("services", value("domain", domain), value("partition", partition)))
	if t, ok := control.InstanceTypeByName(i.Type); ok && t.Hypervisor != "" {
		add(value("system", t.Hypervisor))
	}
	if m.tags && len(i.Tags) > 0 {
		add(dir("tags", instanceTags(i)))
	}
	return dir("meta-data", entries...)
}

func (s *Service) placement(i *control.Instance) node {
	entries := []node{value("availability-zone", i.Zone)}
	if id := control.ZoneID(i.Zone); id != "" {
		entries = append(entries, value("availability-zone-id", id))
	}
	if i.HostID != "" {
		entries = append(entries, value("host-id", i.HostID))
	}
	return dir("placement", append(entries, value("region", i.Region))...)
}

// publicKeys lists the key that the instance was launched with, by its number
// and name. What becomes of the key pair does not show.
func publicKeys(i *control.Instance) node {
	key := dir("0", value("openssh-key", i.PublicKey))
	key.listed = "0=" + i.KeyName
	return dir("public-keys", key)
}

// instanceTags has one item a tag. AWS takes no key with a slash or a space
// where tags are in the metadata; one that is there all the same is left out,
// for no path could name it.
func instanceTags(i *control.Instance) node {
	var entries []node
	for _, key := range slices.Sorted(maps.Keys(i.Tags)) {
		if !strings.ContainsAny(key, "/ ") {
			entries = append(entries, value(key, i.Tags[key]))
		}
	}
	return dir("instance", entries...)
}
