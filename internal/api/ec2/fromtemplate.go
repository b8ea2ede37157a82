package ec2

import (
	"slices"
	"strconv"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// fromTemplate is a launch with what its launch template says and it does not
// (API reference, RunInstances: "Any additional parameters that you specify for
// the new instance overwrite the corresponding parameters included in the launch
// template").
func (c *call) fromTemplate(in *model.RunInstancesRequest) (*model.RunInstancesRequest, control.LaunchSource, error) {
	none := control.LaunchSource{}
	if in.LaunchTemplate == nil {
		return in, none, nil
	}
	l, err := c.state.FindLaunchTemplate(c.region.Name, templateName(in.LaunchTemplate.LaunchTemplateId, in.LaunchTemplate.LaunchTemplateName))
	if err != nil {
		return nil, none, err
	}
	v, err := c.state.FindLaunchTemplateVersion(l, query.Value(in.LaunchTemplate.Version))
	if err != nil {
		return nil, none, err
	}
	data := slices.Clone(v.Data)
	for i, p := range data {
		switch p.Name {
		case "RamDiskId":
			data[i].Name = "RamdiskId" // RunInstances' spelling
		default:
			if p.Member() == "InstanceRequirements" {
				return nil, none, unsupported("InstanceRequirements of launch template %s are for fleets: a launch needs an InstanceType.", l.ID)
			}
		}
	}
	base, err := dataTree(data)
	if err != nil {
		return nil, none, err
	}
	asked, err := query.Tree(c.params)
	if err != nil {
		return nil, none, err
	}
	root := overlaid(base, asked, "")
	var d query.Decoder
	out := new(model.RunInstancesRequest)
	if out.Decode(&d, &root); d.Err() != nil {
		return nil, none, d.Err()
	}
	return out, control.LaunchSource{Template: l.ID, Version: v.Number}, c.honoured(&root)
}

// listKeys are the lists of a launch whose items are matched, by what: an item of
// the request changes that of the template. Other lists replace the template's.
// Paths have # for an index.
var listKeys = map[string]string{
	"BlockDeviceMapping":     "DeviceName",
	"NetworkInterface":       "DeviceIndex",
	"TagSpecification":       "ResourceType",
	"TagSpecification.#.Tag": "Key",
}

// mixed are the structures of which a launch may say a part, and the template
// the rest. Others replace the template's.
var mixed = []string{
	"", "BlockDeviceMapping.#", "BlockDeviceMapping.#.Ebs", "NetworkInterface.#", "TagSpecification.#", "MetadataOptions", "PrivateDnsNameOptions",
}

// whole are the members that make an item of a list another thing, of which the
// template's says nothing.
var whole = []string{"NoDevice", "VirtualName", "NetworkInterfaceId"}

// overlaid is a part of the parameters of a template with those of a request in
// their stead.
func overlaid(base, asked *query.Node, path string) query.Node {
	if key := listKeys[path]; key != "" && !asked.Set && !base.Set {
		return overlaidList(base, asked, path, key)
	}
	if asked.Set || !slices.Contains(mixed, path) || slices.ContainsFunc(whole, func(name string) bool { return member(asked, name) != nil }) {
		return *asked
	}
	out := query.Node{Name: asked.Name, Path: asked.Path, Children: slices.Clone(asked.Children)}
	for i := range base.Children {
		b := &base.Children[i]
		below := b.Name
		if path != "" {
			below = path + "." + b.Name
		}
		if at := slices.IndexFunc(out.Children, func(n query.Node) bool { return n.Name == b.Name }); at >= 0 {
			out.Children[at] = overlaid(b, &asked.Children[at], below)
		} else {
			out.Children = append(out.Children, *b)
		}
	}
	return out
}

func overlaidList(base, asked *query.Node, path, key string) query.Node {
	out := query.Node{Name: asked.Name, Path: asked.Path, Children: slices.Clone(base.Children)}
	for i := range asked.Children {
		a := &asked.Children[i]
		at := -1
		if k := member(a, key); k != nil {
			at = slices.IndexFunc(out.Children, func(n query.Node) bool {
				m := member(&n, key)
				return m != nil && m.Value == k.Value
			})
		}
		if at >= 0 {
			out.Children[at] = overlaid(&out.Children[at], a, path+".#")
		} else {
			out.Children = append(out.Children, *a)
		}
	}
	for i := range out.Children {
		out.Children[i].Name = strconv.Itoa(i + 1)
	}
	return out
}

// member is the child of a name, nil if there is none.
func member(n *query.Node, name string) *query.Node {
	if at := slices.IndexFunc(n.Children, func(c query.Node) bool { return c.Name == name }); at >= 0 {
		return &n.Children[at]
	}
	return nil
}
