package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindPrefixLists(t map[string]handler) {
	bind(t, "PrefixListName AddressFamily MaxEntries Entry TagSpecification", createManagedPrefixList)
	bind(t, "PrefixListId Filter MaxResults NextToken", describeManagedPrefixLists)
	bind(t, "PrefixListId TargetVersion MaxResults NextToken", getManagedPrefixListEntries)
	bind(t, "PrefixListId CurrentVersion PrefixListName MaxEntries AddEntry RemoveEntry", modifyManagedPrefixList)
	bind(t, "PrefixListId", deleteManagedPrefixList)
	bind(t, "PrefixListId Filter MaxResults NextToken", describePrefixLists)
}

func listPlace(l *control.PrefixList) string { return place(l.CreatedAt, l.ID) }

// managedList is a list as EC2 shows it. Of those that AWS manages nobody is
// told how many entries they may have.
// changedList is a list as its changes answer it: without tags it has no tagSet.
func (c *call) changedList(l *control.PrefixList) model.ManagedPrefixList {
	m := c.managedList(l)
	m.Tags = someTags(l.Tags)
	return m
}

func (c *call) managedList(l *control.PrefixList) model.ManagedPrefixList {
	m := model.ManagedPrefixList{
		PrefixListId: &l.ID, PrefixListName: &l.Name, AddressFamily: &l.Family, State: &l.State, OwnerId: new(c.listOwner(l)),
		PrefixListArn: new(c.arn("prefix-list", l.ID)), Tags: tagList(l.Tags),
	}
	if l.AWS {
		m.PrefixListArn = new("arn:" + control.Partition(c.region.Name) + ":ec2:" + c.region.Name + ":aws:prefix-list/" + l.ID)
		return m
	}
	m.MaxEntries, m.Version = &l.MaxEntries, new(int64(l.Version))
	return m
}

func (c *call) listOwner(l *control.PrefixList) string {
	if l.AWS {
		return "AWS"
	}
	return c.api.opt.Account
}

func listInputs(entries []model.AddPrefixListEntry) ([]control.PrefixListEntryInput, error) {
	var ins []control.PrefixListEntryInput
	for _, e := range entries {
		if e.Cidr == nil {
			return nil, missing("cidr")
		}
		ins = append(ins, control.PrefixListEntryInput{CIDR: *e.Cidr, Description: query.Value(e.Description)})
	}
	return ins, nil
}

func createManagedPrefixList(c *call, in *model.CreateManagedPrefixListRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "prefix-list")
	if err != nil {
		return nil, err
	}
	entries, err := listInputs(in.Entries)
	if err != nil {
		return nil, err
	}
	l, err := c.command().CreatePrefixList(c.ctx, control.CreatePrefixListInput{
		Name: *in.PrefixListName, Family: *in.AddressFamily, MaxEntries: *in.MaxEntries, Entries: entries, Tags: tags["prefix-list"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateManagedPrefixListResult{PrefixList: new(c.managedList(l))}, nil
}

var listFields = map[string]field[*control.PrefixList]{
	"prefix-list-id":   one(func(_ *call, l *control.PrefixList) string { return l.ID }),
	"prefix-list-name": one(func(_ *call, l *control.PrefixList) string { return l.Name }),
}

var managedListFilters = filterable[*control.PrefixList]{
	action: "DescribeManagedPrefixLists",
	fields: map[string]field[*control.PrefixList]{
		"owner-id":       one((*call).listOwner),
		"prefix-list-id": listFields["prefix-list-id"], "prefix-list-name": listFields["prefix-list-name"],
	},
	tags: func(l *control.PrefixList) control.Tags { return l.Tags },
}

// lists are the rows of a Describe: those of the ids, or all.
func (c *call) lists(ids []string) ([]*control.PrefixList, error) {
	if len(ids) == 0 {
		return c.state.PrefixLists(), nil
	}
	rows, err := findAll(control.PrefixListID, ids, c.state.PrefixList)
	return sorted(rows, listPlace), err
}

func describeManagedPrefixLists(c *call, in *model.DescribeManagedPrefixListsRequest) (result, error) {
	keep, err := managedListFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows, err := c.lists(in.PrefixListIds)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, rows, listPlace, keep)
	out := &model.DescribeManagedPrefixListsResult{PrefixLists: []model.ManagedPrefixList{}, NextToken: next}
	for _, l := range rows {
		out.PrefixLists = append(out.PrefixLists, c.managedList(l))
	}
	return out, nil
}

func getManagedPrefixListEntries(c *call, in *model.GetManagedPrefixListEntriesRequest) (result, error) {
	l, err := find(control.PrefixListID, *in.PrefixListId, c.state.PrefixList)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	version := l.Version
	if in.TargetVersion != nil {
		version = int(*in.TargetVersion)
	}
	entries, ok := l.EntriesOf(version)
	if !ok {
		return nil, invalid("The prefix list '%s' has no version %d", l.ID, version) // unverified: code and text
	}
	place := func(e control.PrefixListEntry) string { return e.CIDR.String() }
	rows, next := cutPage(p, sorted(append([]control.PrefixListEntry(nil), entries...), place), place,
		func(control.PrefixListEntry) bool { return true })
	out := &model.GetManagedPrefixListEntriesResult{Entries: []model.PrefixListEntry{}, NextToken: next}
	for _, e := range rows {
		out.Entries = append(out.Entries, model.PrefixListEntry{Cidr: new(e.CIDR.String()), Description: text(e.Description)})
	}
	return out, nil
}

func modifyManagedPrefixList(c *call, in *model.ModifyManagedPrefixListRequest) (result, error) {
	l, err := find(control.PrefixListID, *in.PrefixListId, c.state.PrefixList)
	if err != nil {
		return nil, err
	}
	change := control.ModifyPrefixListInput{ID: l.ID, Name: in.PrefixListName, MaxEntries: in.MaxEntries}
	if in.CurrentVersion != nil {
		change.Version = new(int(*in.CurrentVersion))
	}
	if change.Add, err = listInputs(in.AddEntries); err != nil {
		return nil, err
	}
	for _, e := range in.RemoveEntries {
		if e.Cidr == nil {
			return nil, missing("cidr")
		}
		change.Remove = append(change.Remove, *e.Cidr)
	}
	if l, err = c.command().ModifyPrefixList(c.ctx, change); err != nil {
		return nil, err
	}
	return &model.ModifyManagedPrefixListResult{PrefixList: new(c.changedList(l))}, nil
}

func deleteManagedPrefixList(c *call, in *model.DeleteManagedPrefixListRequest) (result, error) {
	l, err := find(control.PrefixListID, *in.PrefixListId, c.state.PrefixList)
	if err != nil {
		return nil, err
	}
	if err := c.command().DeletePrefixList(c.ctx, l.ID); err != nil {
		return nil, err
	}
	gone := *l
	gone.State = "delete-complete"
	return &model.DeleteManagedPrefixListResult{PrefixList: new(c.changedList(&gone))}, nil
}

var prefixListFilters = filterable[*control.PrefixList]{action: "DescribePrefixLists", fields: listFields}

// describePrefixLists shows the lists of AWS's services, with their blocks.
func describePrefixLists(c *call, in *model.DescribePrefixListsRequest) (result, error) {
	keep, err := prefixListFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	rows, err := c.lists(in.PrefixListIds)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, rows, listPlace, func(l *control.PrefixList) bool { return l.AWS && keep(l) })
	out := &model.DescribePrefixListsResult{PrefixLists: []model.PrefixList{}, NextToken: next}
	for _, l := range rows {
		m := model.PrefixList{PrefixListId: &l.ID, PrefixListName: &l.Name, Cidrs: []string{}}
		for _, e := range l.Entries() {
			m.Cidrs = append(m.Cidrs, e.CIDR.String())
		}
		out.PrefixLists = append(out.PrefixLists, m)
	}
	return out, nil
}
