// Package answers answers questions about a laboratory without changing it: could
// A reach B, what would a draft change for those who talk now, who loses what if
// something fails. The page, the admin API, EC2's network insights and the command
// line ask the same functions. Each reads one State, which does not change under
// it, and where asked what the data plane remembers, which the caller brings.
package answers
