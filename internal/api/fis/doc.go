// Package fis serves AWS Fault Injection Service's API, REST and JSON at the root
// of the endpoint, to clients that sign for it: the AWS CLI, SDKs and Terraform as
// they are. It translates; package fis decides.
package fis
