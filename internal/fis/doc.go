// Package fis runs experiments of AWS Fault Injection Service on the laboratory:
// it says which templates are right, finds targets, and carries actions out through
// the calls that everybody uses. It knows no wire; api/fis does.
//
// What an experiment does next follows from its row and an instant (next.go), and
// every step is stored before the next is begun. After a death of the server
// experiments go on: what lived in memory only, faults of the API, is put into
// force again for the time that is left.
package fis
