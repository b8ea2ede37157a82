package ec2

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/ssh"
)

// puttyFile is a private key without passphrase in version 2 of PuTTY's format,
// which every PuTTY reads (PuTTY user manual, appendix "PPK file format").
func puttyFile(key crypto.Signer, comment string) (string, error) {
	const encryption = "none"
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	var private []byte
	switch k := key.(type) {
	case *rsa.PrivateKey:
		p, q := k.Primes[0], k.Primes[1]
		private = ssh.Marshal(struct{ D, P, Q, Inverse *big.Int }{k.D, p, q, new(big.Int).ModInverse(q, p)})
	case ed25519.PrivateKey:
		private = ssh.Marshal(struct{ Seed []byte }{k.Seed()})
	default:
		return "", fmt.Errorf("no PuTTY file of a %T", key)
	}
	secret := sha1.Sum([]byte("putty-private-key-file-mac-key"))
	mac := hmac.New(sha1.New, secret[:])
	mac.Write(ssh.Marshal(struct {
		Type, Encryption, Comment string
		Public, Private           []byte
	}{public.Type(), encryption, comment, public.Marshal(), private}))

	var b strings.Builder
	fmt.Fprintf(&b, "PuTTY-User-Key-File-2: %s\nEncryption: %s\nComment: %s\n", public.Type(), encryption, comment)
	puttyLines(&b, "Public", public.Marshal())
	puttyLines(&b, "Private", private)
	fmt.Fprintf(&b, "Private-MAC: %s\n", hex.EncodeToString(mac.Sum(nil)))
	return b.String(), nil
}

func puttyLines(b *strings.Builder, name string, blob []byte) {
	const width = 64
	text := base64.StdEncoding.EncodeToString(blob)
	fmt.Fprintf(b, "%s-Lines: %d\n", name, (len(text)+width-1)/width)
	for len(text) > width {
		b.WriteString(text[:width] + "\n")
		text = text[width:]
	}
	b.WriteString(text + "\n")
}
