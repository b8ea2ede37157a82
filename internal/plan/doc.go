// Package plan is the compiler between control and the data plane: it turns
// committed States into what the network is told. It decides nothing: whoever
// may do what is control's, and how frames go is the data plane's.
//
// A change of rows becomes a Delta of their specs, and of the specs that read
// them; which those are stands in one table, reads.
package plan
