package imds

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/control"
)

// tree is what one version shows of an instance. An item without a value does
// not exist, as on AWS, where clients take the 404 for "none". Only what the
// lab models is here: no image, user data, keys, roles or events.
func (s *Service) tree(st *control.State, i *control.Instance) node {
	root := dir("", dir("dynamic", dir("instance-identity", s.identity(st, i))), s.metaData(st, i))
	root.bare = true
	return root
}

// metaData lists its items in the order of their names.
func (s *Service) metaData(st *control.State, i *control.Instance) node {
	nics := present(st, i.ID)
	var entries []node
	add := func(n ...node) { entries = append(entries, n...) }

	p := primary(nics)
	if p != nil {
		add(value("hostname", privateName(p)))
	}
	add(value("instance-id", i.ID), value("instance-type", i.Type))
	if p != nil {
		add(value("local-hostname", privateName(p)),
			value("local-ipv4", p.PrimaryAddress().String()),
			value("mac", p.MAC.String()))
	}
	macs := make([]node, len(nics))
	for k, n := range nics {
		macs[k] = s.networkInterface(st, n)
	}
	add(dir("network", dir("interfaces", dir("macs", macs...))),
		dir("placement", value("availability-zone", i.Zone), value("region", i.Region)))
	if p != nil {
		if ip, ok := publicAddress(st, p); ok {
			add(value("public-ipv4", ip.String()))
		}
		add(list("security-groups", groupNames(st, p)))
	}
	domain, partition := services(i.Region)
	add(dir("services", value("domain", domain), value("partition", partition)))
	if t, ok := control.InstanceTypeByName(i.Type); ok && t.Hypervisor != "" {
		add(value("system", t.Hypervisor))
	}
	return dir("meta-data", entries...)
}

// networkInterface is network/interfaces/macs/{mac}/.
func (s *Service) networkInterface(st *control.State, n *control.NetworkInterface) node {
	entries := []node{
		value("device-number", strconv.Itoa(n.Attachment.DeviceIndex)),
		value("interface-id", n.ID),
	}
	public := associations(st, n)
	if len(public) > 0 {
		byPublic := make([]node, len(public))
		for k, a := range public {
			byPublic[k] = value(a.PublicIP.String(), a.PrivateIP.String())
		}
		entries = append(entries, dir("ipv4-associations", byPublic...))
	}
	locals := make([]string, len(n.Addresses))
	for k, a := range n.Addresses {
		locals[k] = a.Addr.String()
	}
	entries = append(entries,
		value("local-hostname", privateName(n)),
		list("local-ipv4s", locals),
		value("mac", n.MAC.String()),
		// Card 0 is the only one that the control plane models.
		value("network-card", "0"),
		value("owner-id", s.opt.Account),
	)
	if len(public) > 0 {
		ips := make([]string, len(public))
		for k, a := range public {
			ips[k] = a.PublicIP.String()
		}
		entries = append(entries, list("public-ipv4s", ips))
	}
	cidr := st.VPC(n.VPC).CIDR.String()
	return dir(n.MAC.String(), append(entries,
		list("security-group-ids", n.Groups),
		list("security-groups", groupNames(st, n)),
		value("subnet-id", n.Subnet),
		value("subnet-ipv4-cidr-block", st.Subnet(n.Subnet).CIDR.String()),
		value("vpc-id", n.VPC),
		value("vpc-ipv4-cidr-block", cidr),
		value("vpc-ipv4-cidr-blocks", cidr))...)
}

// present returns the ENIs that the instance sees, by device index. One that
// is detaching is gone from the data plane already.
func present(st *control.State, instance string) []*control.NetworkInterface {
	return slices.DeleteFunc(st.InterfacesOf(instance), func(n *control.NetworkInterface) bool {
		return n.Attachment.State == control.Detaching
	})
}

// primary returns the ENI at device index 0, nil if there is none.
func primary(nics []*control.NetworkInterface) *control.NetworkInterface {
	for _, n := range nics {
		if n.Attachment.Primary() {
			return n
		}
	}
	return nil
}

// associations returns an ENI's Elastic IPs in the order of the private
// addresses they are mapped to.
func associations(st *control.State, n *control.NetworkInterface) []*control.Address {
	order := func(a *control.Address) int {
		return slices.IndexFunc(n.Addresses, func(p control.PrivateAddress) bool { return p.Addr == a.PrivateIP })
	}
	as := st.AddressesOf(n.ID)
	slices.SortFunc(as, func(a, b *control.Address) int { return order(a) - order(b) })
	return as
}

// publicAddress is the Elastic IP of the primary private address.
func publicAddress(st *control.State, n *control.NetworkInterface) (netip.Addr, bool) {
	for _, a := range st.AddressesOf(n.ID) {
		if a.PrivateIP == n.PrimaryAddress() {
			return a.PublicIP, true
		}
	}
	return netip.Addr{}, false
}

// groupNames goes along with the order of n.Groups.
func groupNames(st *control.State, n *control.NetworkInterface) []string {
	names := make([]string, len(n.Groups))
	for k, id := range n.Groups {
		names[k] = st.SecurityGroup(id).Name
	}
	return names
}

// privateName is the name that AWS's resolver gives the primary address, the
// "IP name" of EC2's hostname types.
func privateName(n *control.NetworkInterface) string {
	host := "ip-" + strings.ReplaceAll(n.PrimaryAddress().String(), ".", "-")
	if n.Region == "us-east-1" {
		return host + ".ec2.internal"
	}
	return host + "." + n.Region + ".compute.internal"
}

// services gives the domain of AWS's endpoints and the partition of a region.
func services(region string) (domain, partition string) {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn", "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "amazonaws.com", "aws-us-gov"
	}
	return "amazonaws.com", "aws"
}
