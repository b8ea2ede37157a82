// Package model is the EC2 API of 2016-11-15 as Go: the structures of the
// actions that a laboratory of network interfaces needs, how requests are read
// into them and how answers are written. All but this file is generated from
// the service model in this folder.
//
// Optional scalars are pointers. A nil list is left out of an answer, an empty
// one is an empty element.
package model
