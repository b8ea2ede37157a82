// Package control holds EC2's semantics: the resources of a VPC, the pure
// transitions between their states, the State in memory that is the committed
// truth, the Service through which every change goes, and the compiler that
// turns a change into what the data plane must do. It knows neither SQL nor
// HTTP.
//
// A kind of resource has a file: its type, the getters of State, the commands
// of Service with their inputs, and the transitions. In inputs zero values mean
// "not given". Every error of a command is an *Error with EC2's code and text.
package control
