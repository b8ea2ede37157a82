// Command witness tells whether a laboratory's frames went where its EC2 API
// said they would. It speaks the admin API, which AWS has no word for:
//
//	witness watch CLIENT ADDRESS     the instance CLIENT asks ADDRESS over HTTP from now on
//	witness moved ENI FROM TO        the move's record: frames reached FROM before and TO after
//	witness inventory                how many there are of what can be deleted
//
// The environment's ENILAB_URL is the laboratory.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"
)

const (
	// patience bounds every wait; a record is complete within 20 s.
	patience = 60 * time.Second
	interval = 100 * time.Millisecond
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "witness:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	base, err := url.Parse(os.Getenv("ENILAB_URL"))
	if err != nil || base.Host == "" {
		return fmt.Errorf("ENILAB_URL is %q, want the laboratory's address", os.Getenv("ENILAB_URL"))
	}
	l := lab{ec2: base.JoinPath("/"), api: base.JoinPath("api", "v1")}
	switch {
	case len(args) == 3 && args[0] == "watch":
		return l.watch(args[1], args[2])
	case len(args) == 4 && args[0] == "moved":
		return l.moved(args[1], args[2], args[3])
	case len(args) == 1 && args[0] == "inventory":
		return l.inventory()
	}
	return errors.New("want: watch CLIENT ADDRESS, moved ENI FROM TO, or inventory")
}

type lab struct{ ec2, api *url.URL }

// watch returns once answers come.
func (l lab) watch(client, address string) error {
	work := []map[string]any{{"name": "witness", "kind": "http", "target": address, "rate": 50, "connections": 1}}
	if err := l.call(http.MethodPut, "instances/"+client+"/workloads", work, nil); err != nil {
		return err
	}
	return until("an answer of "+address, func() (bool, error) {
		var traffic struct {
			Flows []struct {
				InstanceID, Target string
				Received           int
			}
		}
		if err := l.call(http.MethodGet, "traffic", nil, &traffic); err != nil {
			return false, err
		}
		for _, f := range traffic.Flows {
			if f.InstanceID == client && f.Target == address && f.Received > 0 {
				return true, nil
			}
		}
		return false, nil
	})
}

// record is of one move.
type record struct {
	NetworkInterfaceID, FromInstanceID, ToInstanceID string
	State, Error                                     string
	OutageMs                                         *float64
	RequestsSent, RequestsLost                       int
	Traffic                                          []struct{ LastReplyFrom, FirstReplyFrom string }
	Checks                                           []struct{ Name, Before, After, Result string }
}

// moved waits for the newest record of the ENI to be whole.
func (l lab) moved(eni, from, to string) error {
	var r record
	err := until("the record of the move", func() (bool, error) {
		var list struct{ Items []record }
		if err := l.call(http.MethodGet, "failovers", nil, &list); err != nil {
			return false, err
		}
		i := slices.IndexFunc(list.Items, func(r record) bool { return r.NetworkInterfaceID == eni })
		if i < 0 {
			return false, nil
		}
		r = list.Items[i]
		return r.State != "running", nil
	})
	if err != nil {
		return err
	}
	if r.State != "completed" || r.FromInstanceID != from || r.ToInstanceID != to {
		return fmt.Errorf("the record is of %s to %s and %s %s, want completed, %s to %s", r.FromInstanceID, r.ToInstanceID, r.State, r.Error, from, to)
	}
	for _, c := range r.Checks {
		if c.Result == "changed" {
			return fmt.Errorf("%s has changed from %s to %s", c.Name, c.Before, c.After)
		}
	}
	if len(r.Traffic) != 1 || r.Traffic[0].LastReplyFrom != from || r.Traffic[0].FirstReplyFrom != to || r.OutageMs == nil {
		return fmt.Errorf("frames went from and to %v, want the last answer of %s and the first of %s", r.Traffic, from, to)
	}
	fmt.Printf("  frames moved too: outage %.0f ms, %d of %d requests lost\n", *r.OutageMs, r.RequestsLost, r.RequestsSent)
	return nil
}

// inventory prints one line, for comparison. It asks EC2 first, as a region
// gets its default VPC when it is asked for the first time.
func (l lab) inventory() error {
	r, err := http.PostForm(l.ec2.String(), url.Values{"Action": {"DescribeVpcs"}, "Version": {"2016-11-15"}})
	if err != nil {
		return err
	}
	r.Body.Close()
	for _, kind := range []string{"vpcs", "subnets", "security-groups", "network-interfaces", "addresses"} {
		var list struct{ Items []struct{} }
		if err := l.call(http.MethodGet, kind+"?limit=1000", nil, &list); err != nil {
			return err
		}
		fmt.Printf("%s %d ", kind, len(list.Items))
	}
	for _, storage := range []struct{ action, id string }{{"DescribeVolumes", "<volumeId>"}, {"DescribeSnapshots", "<snapshotId>"}} {
		n, err := l.count(storage.action, storage.id)
		if err != nil {
			return err
		}
		fmt.Printf("%s %d ", storage.action, n)
	}
	fmt.Println()
	return nil
}

// count asks EC2 and counts an element of the answer: the admin API has no word
// for what is on record only.
func (l lab) count(action, element string) (int, error) {
	r, err := http.PostForm(l.ec2.String(), url.Values{"Action": {action}, "Version": {"2016-11-15"}})
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<22))
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", action, r.Status, text)
	}
	return bytes.Count(text, []byte(element)), err
}

// until asks again and again.
func until(what string, done func() (bool, error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for late := time.After(patience); ; {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-late:
			return fmt.Errorf("%s did not come within %v", what, patience)
		}
	}
}

func (l lab) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	q, err := http.NewRequest(method, l.api.String()+"/"+path, body)
	if err != nil {
		return err
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<22))
	switch {
	case err != nil:
		return fmt.Errorf("%s %s: %w", method, path, err)
	case r.StatusCode/100 != 2:
		return fmt.Errorf("%s %s: %s: %s", method, path, r.Status, text)
	case out == nil:
		return nil
	}
	return json.Unmarshal(text, out)
}
