// Package control holds EC2's semantics: the resources of a VPC, the pure
// transitions between their states, the State in memory that is the committed
// truth, and the Service through which every change goes. It knows neither SQL
// nor HTTP, and of the network only that a Plane follows its States.
//
// A kind of resource has a file: its type, the getters of State, the commands
// of Service with their inputs, and the transitions. In inputs zero values mean
// "not given". Every error of a command is an *Error with EC2's code and text.
package control
