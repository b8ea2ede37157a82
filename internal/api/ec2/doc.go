// Package ec2 serves the EC2 Query protocol, and of STS what clients ask
// before they use EC2: unmodified AWS tools drive the laboratory. It decodes,
// calls the control plane and encodes; it holds no resource of its own. What
// the control plane cannot do is refused by name and never pretended.
package ec2

//go:generate go run ./gen
