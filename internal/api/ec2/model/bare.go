package model

// BareAction is what the model says of an action that lists what there is none
// of: nothing about what the lists hold.
type BareAction struct {
	Name       string
	Parameters []BareParameter
	Lists      []string // elements of the answer
	Tagged     bool     // what would be in one of them has tags
}

// BareParameter is one parameter of such an action, by its name on the wire.
type BareParameter struct {
	Name     string
	Kind     BareKind
	Required bool
}

// BareKind is how a parameter is read.
type BareKind int

// Kinds of parameters.
const (
	BareText BareKind = iota
	BareTexts
	BareNumber
	BareSwitch
	BareTime
	BareFilters
	BareStructure // anything below it
)
