package ec2

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Keys that ssh-keygen made, with the fingerprints that openssl and ssh-keygen
// compute.
const (
	rsaKey = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC1GjjUYmZ77lTJfWUgdlQN8Pv9SDK3nlxmCUwPQ+73HQrlNOYDzhdjWBqdK9YR8A49t85cHn" +
		"hJGVabKpgMKoQ9xbkHTyrccMVZwoZINUqS99MYqoTy/gDeDseL5Q4AlDukCedrMdU+ki6XITCweFlUNFHQdPhRlowbGv7dEqPXq7E6rsA4SZvS" +
		"ySQ5/apYH6fJe9PP6A51qPDEwJ2OSri3lOn4RxW0fcltxJNbHR+KK02MJRcCvcuTVQa47rJXALcVM7PrDv0R6XfJwRHW2/jbzWtPcxw4QDrWPd" +
		"fABH7E7MU6Cq/BO2gOhnRnh4WWhhYLiQqetswwRwbTIySsJtCz"
	rsaFile = `---- BEGIN SSH2 PUBLIC KEY ----
Comment: "a\
long comment"
AAAAB3NzaC1yc2EAAAADAQABAAABAQC1GjjUYmZ77lTJfWUgdlQN8Pv9SDK3nlxmCUwPQ+
73HQrlNOYDzhdjWBqdK9YR8A49t85cHnhJGVabKpgMKoQ9xbkHTyrccMVZwoZINUqS99MY
qoTy/gDeDseL5Q4AlDukCedrMdU+ki6XITCweFlUNFHQdPhRlowbGv7dEqPXq7E6rsA4SZ
vSySQ5/apYH6fJe9PP6A51qPDEwJ2OSri3lOn4RxW0fcltxJNbHR+KK02MJRcCvcuTVQa4
7rJXALcVM7PrDv0R6XfJwRHW2/jbzWtPcxw4QDrWPdfABH7E7MU6Cq/BO2gOhnRnh4WWhh
YLiQqetswwRwbTIySsJtCz
---- END SSH2 PUBLIC KEY ----`
	rsaMD5 = "24:27:26:7a:f3:03:2a:f4:cf:75:48:f3:5a:f7:0b:2d"

	ed25519Key    = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBMmXPzIFYncJYWfXjHtSE/cdnt3l075NnOpZQqMthPu"
	ed25519SHA256 = "HL28CdIs9NFcb47OMZ+9+D48CZ+JsRdvH1974DrdFjY="
)

func importKey(name, material string) []string {
	return []string{"KeyName=" + name, "PublicKeyMaterial=" + base64.StdEncoding.EncodeToString([]byte(material))}
}

// An imported key has EC2's fingerprint in whatever form it came.
func TestImportKeyPair(t *testing.T) {
	l := newLab(t)
	for _, tt := range []struct{ name, material, fingerprint, kind, public string }{
		{"a line", rsaKey + " alice@example\n", rsaMD5, "rsa", rsaKey},
		{"RFC 4716", rsaFile, rsaMD5, "rsa", rsaKey},
		{"bare base64", strings.Fields(rsaKey)[1], rsaMD5, "rsa", rsaKey},
		{"ed25519", ed25519Key, ed25519SHA256, "ed25519", ed25519Key},
	} {
		r := l.must("ImportKeyPair", append(importKey(tt.name, tt.material), "TagSpecification.1.ResourceType=key-pair",
			"TagSpecification.1.Tag.1.Key=owner", "TagSpecification.1.Tag.1.Value=alice")...)
		if got := r.text("keyFingerprint"); got != tt.fingerprint {
			t.Errorf("%s: fingerprint %s, want %s", tt.name, got, tt.fingerprint)
		}
		d := l.must("DescribeKeyPairs", "KeyName.1="+tt.name, "IncludePublicKey=true", "Filter.1.Name=tag:owner", "Filter.1.Value.1=alice")
		if d.text("keySet.1.keyType") != tt.kind || d.text("keySet.1.publicKey") != tt.public+" "+tt.name {
			t.Errorf("%s: %s", tt.name, d.raw)
		}
	}
	if d := l.must("DescribeKeyPairs", "KeyName.1=ed25519"); d.at("keySet.1.publicKey") != nil {
		t.Error("a public key was shown that nobody asked for")
	}
	for _, wrong := range []string{"", "hello", "ssh-rsa AAAA", "ssh-dss " + strings.Fields(rsaKey)[1], strings.Repeat("A", 17<<10),
		"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"} {
		r := l.refused("InvalidKey.Format", "ImportKeyPair", importKey("wrong", wrong)...)
		if r.message() != "Key is not in valid OpenSSH public key format" {
			t.Error(r.message())
		}
	}
}

// The private half of a created key is answered once; what is stored is the
// public half.
func TestCreateKeyPair(t *testing.T) {
	l := newLab(t)
	for _, kind := range []string{"rsa", "ed25519"} {
		r := l.must("CreateKeyPair", "KeyName="+kind, "KeyType="+kind)
		material := []byte(r.text("keyMaterial"))
		signer, err := ssh.ParsePrivateKey(material)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		k := l.svc.In("us-east-1").State().KeyPairByName("us-east-1", kind)
		if k == nil || k.PublicKey != strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))) {
			t.Errorf("%s: stored %+v is not the public half of what was answered", kind, k)
		}
		want := ssh.FingerprintSHA256(signer.PublicKey())[len("SHA256:"):] + "="
		if kind == "rsa" {
			block, _ := pem.Decode(material)
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			der, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha1.Sum(der)
			want = colons(sum[:])
		}
		if got := r.text("keyFingerprint"); got != want {
			t.Errorf("%s: fingerprint %s, want %s", kind, got, want)
		}
	}
	l.refused("InvalidKeyPair.Duplicate", "CreateKeyPair", "KeyName=rsa", "KeyType=ed25519")
	l.refused("InvalidKeyPair.Duplicate", "ImportKeyPair", importKey("rsa", ed25519Key)...)
	l.refused("InvalidParameterValue", "CreateKeyPair", "KeyName=x", "KeyType=dsa")
	l.refused("InvalidParameterValue", "CreateKeyPair", "KeyName= x", "KeyType=ed25519")
	l.refused("InvalidParameterValue", "CreateKeyPair", "KeyName="+strings.Repeat("x", 256), "KeyType=ed25519")
	l.refused("InvalidParameterValue", "CreateKeyPair", "KeyName=x", "KeyFormat=der")
	if r := l.must("CreateKeyPair", "KeyName=windows", "KeyFormat=ppk"); !strings.HasPrefix(r.text("keyMaterial"), "PuTTY-User-Key-File-2: ssh-rsa\n") {
		t.Errorf("the file is %s", r.text("keyMaterial"))
	}
}

// The files in testdata/putty are throw-away keys, and what puttygen 0.78 makes of
// them (-O private --ppk-param version=2 -C name).
func TestPuTTYFiles(t *testing.T) {
	for _, kind := range []string{keyRSA, keyED25519} {
		pemFile, err := os.ReadFile("testdata/putty/" + kind + ".pem")
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/putty/" + kind + ".ppk")
		if err != nil {
			t.Fatal(err)
		}
		raw, err := ssh.ParseRawPrivateKey(pemFile)
		if err != nil {
			t.Fatal(err)
		}
		if k, ok := raw.(*ed25519.PrivateKey); ok {
			raw = *k
		}
		got, err := puttyFile(raw.(crypto.Signer), "name")
		if err != nil || got != string(want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", kind, err, got, want)
		}
	}
}

func TestDeleteKeyPairTwice(t *testing.T) {
	l := newLab(t)
	id := l.must("ImportKeyPair", importKey("bob", ed25519Key)...).text("keyPairId")
	if r := l.must("DeleteKeyPair", "KeyName=bob"); r.text("keyPairId") != id {
		t.Errorf("deleted %s", r.raw)
	}
	l.must("DeleteKeyPair", "KeyName=bob")
	l.must("DeleteKeyPair", "KeyPairId="+id)
	r := l.refused("InvalidKeyPair.NotFound", "DescribeKeyPairs", "KeyName.1=bob")
	if r.message() != "The key pair 'bob' does not exist" {
		t.Error(r.message())
	}
	l.refused("InvalidKeyPair.NotFound", "DescribeKeyPairs", "KeyPairId.1="+id)
	l.refused("MissingParameter", "DeleteKeyPair")
}
