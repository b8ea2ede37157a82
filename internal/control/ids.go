package control

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"enilab/internal/dataplane/frame"
)

// mintAttempts bounds the search for a free id or MAC. More than one attempt
// is needed only if the random source is broken.
const mintAttempts = 64

// mint makes an id of EC2's form, 17 hexadecimal digits that begin with 0.
func (t *tx) mint(prefix string, taken func(id string) bool) (string, error) {
	return t.mintOf(prefix+"0", 8, taken)
}

// mintShort makes an id of the form that EC2 gave before, 8 hexadecimal digits: a
// guest's answers have 19 bytes for the id of whoever answers.
func (t *tx) mintShort(prefix string, taken func(id string) bool) (string, error) {
	return t.mintOf(prefix, 4, taken)
}

func (t *tx) mintOf(prefix string, bytes int, taken func(id string) bool) (string, error) {
	b := make([]byte, bytes)
	for range mintAttempts {
		t.random(b)
		id := prefix + hex.EncodeToString(b)
		if !taken(id) {
			return id, nil
		}
	}
	return "", refuse(codeInternal, "", "no free id %s... after %d attempts: the random source repeats itself", prefix, mintAttempts)
}

// mintRow makes an id that no row of the table has.
func (t *tx) mintRow(table Table, prefix string) (string, error) {
	return t.mint(prefix, func(id string) bool { return exists(t, table, byID, id) })
}

// mintMAC makes a MAC of the form AWS gives: unicast, locally administered,
// unique in the region.
func (t *tx) mintMAC() (frame.MAC, error) {
	var b [6]byte
	for range mintAttempts {
		t.random(b[:])
		b[0] = 0x02
		if m := frame.MACAt(b[:]); !t.macTaken(m) {
			return m, nil
		}
	}
	return 0, refuse(codeInternal, "", "no free MAC after %d attempts: the random source repeats itself", mintAttempts)
}

// routerMAC derives a subnet's router MAC from the subnet's id, so that a
// capture of the same subnet shows the same router.
func (t *tx) routerMAC(subnet string) (frame.MAC, error) {
	for i := range mintAttempts {
		sum := sha256.Sum256([]byte(subnet + "#" + strconv.Itoa(i)))
		sum[0] = 0x02
		if m := frame.MACAt(sum[:]); !t.macTaken(m) {
			return m, nil
		}
	}
	return 0, refuse(codeInternal, "", "no free router MAC for %s", subnet)
}

func (t *tx) macTaken(m frame.MAC) bool {
	return exists(t, TableNetworkInterface, byMAC, uint64(m)) || exists(t, TableSubnet, byMAC, uint64(m))
}
