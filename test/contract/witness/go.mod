module enilab/test/contract/witness

go 1.26
