package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindImages(t map[string]handler) {
	bind(t, "ImageId Owner ExecutableBy Filter IncludeDeprecated IncludeDisabled MaxResults NextToken", describeImages)
}

// image is what DescribeImages says of an image. No guest boots from one: the
// list is for clients that look for the newest image of a name.
type image struct {
	id, name, architecture, description string
	owner, alias                        string // alias "": none
	created                             string // as EC2 writes it
}

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
		alias: "amazon", description: "Canonical, Ubuntu, 24.04, amd64 noble image", created: "2025-10-22T08:00:00.000Z"},
	{name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20251022", architecture: "arm64", owner: ownerCanonical,
		alias: "amazon", description: "Canonical, Ubuntu, 24.04, arm64 noble image", created: "2025-10-22T08:00:00.000Z"},
	{name: "debian-13-amd64-20251006-2257", architecture: "x86_64", owner: ownerDebian,
		description: "Debian 13 (20251006-2257)", created: "2025-10-06T10:00:00.000Z"},
	{name: "debian-13-arm64-20251006-2257", architecture: "arm64", owner: ownerDebian,
		description: "Debian 13 (20251006-2257)", created: "2025-10-06T10:00:00.000Z"},
	{name: "fck-nat-al2023-hvm-1.4.0-20251001-x86_64-ebs", architecture: "x86_64", owner: ownerFckNAT,
		description: "fck-nat 1.4.0", created: "2025-10-01T08:00:00.000Z"},
	{name: "fck-nat-al2023-hvm-1.4.0-20251001-arm64-ebs", architecture: "arm64", owner: ownerFckNAT,
		description: "fck-nat 1.4.0", created: "2025-10-01T08:00:00.000Z"},
}

// derived makes an id out of what it stands for.
func derived(prefix, of string) string {
	sum := sha256.Sum256([]byte(of))
	return prefix + "0" + hex.EncodeToString(sum[:8])
}

// listed are the images of the region, by name.
func (c *call) listed() []*image {
	list := make([]*image, 0, len(images))
	for _, i := range images {
		i.id = derived("ami-", c.region.Name+"/"+i.name)
		list = append(list, &i)
	}
	slices.SortFunc(list, func(a, b *image) int { return strings.Compare(a.name, b.name) })
	return list
}

// image describes any id, as any is taken for a launch: a listed one, or an
// image of the account's own with the architecture of an instance that uses it.
func (c *call) image(id string) *image {
	for _, i := range c.listed() {
		if i.id == id {
			return i
		}
	}
	i := &image{
		id: id, name: id, architecture: "x86_64", owner: c.api.opt.Account, description: "accepted by enilab as any image is",
		created: "2025-01-01T00:00:00.000Z",
	}
	for _, vm := range c.state.Instances() {
		if vm.ImageID != id {
			continue
		}
		if t, ok := control.InstanceTypeByName(vm.Type); ok {
			i.architecture = t.Architecture
		}
		break
	}
	return i
}

// suits refuses a type that does not run a listed image. Of others nothing is
// known, and an unknown type is for control to refuse.
func (c *call) suits(id, typeName string) error {
	images := c.listed()
	t, ok := control.InstanceTypeByName(typeName)
	i := slices.IndexFunc(images, func(i *image) bool { return i.id == id })
	if i < 0 || !ok {
		return nil
	}
	want, has := images[i].architecture, t.Architectures
	if slices.Contains(has, want) {
		return nil
	}
	return invalid("The architecture '%s' of the specified instance type does not match the architecture '%s' of the specified AMI. "+ // unverified: the text
		"Specify an instance type and an AMI that have matching architectures, and try again.", strings.Join(has, ","), want)
}

// noImage stands for the image of instances that were launched without one.
const noImage = "ami-00000000000000000"

func imageOf(i *control.Instance) string {
	if i.ImageID == "" {
		return noImage
	}
	return i.ImageID
}

// imageSnapshot is the snapshot that an image's root volume is made of.
func imageSnapshot(id string) string { return derived("snap-", id) }

func (i *image) public(c *call) bool { return i.owner != c.api.opt.Account }

func (c *call) imageView(i *image) model.Image {
	return model.Image{
		ImageId: &i.id, Name: &i.name, Description: &i.description, Architecture: &i.architecture, OwnerId: &i.owner,
		ImageOwnerAlias: text(i.alias), ImageLocation: new(i.location()), CreationDate: &i.created, State: new("available"),
		Public: new(i.public(c)), ImageType: new("machine"), RootDeviceName: new(rootDevice), RootDeviceType: new(rootDeviceType),
		VirtualizationType: new(virtualization), Hypervisor: new("xen"), EnaSupport: new(true), SriovNetSupport: new("simple"),
		PlatformDetails: new(platformDetails), UsageOperation: new(usageOperation),
		BlockDeviceMappings: []model.BlockDeviceMapping{{
			DeviceName: new(rootDevice), Ebs: &model.EbsBlockDevice{
				SnapshotId: new(imageSnapshot(i.id)), VolumeSize: &imageRoot.Size, VolumeType: &imageRoot.Type,
				Iops: &imageRoot.IOPS, Throughput: &imageRoot.Throughput, DeleteOnTermination: new(true), Encrypted: new(false),
			},
		}},
	}
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

var imageFilters = filterable[*image]{
	action: "DescribeImages",
	fields: map[string]field[*image]{
		"architecture": one(func(_ *call, i *image) string { return i.architecture }),
		"block-device-mapping.delete-on-termination": fixed[*image]("true"),
		"block-device-mapping.device-name":           fixed[*image](rootDevice),
		"block-device-mapping.encrypted":             fixed[*image]("false"),
		"block-device-mapping.snapshot-id":           one(func(_ *call, i *image) string { return imageSnapshot(i.id) }),
		"block-device-mapping.volume-size":           fixed[*image](number(imageRoot.Size)),
		"block-device-mapping.volume-type":           fixed[*image](imageRoot.Type),
		"creation-date":                              one(func(_ *call, i *image) string { return i.created }),
		"description":                                one(func(_ *call, i *image) string { return i.description }),
		"ena-support":                                fixed[*image]("true"),
		"hypervisor":                                 fixed[*image]("xen"),
		"image-id":                                   one(func(_ *call, i *image) string { return i.id }),
		"image-type":                                 fixed[*image]("machine"),
		"is-public":                                  one(func(c *call, i *image) string { return yes(i.public(c)) }),
		"manifest-location":                          one(func(_ *call, i *image) string { return i.location() }),
		"name":                                       one(func(_ *call, i *image) string { return i.name }),
		"owner-alias": func(_ *call, i *image, match func(string) bool) bool {
			return i.alias != "" && match(i.alias)
		},
		"owner-id":            one(func(_ *call, i *image) string { return i.owner }),
		"root-device-name":    fixed[*image](rootDevice),
		"root-device-type":    fixed[*image](rootDeviceType),
		"sriov-net-support":   fixed[*image]("simple"),
		"state":               fixed[*image]("available"),
		"virtualization-type": fixed[*image](virtualization),
	},
	absent: `free-tier-eligible image-allowed kernel-id platform product-code product-code.type ramdisk-id source-image-id
		source-image-region source-instance-id state-reason-code state-reason-message`,
	tags: func(*image) control.Tags { return nil },
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
	ids := in.ImageIds
	if len(ids) == 0 {
		ids = exact(in.Filters, "image-id")
	}
	if len(ids) > 0 {
		rows = rows[:0]
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			if err := idImage.Check(id); err != nil && len(in.ImageIds) > 0 {
				return nil, err
			} else if err == nil {
				rows = append(rows, c.image(id))
			}
		}
	}
	place := func(i *image) string { return i.name }
	rows, next := cutPage(p, sorted(rows, place), place, func(i *image) bool {
		return i.ownedBy(c, in.Owners) && i.executableBy(c, in.ExecutableUsers) && keep(i)
	})
	out := &model.DescribeImagesResult{Images: []model.Image{}, NextToken: next}
	for _, i := range rows {
		out.Images = append(out.Images, c.imageView(i))
	}
	return out, nil
}

func bindOfferings(t map[string]handler) {
	bind(t, "LocationType Filter MaxResults NextToken", describeInstanceTypeOfferings)
}

// offering is one instance type in one place.
type offering struct{ name, location string }

func (o offering) place() string { return o.name + "/" + o.location }

var offeringFilters = filterable[offering]{
	action: "DescribeInstanceTypeOfferings",
	fields: map[string]field[offering]{
		"instance-type": one(func(_ *call, o offering) string { return o.name }),
		"location":      one(func(_ *call, o offering) string { return o.location }),
	},
}

// describeInstanceTypeOfferings offers every type everywhere.
func describeInstanceTypeOfferings(c *call, in *model.DescribeInstanceTypeOfferingsRequest) (result, error) {
	keep, err := offeringFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	kind := query.Value(in.LocationType)
	var locations []string
	switch kind {
	case "", "region":
		kind, locations = "region", []string{c.region.Name}
	case "availability-zone":
		for _, z := range c.region.Zones {
			locations = append(locations, z.Name)
		}
	case "availability-zone-id":
		for _, z := range c.region.Zones {
			locations = append(locations, z.ID)
		}
	case "outpost":
		// There are none.
	default:
		return nil, invalid("Value (%s) for parameter locationType is invalid. Unknown location type.", clip(kind))
	}
	var rows []offering
	for _, name := range control.InstanceTypeNames() {
		for _, l := range locations {
			rows = append(rows, offering{name, l})
		}
	}
	rows, next := cutPage(p, sorted(rows, offering.place), offering.place, keep)
	out := &model.DescribeInstanceTypeOfferingsResult{InstanceTypeOfferings: []model.InstanceTypeOffering{}, NextToken: next}
	for _, o := range rows {
		out.InstanceTypeOfferings = append(out.InstanceTypeOfferings, model.InstanceTypeOffering{
			InstanceType: &o.name, Location: &o.location, LocationType: &kind,
		})
	}
	return out, nil
}
