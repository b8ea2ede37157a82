package control

import "cmp"

// settingsIn are the settings of an instance in a subnet, whose names it gets
// unless the launch says which.
func (in *LaunchInput) settingsIn(sub *Subnet) InstanceSettings {
	s := in.Settings
	s.HostnameType = cmp.Or(in.HostnameType, sub.HostnameType)
	s.RecordA, s.RecordAAAA = sub.RecordA, sub.RecordAAAA
	if in.RecordA != nil {
		s.RecordA = *in.RecordA
	}
	if in.RecordAAAA != nil {
		s.RecordAAAA = *in.RecordAAAA
	}
	return s
}

// checkSettings refuses settings that no launch takes. A key pair must be there;
// afterwards the instance keeps its name and its public key.
func (t *tx) checkSettings(in *LaunchInput) error {
	s := &in.Settings
	if err := checkUserData(s.UserData); err != nil {
		return err
	}
	if s.ShutdownBehavior != "" {
		if err := checkShutdown(s.ShutdownBehavior); err != nil {
			return err
		}
	}
	if _, err := (MetadataOptions{}).with(s.Metadata); err != nil {
		return err
	}
	switch in.HostnameType {
	case "", hostnameIP, hostnameResource:
	default:
		return invalid("hostnameType", "Value (%s) for parameter hostnameType is invalid. It must be %s or %s.", // unverified: the text
			in.HostnameType, hostnameIP, hostnameResource)
	}
	s.PublicKey = ""
	if s.KeyName != "" {
		k := get[*KeyPair](t, TableKeyPair, byName, t.region, s.KeyName)
		if k == nil {
			return KeyPairID.missing("keyName", s.KeyName)
		}
		s.PublicKey = k.PublicKey
	}
	return nil
}
