package main

import (
	"crypto/rand"
	"encoding/binary"
	mathrand "math/rand/v2"
)

// random returns the source of ids and MACs, and the seed of hashes.
func (s *serveCmd) random() (func([]byte), uint64) {
	if s.Seed != 0 {
		var key [32]byte
		binary.LittleEndian.PutUint64(key[:], s.Seed)
		chacha := mathrand.NewChaCha8(key)
		return func(b []byte) { _, _ = chacha.Read(b) }, s.Seed
	}
	var seed [8]byte
	fromSystem(seed[:])
	return fromSystem, binary.LittleEndian.Uint64(seed[:])
}

// fromSystem never fails: crypto/rand ends the process instead.
func fromSystem(b []byte) { _, _ = rand.Read(b) }
