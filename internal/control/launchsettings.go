package control

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
