package ec2

import (
	"cmp"
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func bindImages(t map[string]handler) {
	bind(t, "ImageId Owner ExecutableBy Filter IncludeDeprecated IncludeDisabled MaxResults NextToken", describeImages)
	bind(t, "InstanceId Name Description NoReboot "+mappingParams+" TagSpecification SnapshotLocation=regional", createImage)
	bind(t, "Name Description Architecture RootDeviceName "+mappingParams+" TagSpecification VirtualizationType=hvm EnaSupport=true"+
		" SriovNetSupport=simple", registerImage)
	bind(t, "ImageId DeleteAssociatedSnapshots", deregisterImage)
}

// image is what DescribeImages says of an image. No guest boots from one: the
// list is for clients that look for the newest image of a name.
type image struct {
	id, name, architecture, description string
	owner, alias                        string // alias "": none
	created                             string // as EC2 writes it
	root                                string // device name; "": control's default
	// own is the account's, nil of any other.
	own *control.Image
}

// ubuntuRoot is the root device of Canonical's images.
const ubuntuRoot = "/dev/sda1"

// Owners of public images, by account.
const (
	ownerAmazon    = "137112412989"
	ownerCanonical = "099720109477"
	ownerDebian    = "136693071363"
	ownerFckNAT    = "568608671756"
)

// images are those that are listed in every region, each with an id of the
// region. The names follow their owners' patterns; the versions are of no real
// release.
var images = []image{
	{name: "al2023-ami-2023.9.20251027.0-kernel-6.1-x86_64", architecture: "x86_64", owner: ownerAmazon, alias: "amazon",
		description: "Amazon Linux 2023 AMI 2023.9 x86_64 HVM kernel-6.1", created: "2025-10-27T20:00:00.000Z"},
	{name: "al2023-ami-2023.9.20251027.0-kernel-6.1-arm64", architecture: "arm64", owner: ownerAmazon, alias: "amazon",
		description: "Amazon Linux 2023 AMI 2023.9 arm64 HVM kernel-6.1", created: "2025-10-27T20:00:00.000Z"},
	{name: "amzn2-ami-kernel-5.10-hvm-2.0.20251027.0-x86_64-gp2", architecture: "x86_64", owner: ownerAmazon, alias: "amazon",
		description: "Amazon Linux 2 Kernel 5.10 AMI x86_64 HVM gp2", created: "2025-10-27T20:00:00.000Z"},
	{name: "amzn2-ami-kernel-5.10-hvm-2.0.20251027.0-arm64-gp2", architecture: "arm64", owner: ownerAmazon, alias: "amazon",
		description: "Amazon Linux 2 Kernel 5.10 AMI arm64 HVM gp2", created: "2025-10-27T20:00:00.000Z"},
	{name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20251022", architecture: "x86_64", owner: ownerCanonical,
		alias: "amazon", root: ubuntuRoot, description: "Canonical, Ubuntu, 24.04, amd64 noble image", created: "2025-10-22T08:00:00.000Z"},
	{name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20251022", architecture: "arm64", owner: ownerCanonical,
		alias: "amazon", root: ubuntuRoot, description: "Canonical, Ubuntu, 24.04, arm64 noble image", created: "2025-10-22T08:00:00.000Z"},
	{name: "debian-13-amd64-20251006-2257", architecture: "x86_64", owner: ownerDebian,
		description: "Debian 13 (20251006-2257)", created: "2025-10-06T10:00:00.000Z"},
	{name: "debian-13-arm64-20251006-2257", architecture: "arm64", owner: ownerDebian,
		description: "Debian 13 (20251006-2257)", created: "2025-10-06T10:00:00.000Z"},
	{name: "fck-nat-al2023-hvm-1.4.0-20251001-x86_64-ebs", architecture: "x86_64", owner: ownerFckNAT,
		description: "fck-nat 1.4.0", created: "2025-10-01T08:00:00.000Z"},
	{name: "fck-nat-al2023-hvm-1.4.0-20251001-arm64-ebs", architecture: "arm64", owner: ownerFckNAT,
		description: "fck-nat 1.4.0", created: "2025-10-01T08:00:00.000Z"},
}

// listed are the images of the region, by name.
func (c *call) listed() []*image {
	list := make([]*image, 0, len(images))
	for _, i := range images {
		i.id = control.DerivedID(control.ImageID.Prefix, c.region.Name+"/"+i.name)
		list = append(list, &i)
	}
	slices.SortFunc(list, func(a, b *image) int { return strings.Compare(a.name, b.name) })
	return list
}

// isListed reports whether an id is of a public image or of one of the account:
// of one of which something is known.
func (c *call) isListed(id string) bool {
	return c.state.Image(id) != nil || slices.ContainsFunc(c.listed(), func(i *image) bool { return i.id == id })
}

// image describes any id, as any is taken for a launch: a listed one, one of the
// account, or else an image of the account with the architecture and the root
// device of an instance that uses it. It is nil for one that was deregistered.
func (c *call) image(id string) *image {
	for _, i := range c.listed() {
		if i.id == id {
			return i
		}
	}
	if own := c.state.Image(id); own != nil {
		if own.State == control.ImageDeregistered {
			return nil
		}
		return c.ownImage(own)
	}
	i := &image{
		id: id, name: id, architecture: "x86_64", owner: c.api.opt.Account, description: "accepted by enilab as any image is",
		created: "2025-01-01T00:00:00.000Z",
	}
	for _, vm := range c.state.Instances() {
		if vm.ImageID != id {
			continue
		}
		i.root = vm.RootDeviceName()
		if t, ok := control.InstanceTypeByName(vm.Type); ok {
			i.architecture = t.Architecture
		}
		break
	}
	return i
}

func (c *call) ownImage(i *control.Image) *image {
	return &image{
		id: i.ID, name: i.Name, architecture: i.Architecture, description: i.Description, owner: c.api.opt.Account,
		created: i.CreatedAt.UTC().Format(filterTime), root: i.RootDevice, own: i,
	}
}

// imageRoot is the root device of an image.
func (c *call) imageRoot(id string) string {
	if i := c.image(id); i != nil {
		return i.rootDevice()
	}
	return control.DefaultRootDevice
}

func (i *image) rootDevice() string { return cmp.Or(i.root, control.DefaultRootDevice) }

func (i *image) devices() []control.BlockDevice {
	if i.own != nil {
		return i.own.Devices
	}
	return imageDevices(i.rootDevice(), i.id)
}

func (i *image) state() control.ImageState {
	if i.own != nil {
		return i.own.State
	}
	return control.ImageAvailable
}

// source are the image and the instance that an image was made of, "" of what it
// was not.
func (i *image) source() (image, instance string) {
	if i.own == nil {
		return "", ""
	}
	return i.own.SourceImage, i.own.SourceInstance
}

func (i *image) tags() control.Tags {
	if i.own == nil {
		return nil
	}
	return i.own.Tags
}

// suits refuses a type that does not run an image that is listed or the
// account's. Of others nothing is known, and an unknown type is for control to
// refuse.
func (c *call) suits(id, typeName string) error {
	t, ok := control.InstanceTypeByName(typeName)
	if !ok || !c.isListed(id) {
		return nil
	}
	i := c.image(id)
	if i == nil {
		return control.ImageID.Missing(id)
	}
	want, has := i.architecture, t.Architectures
	if slices.Contains(has, want) {
		return nil
	}
	return invalid("The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI. "+ // unverified: the text
		"Specify an instance type and an AMI that have matching architectures, and try again.", strings.Join(has, ","), want)
}

func (i *image) public(c *call) bool { return i.owner != c.api.opt.Account }

func (c *call) imageView(i *image) model.Image {
	from, instance := i.source()
	out := model.Image{
		ImageId: &i.id, Name: &i.name, Description: &i.description, Architecture: &i.architecture, OwnerId: &i.owner,
		ImageOwnerAlias: text(i.alias), ImageLocation: new(i.location()), CreationDate: &i.created, State: new(string(i.state())),
		Public: new(i.public(c)), ImageType: new("machine"), RootDeviceName: new(i.rootDevice()), RootDeviceType: new(rootDeviceType),
		VirtualizationType: new(virtualization), Hypervisor: new("xen"), EnaSupport: new(true), SriovNetSupport: new("simple"),
		PlatformDetails: new(platformDetails), UsageOperation: new(usageOperation),
		Tags: someTags(i.tags()), BlockDeviceMappings: c.mappingView(i.devices()), SourceImageId: text(from), SourceInstanceId: text(instance),
	}
	if from != "" {
		out.SourceImageRegion = &c.region.Name
	}
	return out
}

func (i *image) location() string {
	if i.alias != "" {
		return i.alias + "/" + i.name
	}
	return i.owner + "/" + i.name
}

const (
	platformDetails = "Linux/UNIX"
	usageOperation  = "RunInstances"
)

// ofImageVolume is a filter on the volumes that an image gives.
func ofImageVolume(of func(*control.EBSDevice) string) field[*image] {
	return some(func(_ *call, i *image) (values []string) {
		for _, d := range i.devices() {
			if d.EBS != nil {
				values = append(values, of(d.EBS))
			}
		}
		return values
	})
}

var imageFilters = filterable[*image]{
	action: "DescribeImages",
	fields: map[string]field[*image]{
		"architecture": one(func(_ *call, i *image) string { return i.architecture }),
		"block-device-mapping.delete-on-termination": ofImageVolume(func(e *control.EBSDevice) string {
			return yes(e.DeleteOnTermination == nil || *e.DeleteOnTermination)
		}),
		"block-device-mapping.device-name": some(func(_ *call, i *image) (names []string) {
			for _, d := range i.devices() {
				names = append(names, d.Device)
			}
			return names
		}),
		"block-device-mapping.encrypted":   ofImageVolume(func(e *control.EBSDevice) string { return yes(e.Encrypted) }),
		"block-device-mapping.snapshot-id": ofImageVolume(func(e *control.EBSDevice) string { return e.SnapshotID() }),
		"block-device-mapping.volume-size": ofImageVolume(func(e *control.EBSDevice) string { return number(e.Size) }),
		"block-device-mapping.volume-type": ofImageVolume(func(e *control.EBSDevice) string { return e.Type }),
		"creation-date":                    one(func(_ *call, i *image) string { return i.created }),
		"description":                      one(func(_ *call, i *image) string { return i.description }),
		"ena-support":                      fixed[*image]("true"),
		"hypervisor":                       fixed[*image]("xen"),
		"image-id":                         one(func(_ *call, i *image) string { return i.id }),
		"image-type":                       fixed[*image]("machine"),
		"is-public":                        one(func(c *call, i *image) string { return yes(i.public(c)) }),
		"manifest-location":                one(func(_ *call, i *image) string { return i.location() }),
		"name":                             one(func(_ *call, i *image) string { return i.name }),
		"owner-alias": func(_ *call, i *image, match func(string) bool) bool {
			return i.alias != "" && match(i.alias)
		},
		"owner-id":          one(func(_ *call, i *image) string { return i.owner }),
		"root-device-name":  one(func(_ *call, i *image) string { return i.rootDevice() }),
		"root-device-type":  fixed[*image](rootDeviceType),
		"sriov-net-support": fixed[*image]("simple"),
		"source-image-id": textOr(func(_ *call, i *image) string {
			from, _ := i.source()
			return from
		}),
		"source-image-region": textOr(func(c *call, i *image) string {
			if from, _ := i.source(); from == "" {
				return ""
			}
			return c.region.Name
		}),
		"source-instance-id": textOr(func(_ *call, i *image) string {
			_, instance := i.source()
			return instance
		}),
		"state":               one(func(_ *call, i *image) string { return string(i.state()) }),
		"virtualization-type": fixed[*image](virtualization),
	},
	absent: `free-tier-eligible image-allowed kernel-id platform product-code product-code.type ramdisk-id
		state-reason-code state-reason-message`,
	tags: (*image).tags,
}

// ownedBy reports whether an image is of one of the owners that a request
// names: account ids, "self", or an alias.
func (i *image) ownedBy(c *call, owners []string) bool {
	return len(owners) == 0 || contains(owners, i.owner) || i.alias != "" && contains(owners, i.alias) ||
		contains(owners, "self") && !i.public(c)
}

// executableBy reports whether one of those a request names may launch an
// image: everybody may, if it is public, and its owner.
func (i *image) executableBy(c *call, who []string) bool {
	return len(who) == 0 || contains(who, "all") && i.public(c) || contains(who, "self") && !i.public(c)
}

func describeImages(c *call, in *model.DescribeImagesRequest) (result, error) {
	keep, err := imageFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "imageIds", in.ImageIds)
	if err != nil {
		return nil, err
	}
	rows := c.listed()
	for _, i := range c.state.Images() {
		rows = append(rows, c.ownImage(i))
	}
	ids := in.ImageIds
	if len(ids) == 0 {
		ids = exact(in.Filters, "image-id")
	}
	if len(ids) > 0 {
		rows = rows[:0]
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			err := control.ImageID.Check(id)
			var i *image
			if err == nil {
				if i = c.image(id); i == nil {
					err = control.ImageID.Missing(id)
				}
			}
			switch {
			case err == nil:
				rows = append(rows, i)
			case len(in.ImageIds) > 0:
				return nil, err
			}
		}
	}
	place := func(i *image) string { return i.name + "/" + i.id }
	rows, next := cutPage(p, sorted(rows, place), place, func(i *image) bool {
		return i.ownedBy(c, in.Owners) && i.executableBy(c, in.ExecutableUsers) && keep(i)
	})
	out := &model.DescribeImagesResult{Images: []model.Image{}, NextToken: next}
	for _, i := range rows {
		out.Images = append(out.Images, c.imageView(i))
	}
	return out, nil
}
