package control

import (
	"context"
	"strings"
	"time"
)

// KeyPair is an SSH key, of which only the public half is kept.
type KeyPair struct {
	ID          string // "key-..."
	Region      string
	Name        string
	Type        string // "rsa", "ed25519"
	Fingerprint string
	PublicKey   string // in authorized_keys format
	Tags        Tags
	CreatedAt   time.Time
}

// KeyPair returns one key pair.
func (s *State) KeyPair(id string) *KeyPair { return seek[KeyPair](s, TableKeyPair, byID, id) }

// KeyPairs returns every key pair.
func (s *State) KeyPairs() []*KeyPair { return all[*KeyPair](s, TableKeyPair, byCreation) }

// CreateKeyInput is a new key pair, whose key was made or read outside.
type CreateKeyInput struct {
	Name        string
	Type        string // "rsa", "ed25519"
	Fingerprint string
	PublicKey   string // in authorized_keys format, without comment
	Tags        Tags
}

// CreateKeyPair stores the public half of a key pair.
func (s *Service) CreateKeyPair(ctx context.Context, in CreateKeyInput) (*KeyPair, error) {
	return result(ctx, s, func(t *tx) (*KeyPair, error) { return t.createKeyPair(in) })
}

// DeleteKeyPair deletes a key pair. Instances keep its name.
func (s *Service) DeleteKeyPair(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteKeyPair(id) })
}

// CheckKeyName tells whether a key pair may have a name: up to 255 printable
// ASCII characters without spaces around them (CreateKeyPair).
func CheckKeyName(name string) error {
	if name == "" {
		return refuse(codeMissing, "keyName", "The request must contain the parameter keyName")
	}
	bad := strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' })
	if bad || len(name) > maxGroupText || strings.TrimSpace(name) != name {
		return invalid("keyName", // unverified: the text
			"Value (%s) for parameter keyName is invalid. It must be up to %d ASCII characters without spaces at the ends.", name, maxGroupText)
	}
	return nil
}

func (t *tx) createKeyPair(in CreateKeyInput) (*KeyPair, error) {
	if err := CheckKeyName(in.Name); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if exists(t, TableKeyPair, byName, t.region, in.Name) {
		return nil, refuse("InvalidKeyPair.Duplicate", "keyName", "The keypair already exists")
	}
	id, err := t.mintRow(TableKeyPair, KeyPairID.Prefix)
	if err != nil {
		return nil, err
	}
	k := &KeyPair{
		ID: id, Region: t.region, Name: in.Name, Type: in.Type, Fingerprint: in.Fingerprint, PublicKey: in.PublicKey,
		Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableKeyPair, k)
	t.emit("key-pair.created", id, "name", k.Name, "type", k.Type)
	return k, nil
}

func (t *tx) deleteKeyPair(id string) error {
	k, err := t.keyPair(id)
	if err != nil {
		return err
	}
	t.remove(TableKeyPair, k)
	t.emit("key-pair.deleted", id, "name", k.Name)
	return nil
}

func (t *tx) keyPair(id string) (*KeyPair, error) {
	return find[KeyPair](t, KeyPairID, TableKeyPair, byID, "keyPairId", id)
}

// KeyPairByName returns the key pair of that name in a region.
func (s *State) KeyPairByName(region, name string) *KeyPair {
	return seek[KeyPair](s, TableKeyPair, byName, region, name)
}
