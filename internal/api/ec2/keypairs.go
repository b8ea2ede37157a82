package ec2

import (
	"cmp"
	"crypto"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindKeyPairs(t map[string]handler) {
	bind(t, "KeyName KeyType KeyFormat TagSpecification", createKeyPair)
	bind(t, "KeyName PublicKeyMaterial TagSpecification", importKeyPair)
	bind(t, "KeyName KeyPairId IncludePublicKey Filter", describeKeyPairs)
	bind(t, "KeyName KeyPairId", deleteKeyPair)
}

const (
	keyRSA     = "rsa"
	keyED25519 = "ed25519"
	formatPEM  = "pem"
	formatPPK  = "ppk"
	// rsaBits is the size of the RSA keys that EC2 makes (User Guide, "Amazon EC2
	// key pairs").
	rsaBits = 2048
	// maxPublicKey bounds what is imported, in bytes: an RSA key of 4096 bits has
	// less than 1 KiB.
	maxPublicKey = 16 << 10
)

// colons writes a digest as EC2 does.
func colons(sum []byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02x", b)
	}
	return strings.Join(parts, ":")
}

// authorized is a public key in authorized_keys format, without comment.
func authorized(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
}

// ed25519Fingerprint is OpenSSH's, of the key as SSH sends it, with the padding
// that EC2 leaves on.
func ed25519Fingerprint(key ssh.PublicKey) string {
	sum := sha256.Sum256(key.Marshal())
	return base64.StdEncoding.EncodeToString(sum[:])
}

// newKey makes a key pair, of which only the public half is kept.
//
// The fingerprint of an RSA key that EC2 made is the SHA-1 of the private half
// in PKCS#8 (User Guide, "Verify the fingerprint of your key pair").
func newKey(kind string) (private crypto.Signer, key control.CreateKeyInput, err error) {
	switch kind {
	case keyRSA:
		k, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return nil, key, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			return nil, key, err
		}
		sum := sha1.Sum(der)
		private, key.Fingerprint = k, colons(sum[:])
	case keyED25519:
		if _, private, err = ed25519.GenerateKey(rand.Reader); err != nil {
			return nil, key, err
		}
	default:
		return nil, key, invalid("Value (%s) for parameter keyType is invalid. It must be rsa or ed25519.", clip(kind))
	}
	public, err := ssh.NewPublicKey(private.Public())
	if err != nil {
		return nil, key, err
	}
	if kind == keyED25519 {
		key.Fingerprint = ed25519Fingerprint(public)
	}
	key.Type, key.PublicKey = kind, authorized(public)
	return private, key, nil
}

// keyFile is a private key as the caller gets it, once.
func keyFile(private crypto.Signer, format, name string) (string, error) {
	if format == formatPPK {
		return puttyFile(private, name)
	}
	if k, ok := private.(*rsa.PrivateKey); ok {
		return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})), nil
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(block)), nil
}

func errKeyFormat() error {
	return query.Refuse("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
}

// readKey reads a public key to import: an authorized_keys line, the file
// format of RFC 4716, or the bare key in base64 as either has it inside. The
// fingerprint of an imported RSA key is the MD5 of the public half in DER.
func readKey(material []byte) (key control.CreateKeyInput, err error) {
	if len(material) > maxPublicKey {
		return key, errKeyFormat()
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(material)
	if err != nil {
		raw, err := base64.StdEncoding.DecodeString(bare(string(material)))
		if err != nil {
			return key, errKeyFormat()
		}
		if public, err = ssh.ParsePublicKey(raw); err != nil {
			return key, errKeyFormat()
		}
	}
	inner, ok := public.(ssh.CryptoPublicKey)
	if !ok {
		return key, errKeyFormat()
	}
	key.PublicKey = authorized(public)
	switch k := inner.CryptoPublicKey().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(k)
		if bits := k.N.BitLen(); err != nil || bits != 1024 && bits != 2048 && bits != 4096 {
			return key, errKeyFormat()
		}
		sum := md5.Sum(der)
		key.Type, key.Fingerprint = keyRSA, colons(sum[:])
	case ed25519.PublicKey:
		key.Type, key.Fingerprint = keyED25519, ed25519Fingerprint(public)
	default:
		return key, errKeyFormat()
	}
	return key, nil
}

// bare takes the base64 out of a key file of RFC 4716: what stands between the
// marks, without headers, which may go on over several lines.
func bare(s string) string {
	var b strings.Builder
	header := false
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "----"):
		case header || strings.Contains(line, ":"):
			header = strings.HasSuffix(line, `\`)
		default:
			b.WriteString(line)
		}
	}
	return b.String()
}

func createKeyPair(c *call, in *model.CreateKeyPairRequest) (result, error) {
	kind := keyRSA
	if in.KeyType != nil {
		kind = *in.KeyType
	}
	format := cmp.Or(query.Value(in.KeyFormat), formatPEM)
	if format != formatPEM && format != formatPPK {
		return nil, invalid("Value (%s) for parameter keyFormat is invalid. It must be pem or ppk.", clip(format))
	}
	tags, err := c.keyChecks(*in.KeyName, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	private, key, err := newKey(kind)
	if err != nil {
		return nil, err
	}
	material, err := keyFile(private, format, *in.KeyName)
	if err != nil {
		return nil, err
	}
	k, err := c.storeKey(*in.KeyName, key, tags)
	if err != nil {
		return nil, err
	}
	return &model.KeyPair{
		KeyName: &k.Name, KeyPairId: &k.ID, KeyFingerprint: &k.Fingerprint, KeyMaterial: &material, Tags: someTags(k.Tags),
	}, nil
}

// keyChecks refuses before a key is made what would be refused after.
func (c *call) keyChecks(name string, specs []model.TagSpecification) (control.Tags, error) {
	tags, err := tagSpecs(specs, "key-pair")
	if err != nil {
		return nil, err
	}
	return tags["key-pair"], control.CheckKeyName(name)
}

func (c *call) storeKey(name string, key control.CreateKeyInput, tags control.Tags) (*control.KeyPair, error) {
	svc := c.command()
	key.Name, key.Tags = name, tags
	return svc.CreateKeyPair(c.ctx, key)
}

func importKeyPair(c *call, in *model.ImportKeyPairRequest) (result, error) {
	tags, err := c.keyChecks(*in.KeyName, in.TagSpecifications)
	if err != nil {
		return nil, err
	}
	key, err := readKey(in.PublicKeyMaterial)
	if err != nil {
		return nil, err
	}
	k, err := c.storeKey(*in.KeyName, key, tags)
	if err != nil {
		return nil, err
	}
	return &model.ImportKeyPairResult{
		KeyName: &k.Name, KeyPairId: &k.ID, KeyFingerprint: &k.Fingerprint, Tags: someTags(k.Tags),
	}, nil
}

func keyPlace(k *control.KeyPair) string { return place(k.CreatedAt, k.ID) }

var keyFilters = filterable[*control.KeyPair]{
	action: "DescribeKeyPairs",
	fields: map[string]field[*control.KeyPair]{
		"fingerprint": one(func(_ *call, k *control.KeyPair) string { return k.Fingerprint }),
		"key-name":    one(func(_ *call, k *control.KeyPair) string { return k.Name }),
		"key-pair-id": one(func(_ *call, k *control.KeyPair) string { return k.ID }),
	},
	tags: func(k *control.KeyPair) control.Tags { return k.Tags },
}

func describeKeyPairs(c *call, in *model.DescribeKeyPairsRequest) (result, error) {
	keep, err := keyFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	rows := c.state.KeyPairs()
	if len(in.KeyNames)+len(in.KeyPairIds) > 0 {
		if rows, err = findAll(control.KeyPairID, in.KeyPairIds, c.state.KeyPair); err != nil {
			return nil, err
		}
		for _, name := range in.KeyNames {
			k := c.state.KeyPairByName(c.region.Name, name)
			if k == nil {
				return nil, query.Refuse("InvalidKeyPair.NotFound", "The key pair '%s' does not exist", clip(name))
			}
			rows = append(rows, k)
		}
		rows = sorted(rows, keyPlace)
	}
	out := &model.DescribeKeyPairsResult{KeyPairs: []model.KeyPairInfo{}}
	for n, k := range rows {
		if n > 0 && rows[n-1] == k || !keep(k) {
			continue
		}
		m := model.KeyPairInfo{
			KeyPairId: &k.ID, KeyName: &k.Name, KeyType: &k.Type, KeyFingerprint: &k.Fingerprint, CreateTime: &k.CreatedAt,
			Tags: tagList(k.Tags),
		}
		if query.Value(in.IncludePublicKey) {
			m.PublicKey = new(k.PublicKey + " " + k.Name)
		}
		out.KeyPairs = append(out.KeyPairs, m)
	}
	return out, nil
}

// deleteKeyPair succeeds for a key pair that is not there, as on EC2.
func deleteKeyPair(c *call, in *model.DeleteKeyPairRequest) (result, error) {
	var k *control.KeyPair
	switch {
	case in.KeyPairId != nil:
		if err := control.KeyPairID.Check(*in.KeyPairId); err != nil {
			return nil, err
		}
		k = c.state.KeyPair(*in.KeyPairId)
	case in.KeyName != nil:
		k = c.state.KeyPairByName(c.region.Name, *in.KeyName)
	default:
		return nil, missing("keyName")
	}
	svc := c.command()
	out := &model.DeleteKeyPairResult{Return: new(true)}
	if k == nil {
		return out, nil
	}
	out.KeyPairId = &k.ID
	return out, svc.DeleteKeyPair(c.ctx, k.ID)
}
