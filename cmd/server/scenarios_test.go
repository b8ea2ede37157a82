package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// call asks the admin API and returns the answer's body.
func (p *process) call(t *testing.T, method, path, body string, status int) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Fatalf("%s %s %s: %d %s, want %d", method, path, body, res.StatusCode, raw, status)
	}
	return string(raw)
}

// TestScenarioLoadedAndSaved has an empty server take a scenario, write it down,
// and take what it wrote.
func TestScenarioLoadedAndSaved(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir())...)
	if all := p.call(t, "GET", "/scenarios", "", 200); !strings.Contains(all, `"name":"demo"`) {
		t.Errorf("the list is %s, want demo in it", all)
	}
	p.call(t, "PUT", "/scenario", `{}`, 422)
	p.call(t, "PUT", "/scenario", `{"name":"nothing"}`, 422)
	p.call(t, "PUT", "/scenario", `{"name":"demo"}`, 200)
	if got := p.call(t, "PUT", "/scenario", `{"name":"hub"}`, 409); !strings.Contains(got, "not empty") {
		t.Errorf("the refusal is %s, want it to say that the laboratory is not empty", got)
	}
	if got := p.call(t, "PUT", "/scenario", `{"text":"vpcs: [{nam: x}]","force":true}`, 422); !strings.Contains(got, "1:9") {
		t.Errorf("the refusal is %s, want line and column in it", got)
	}
	saved := p.call(t, "GET", "/scenario?description=mine", "", 200)
	if !strings.Contains(saved, "description: mine") || !strings.Contains(saved, "192.168.0.42") {
		t.Fatalf("what was saved is\n%s", saved)
	}
	body, err := json.Marshal(map[string]any{"text": saved, "force": true})
	if err != nil {
		t.Fatal(err)
	}
	p.call(t, "PUT", "/scenario", string(body), 200)
	if again := p.call(t, "GET", "/scenario?description=mine", "", 200); again != saved {
		t.Errorf("saved anew it is\n%s\nwant\n%s", again, saved)
	}
	p.call(t, "GET", "/scenario?region=nowhere", "", 400)
	// A reset goes back to what was loaded.
	p.call(t, "POST", "/calls", `{"action":"CreateVpc","parameters":{"CidrBlock":"10.9.0.0/16"}}`, 200)
	p.call(t, "POST", "/reset", "", 204)
	if again := p.call(t, "GET", "/scenario?description=mine", "", 200); again != saved {
		t.Errorf("after a reset it is\n%s\nwant\n%s", again, saved)
	}
}

// TestCallsAreNoted has calls of several clients, and of the page.
func TestCallsAreNoted(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir())...)
	p.call(t, "POST", "/calls", `{"action":"CreateVpc","parameters":{"CidrBlock":"10.0.0.0/16","TagSpecification":[{"ResourceType":"vpc","Tag":[{"Key":"Name","Value":"a b"}]}]}}`, 200)
	refused := p.call(t, "POST", "/calls", `{"action":"CreateVpc","parameters":{"CidrBlock":"10.0.0.0/33"}}`, 400)
	if !strings.Contains(refused, `"location":"body.parameters.CidrBlock"`) || !strings.Contains(refused, `"code":"InvalidParameterValue"`) {
		t.Errorf("the refusal is %s, want the parameter and EC2's code", refused)
	}
	p.call(t, "POST", "/calls", `{"action":"NoSuch"}`, 400)
	p.call(t, "POST", "/calls", `{"action":"CreateVpc","region":"nowhere"}`, 422)
	p.call(t, "POST", "/calls", `{"action":"DescribeVpcs"}`, 200)
	p.call(t, "DELETE", "/vpcs/vpc-00000000000000000", "", 404)
	var log struct {
		Items []struct {
			Action, Line, Code, API string
			Status                  int
		}
	}
	read := func(path string) {
		t.Helper()
		if err := json.Unmarshal([]byte(p.call(t, "GET", path, "", 200)), &log); err != nil {
			t.Fatal(err)
		}
	}
	read("/calls")
	lines := make([]string, 0, len(log.Items))
	for _, c := range log.Items {
		lines = append(lines, strings.ReplaceAll(c.Line, p.url, "URL"))
	}
	want := []string{
		"curl -X DELETE URL/api/v1/vpcs/vpc-00000000000000000", "",
		"aws ec2 create-vpc --cidr-block 10.0.0.0/33 --region us-east-1 --endpoint-url URL",
		`aws ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications '[{"ResourceType":"vpc","Tags":[{"Key":"Name","Value":"a b"}]}]' --region us-east-1 --endpoint-url URL`,
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if log.Items[0].Code != "InvalidVpcID.NotFound" || log.Items[0].API != "admin" {
		t.Errorf("the newest is %+v, want the admin API's refusal", log.Items[0])
	}
	if read("/calls?reads=true&limit=2"); log.Items[1].Action != "DescribeVpcs" {
		t.Errorf("with reads the second newest is %+v, want DescribeVpcs", log.Items[1])
	}
}

// TestCallIfUnchanged has two people change one security group.
func TestCallIfUnchanged(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir(), "--scenario", "demo")...)
	type group struct{ ID, ETag string }
	var all struct{ Items []group }
	if err := json.Unmarshal([]byte(p.call(t, "GET", "/security-groups", "", 200)), &all); err != nil {
		t.Fatal(err)
	}
	g := all.Items[0]
	open := func(port, etag string, status int) string {
		t.Helper()
		body, err := json.Marshal(map[string]any{
			"action": "AuthorizeSecurityGroupIngress", "ifUnchanged": map[string]string{"id": g.ID, "etag": etag},
			"parameters": map[string]any{"GroupId": g.ID, "IpPermissions": []any{map[string]any{
				"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": []any{map[string]string{"CidrIp": "10.0.0.0/8"}},
			}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return p.call(t, "POST", "/calls", string(body), status)
	}
	open("8080", g.ETag, 200)
	if got := open("8081", g.ETag, 412); !strings.Contains(got, "has been changed since") {
		t.Errorf("the second is answered %s, want to hear of the first", got)
	}
	g.ID = "sg-00000000000000000"
	open("8082", "x", 412)
}
