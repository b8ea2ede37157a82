package ec2

import (
	"cmp"
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func createImage(c *call, in *model.CreateImageRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "image", "snapshot")
	if err != nil {
		return nil, err
	}
	devices, err := readBlockDevices(in.BlockDeviceMappings)
	if err != nil {
		return nil, err
	}
	vm, err := find(control.InstanceID, *in.InstanceId, c.state.Instance)
	if err != nil {
		return nil, err
	}
	t, _ := control.InstanceTypeByName(vm.Type)
	i, err := c.command().CreateImage(c.ctx, control.CreateImageInput{
		Instance: vm.ID, Name: *in.Name, Description: query.Value(in.Description), Architecture: t.Architecture,
		NoReboot: query.Value(in.NoReboot), Devices: devices, Tags: tags["image"], SnapshotTags: tags["snapshot"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateImageResult{ImageId: &i.ID}, nil
}

// architectures are those of images (EC2 ArchitectureValues).
var architectures = []string{"i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac"}

func registerImage(c *call, in *model.RegisterImageRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "image")
	if err != nil {
		return nil, err
	}
	devices, err := readBlockDevices(in.BlockDeviceMappings)
	if err != nil {
		return nil, err
	}
	// "Default: For Amazon EBS-backed AMIs, i386." (API reference, RegisterImage)
	architecture := cmp.Or(query.Value(in.Architecture), "i386")
	if !slices.Contains(architectures, architecture) {
		return nil, invalid("Value (%s) for parameter architecture is invalid.", clip(architecture)) // unverified: the text
	}
	i, err := c.command().RegisterImage(c.ctx, control.RegisterImageInput{
		Name: *in.Name, Description: query.Value(in.Description), Architecture: architecture, RootDevice: query.Value(in.RootDeviceName),
		Devices: devices, Tags: tags["image"],
	})
	if err != nil {
		return nil, err
	}
	return &model.RegisterImageResult{ImageId: &i.ID}, nil
}

// deregisterImage ends images of the account only: those of others, and ids of
// which nothing is known, are not its to end.
func deregisterImage(c *call, in *model.DeregisterImageRequest) (result, error) {
	deleted, err := c.command().DeregisterImage(c.ctx, *in.ImageId, query.Value(in.DeleteAssociatedSnapshots))
	if err != nil {
		return nil, err
	}
	out := &model.DeregisterImageResult{Return: new(true)}
	for _, id := range deleted {
		out.DeleteSnapshotResults = append(out.DeleteSnapshotResults, model.DeleteSnapshotReturnCode{SnapshotId: &id, ReturnCode: new("success")})
	}
	return out, nil
}
