package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// PrefixList is a managed list of CIDR blocks.
type PrefixList struct {
	ID     string // "pl-..."
	Region string
	Name   string
	AWS    bool   // managed by AWS, not by the customer
	Family string // IPv4, IPv6
	// MaxEntries is what the list counts for against the quota of what refers to
	// it. Of one that AWS manages it is the weight that AWS gives.
	MaxEntries int
	// Version is the newest, from 1. Versions hold the entries of the newest
	// ones, the last at the end; a change of entries makes a new one.
	Version   int
	Versions  [][]PrefixListEntry
	State     string // create-complete, modify-complete
	Tags      Tags
	CreatedAt time.Time
}

// PrefixListEntry is one block of a prefix list.
type PrefixListEntry struct {
	CIDR        netip.Prefix
	Description string
}

// Entries are those of the newest version.
func (l *PrefixList) Entries() []PrefixListEntry { return l.Versions[len(l.Versions)-1] }

// PrefixList returns one customer-managed prefix list.
func (s *State) PrefixList(id string) *PrefixList {
	return seek[PrefixList](s, TablePrefixList, byID, id)
}

// PrefixLists returns every customer-managed prefix list.
func (s *State) PrefixLists() []*PrefixList { return all[*PrefixList](s, TablePrefixList, byCreation) }

const (
	familyIPv4 = "IPv4"
	familyIPv6 = "IPv6"
	// maxListEntries is AWS's quota of entries in a prefix list, maxListChange of
	// those that one request adds or removes (VPC User Guide, quotas;
	// CreateManagedPrefixList).
	maxListEntries = 1000
	maxListChange  = 100
	// keptVersions bounds the versions of a list whose entries are kept.
	keptVersions = 64

	listCreated  = "create-complete"
	listModified = "modify-complete"
)

type (
	// PrefixListEntryInput is one block to add.
	PrefixListEntryInput struct{ CIDR, Description string }

	// CreatePrefixListInput is CreateManagedPrefixList's.
	CreatePrefixListInput struct {
		Name, Family string
		MaxEntries   int
		Entries      []PrefixListEntryInput
		Tags         Tags
	}

	// ModifyPrefixListInput is ModifyManagedPrefixList's.
	ModifyPrefixListInput struct {
		ID         string
		Version    *int // the current one, with Add and Remove
		Name       *string
		MaxEntries *int
		Add        []PrefixListEntryInput
		Remove     []string // CIDRs
	}
)

// CreatePrefixList makes a prefix list of the customer's own.
func (s *Service) CreatePrefixList(ctx context.Context, in CreatePrefixListInput) (*PrefixList, error) {
	return result(ctx, s, func(t *tx) (*PrefixList, error) { return t.createPrefixList(in) })
}

// ModifyPrefixList renames or resizes a prefix list, or changes its entries,
// which takes effect in every group and route table that names it.
func (s *Service) ModifyPrefixList(ctx context.Context, in ModifyPrefixListInput) (*PrefixList, error) {
	return result(ctx, s, func(t *tx) (*PrefixList, error) { return t.modifyPrefixList(in) })
}

// DeletePrefixList deletes a prefix list that nothing names.
func (s *Service) DeletePrefixList(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deletePrefixList(id) })
}

// EntriesOf returns the entries of one version, false if it is not kept.
func (l *PrefixList) EntriesOf(version int) ([]PrefixListEntry, bool) {
	at := len(l.Versions) - 1 - (l.Version - version)
	if version > l.Version || at < 0 {
		return nil, false
	}
	return l.Versions[at], true
}

// awsPrefixLists makes the lists of AWS's services in a region that has not got them
// yet. The blocks are some of those that the services have in us-east-1; hosts of
// the modelled internet with addresses there stand for the services.
func (t *tx) awsPrefixLists() {
	for _, l := range []struct {
		service, id string // id: in us-east-1
		blocks      []string
	}{
		{"s3", "pl-63a5400a", []string{"3.5.0.0/19", "52.216.0.0/15", "54.231.0.0/16"}},
		{"dynamodb", "pl-02cd2c6b", []string{"52.94.0.0/22", "52.119.224.0/20"}},
	} {
		row := &PrefixList{
			ID: l.id, Region: t.region, Name: "com.amazonaws." + t.region + "." + l.service, AWS: true, Family: familyIPv4,
			MaxEntries: 1, Version: 1, State: listCreated, CreatedAt: t.now,
		}
		if t.region != "us-east-1" {
			sum := sha256.Sum256([]byte(row.Name))
			row.ID = PrefixListID.Prefix + hex.EncodeToString(sum[:4])
		}
		if exists(t, TablePrefixList, byID, row.ID) {
			continue
		}
		entries := make([]PrefixListEntry, len(l.blocks))
		for i, b := range l.blocks {
			entries[i].CIDR = netip.MustParsePrefix(b)
		}
		row.Versions = [][]PrefixListEntry{entries}
		t.put(TablePrefixList, row)
	}
}

func checkListName(name string) error {
	switch {
	case name == "":
		return refuse(codeMissing, "prefixListName", "The request must contain the parameter prefixListName")
	case len(name) > maxGroupText:
		return invalid("prefixListName", "Prefix list names may not exceed %d characters.", maxGroupText) // unverified: the text
	case strings.HasPrefix(name, "com.amazonaws"):
		return invalid("prefixListName", "The name of a prefix list cannot start with com.amazonaws.") // unverified: the text
	}
	return nil
}

func checkListSize(size int) error {
	if size < 1 || size > maxListEntries {
		return invalid("maxEntries", // unverified: the text
			"Value (%d) for parameter maxEntries is invalid. It must be 1 to %d.", size, maxListEntries)
	}
	return nil
}

func errListFull() error {
	return refuse("PrefixListMaxEntriesExceeded", "entries", // unverified: the text
		"You've reached the maximum number of entries for the prefix list.")
}

// addEntries adds blocks to a copy of entries. Each must be of the family and
// new to the list.
func addEntries(entries []PrefixListEntry, family string, add []PrefixListEntryInput) ([]PrefixListEntry, error) {
	if len(add) > maxListChange {
		return nil, refuse("PrefixListMaxEntriesExceeded", "entries", // unverified: code and text
			"A request may not add more than %d entries.", maxListChange)
	}
	entries = slices.Clone(entries)
	for _, in := range add {
		p, err := netip.ParsePrefix(in.CIDR)
		if err != nil || p.Addr().Is4() != (family == familyIPv4) || p.Addr().Is4In6() {
			return nil, invalid("cidr", // unverified: the text
				"Value (%s) for parameter cidr is invalid. This is not a valid %s CIDR block.", in.CIDR, family)
		}
		if len(in.Description) > maxGroupText {
			return nil, invalid("description", "Descriptions may not exceed %d characters.", maxGroupText)
		}
		p = p.Masked()
		if slices.ContainsFunc(entries, func(e PrefixListEntry) bool { return e.CIDR == p }) {
			return nil, invalid("cidr", "The prefix list contains the CIDR block %s already.", p) // unverified: the text
		}
		entries = append(entries, PrefixListEntry{CIDR: p, Description: in.Description})
	}
	slices.SortFunc(entries, func(a, b PrefixListEntry) int { return a.CIDR.Compare(b.CIDR) })
	return entries, nil
}

func (t *tx) createPrefixList(in CreatePrefixListInput) (*PrefixList, error) {
	if err := checkListName(in.Name); err != nil {
		return nil, err
	}
	if in.Family != familyIPv4 && in.Family != familyIPv6 {
		return nil, invalid("addressFamily", // unverified: the text
			"Value (%s) for parameter addressFamily is invalid. It must be IPv4 or IPv6.", in.Family)
	}
	if err := checkListSize(in.MaxEntries); err != nil {
		return nil, err
	}
	entries, err := addEntries(nil, in.Family, in.Entries)
	if err != nil {
		return nil, err
	}
	if len(entries) > in.MaxEntries {
		return nil, errListFull()
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TablePrefixList, PrefixListID.Prefix)
	if err != nil {
		return nil, err
	}
	l := &PrefixList{
		ID: id, Region: t.region, Name: in.Name, Family: in.Family, MaxEntries: in.MaxEntries, Version: 1,
		Versions: [][]PrefixListEntry{entries}, State: listCreated, Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TablePrefixList, l)
	t.emit("prefix-list.created", id, "name", l.Name)
	return l, nil
}

// ownList finds a list that the customer may change.
func (t *tx) ownList(id string) (*PrefixList, error) {
	l, err := t.prefixList(id)
	if err == nil && l.AWS {
		return nil, refuse(codeNotPermitted, "prefixListId", "The prefix list '%s' is managed by AWS.", id) // unverified: code and text
	}
	return l, err
}

func (t *tx) modifyPrefixList(in ModifyPrefixListInput) (*PrefixList, error) {
	l, err := t.ownList(in.ID)
	if err != nil {
		return nil, err
	}
	c := *l
	change := len(in.Add)+len(in.Remove) > 0
	switch {
	case !change && in.Name == nil && in.MaxEntries == nil:
		return nil, refuse(codeCombination, "", "No attributes specified.") // unverified: the text
	case change && in.MaxEntries != nil:
		return nil, refuse(codeCombination, "maxEntries", // unverified: the text
			"You cannot modify the entries of a prefix list and its size at the same time.")
	case change && in.Version == nil:
		return nil, refuse(codeMissing, "currentVersion", "The request must contain the parameter currentVersion")
	case in.Version != nil && *in.Version != l.Version:
		return nil, refuse("PrefixListVersionMismatch", "currentVersion", // unverified: the text
			"The prefix list has the incorrect version number.")
	}
	if in.Name != nil {
		if err := checkListName(*in.Name); err != nil {
			return nil, err
		}
		c.Name = *in.Name
	}
	if change {
		if err := c.edit(in.Add, in.Remove); err != nil {
			return nil, err
		}
	}
	if in.MaxEntries != nil {
		if err := checkListSize(*in.MaxEntries); err != nil {
			return nil, err
		}
		if *in.MaxEntries < len(l.Entries()) {
			return nil, errListFull()
		}
		c.MaxEntries = *in.MaxEntries
	}
	c.State = listModified
	t.put(TablePrefixList, &c)
	if c.MaxEntries > l.MaxEntries {
		if err := t.listFits(&c); err != nil {
			return nil, err
		}
	}
	t.emit("prefix-list.modified", c.ID, "entries", yes(change))
	return &c, nil
}

// edit makes a new version of l's entries, without those to remove and with
// those to add.
func (l *PrefixList) edit(add []PrefixListEntryInput, remove []string) error {
	if len(remove) > maxListChange {
		return refuse("PrefixListMaxEntriesExceeded", "entries", // unverified: code and text
			"A request may not remove more than %d entries.", maxListChange)
	}
	entries := slices.Clone(l.Entries())
	for _, cidr := range remove {
		p, err := netip.ParsePrefix(cidr)
		at := slices.IndexFunc(entries, func(e PrefixListEntry) bool { return err == nil && e.CIDR == p.Masked() })
		if at < 0 {
			return invalid("cidr", "The prefix list '%s' does not contain the CIDR block %s.", l.ID, cidr) // unverified: the text
		}
		entries = slices.Delete(entries, at, at+1)
	}
	entries, err := addEntries(entries, l.Family, add)
	if err != nil {
		return err
	}
	if len(entries) > l.MaxEntries {
		return errListFull()
	}
	kept := l.Versions
	if len(kept) >= keptVersions {
		kept = kept[len(kept)-keptVersions+1:]
	}
	l.Versions, l.Version = append(slices.Clone(kept), entries), l.Version+1
	return nil
}

// listFits tells whether all that names a list, which has grown, still keeps
// within its quotas.
func (t *tx) listFits(l *PrefixList) error {
	for _, g := range list[*SecurityGroup](t, TableSecurityGroup, byReference, l.ID) {
		if err := t.checkRules(g.Rules); err != nil {
			return err
		}
	}
	for _, r := range list[*RouteTable](t, TableRouteTable, byTarget, l.ID) {
		if err := t.routesFit(r); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) deletePrefixList(id string) error {
	l, err := t.ownList(id)
	if err != nil {
		return err
	}
	if exists(t, TableSecurityGroup, byReference, id) || exists(t, TableRouteTable, byTarget, id) {
		return refuse(codeDependency, "prefixListId", "The prefix list '%s' is in use and cannot be deleted.", id) // unverified: code and text
	}
	t.remove(TablePrefixList, l)
	t.emit("prefix-list.deleted", id)
	return nil
}
