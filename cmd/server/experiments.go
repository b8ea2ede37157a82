package main

import (
	"enilab/internal/api/ec2"
	apifis "enilab/internal/api/fis"
	"enilab/internal/fis"
)

// serveExperiments has the laboratory run those of AWS FIS, and returns the API for them.
func (l *server) serveExperiments(aws *ec2.API) (*apifis.API, error) {
	service, err := fis.New(fis.Options{Control: l.Control, Faults: l.faults, Account: ec2.DefaultAccount, Now: l.clock.Time, Log: l.log})
	if err != nil {
		return nil, err
	}
	l.experiments = service
	api, err := apifis.New(apifis.Options{
		Control: l.Control, Service: service, Account: ec2.DefaultAccount, Authenticate: aws.Authenticate, RequestID: aws.RequestID,
	})
	if err == nil {
		l.Go("experiments", service.Run)
	}
	return api, err
}
