package main

import (
	"errors"
	"fmt"
	"strings"
)

// anyKey is the word for keys that nobody verifies.
const anyKey = "any"

// accessKeys are the keys that EC2 requests may be signed with.
type accessKeys struct {
	secrets map[string]string // by id; none: signatures are not verified
	any     bool              // said so, which opens the EC2 API beyond loopback too
}

// parseAccessKeys reads what --access-key and ENILAB_ACCESS_KEY say. Errors name
// ids, never a secret.
func parseAccessKeys(given []string) (accessKeys, error) {
	keys := accessKeys{secrets: map[string]string{}}
	const want = "; want ID=SECRET, or any for keys that nobody verifies (the variable is ENILAB_ACCESS_KEY, several are joined by ;)"
	for _, one := range given {
		for pair := range strings.SplitSeq(one, ";") {
			if pair == anyKey {
				keys.any = true
				continue
			}
			id, secret, ok := strings.Cut(pair, "=")
			id, secret = strings.TrimSpace(id), strings.TrimSpace(secret)
			_, twice := keys.secrets[id]
			switch {
			case pair == "":
				return keys, errors.New("--access-key is empty" + want)
			case !ok:
				return keys, errors.New("--access-key has no = between an id and a secret" + want)
			case id == "":
				return keys, errors.New("--access-key has no id before the =" + want)
			case secret == "":
				return keys, fmt.Errorf("--access-key %s= has no secret: is a variable unset?%s", id, want)
			case twice:
				return keys, fmt.Errorf("--access-key has two secrets for %s", id)
			}
			keys.secrets[id] = secret
		}
	}
	if keys.any && len(keys.secrets) > 0 {
		return keys, errors.New("--access-key is both any and a key: any would make the key mean nothing")
	}
	return keys, nil
}
