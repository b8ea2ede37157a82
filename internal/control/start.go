package control

// SwapStart makes st, which is nil for nothing or what SwapStart has returned, what
// Reset goes back to, and returns what that was.
func (s *Service) SwapStart(st *State) (was *State) { return s.start.Swap(st) }

// Untouched reports whether nobody has made anything in any region: there are
// default networks at most, which come by themselves when they are asked for.
// Terminated instances are nothing either: they vanish by themselves.
func (s *State) Untouched() bool {
	vpcs := allIn[*VPC](s.db, string(TableVPC), byID)
	for _, v := range vpcs {
		if !v.Default {
			return false
		}
	}
	for _, i := range allIn[*Instance](s.db, string(TableInstance), byID) {
		if i.State != InstanceTerminated {
			return false
		}
	}
	for _, n := range allIn[*Subnet](s.db, string(TableSubnet), byID) {
		if !n.DefaultForZone {
			return false
		}
	}
	for _, p := range allIn[*PrefixList](s.db, string(TablePrefixList), byID) {
		if !p.AWS {
			return false
		}
	}
	for _, k := range Kinds() {
		most := 0
		switch k.Table {
		case TableVPC, TableSubnet, TableInstance, TableRegion, TablePrefixList, TableClientToken:
			continue
		case TableDHCPOptions, TableInternetGateway, TableRouteTable, TableNetworkACL, TableSecurityGroup:
			most = len(vpcs) // each default VPC has one
		}
		if len(allIn[Row](s.db, string(k.Table), byID)) > most {
			return false
		}
	}
	return true
}
