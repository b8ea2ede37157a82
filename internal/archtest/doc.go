// Package archtest holds the architecture's promises that a compiler cannot:
// which package may import which, and which code has no clock and no chance of
// its own. It contains tests only; docs/architecture.md explains the rules.
package archtest
