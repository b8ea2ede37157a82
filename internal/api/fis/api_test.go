package fis

import (
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/sigv4"
	"enilab/internal/control/controltest"
	"enilab/internal/fis"
	"enilab/internal/impair"
)

// noNetwork has no impairments: experiments of these tests do not run.
type noNetwork struct{}

func (noNetwork) Add(impair.Input) (impair.Impairment, error) {
	return impair.Impairment{}, errors.New("no network")
}
func (noNetwork) Remove(string) (bool, error) { return false, nil }

// api is the API before a control plane that runs; who signs is not looked at.
type api struct {
	t   *testing.T
	lab *controltest.Lab
	app *fiber.App
}

func newAPI(t *testing.T) *api {
	t.Helper()
	lab := controltest.Serve(t, nil, nil)
	service, err := fis.New(fis.Options{Control: lab.Service, Faults: apifault.New(apifault.Options{}), Impairments: noNetwork{}, Account: "123456789012"})
	lab.Check(err)
	a, err := New(Options{
		Control: lab.Service, Service: service, Account: "123456789012", RequestID: func() string { return "id" },
		Authenticate: func(string, sigv4.Request) (string, string, error) { return "", "us-east-1", nil },
	})
	lab.Check(err)
	app := fiber.New()
	a.Register(app)
	app.Use(func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusTeapot) })
	return &api{t, lab, app}
}

const signature = "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/fis/aws4_request, SignedHeaders=host, Signature=0"

// ask sends one request and returns status, error code and body.
func (a *api) ask(method, path, body string) (status int, code string, answer map[string]any) {
	a.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", signature)
	got, err := a.app.Test(r, -1)
	if err != nil {
		a.t.Fatal(err)
	}
	text, err := io.ReadAll(got.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		a.t.Fatalf("%s %s: %d %s", method, path, got.StatusCode, text)
	}
	return got.StatusCode, got.Header.Get("X-Amzn-Errortype"), answer
}

// made is what ask answers that must succeed.
func (a *api) made(method, path, body string) map[string]any {
	a.t.Helper()
	status, code, answer := a.ask(method, path, body)
	if status != 200 {
		a.t.Fatalf("%s %s: %d %s %v", method, path, status, code, answer)
	}
	return answer
}

func (a *api) refused(wantStatus int, wantCode, wantText, method, path, body string) {
	a.t.Helper()
	status, code, answer := a.ask(method, path, body)
	if text, _ := answer["message"].(string); status != wantStatus || code != wantCode || !strings.Contains(text, wantText) {
		a.t.Errorf("%s %s %s: %d %s %q, want %d %s %q", method, path, body, status, code, text, wantStatus, wantCode, wantText)
	}
}

const right = `{
  "clientToken": "one", "description": "stop, then wait", "roleArn": "arn:aws:iam::123456789012:role/fis",
  "stopConditions": [{"source": "none"}], "tags": {"Name": "it"},
  "targets": {"one": {"resourceType": "aws:ec2:instance", "resourceTags": {"Name": "one"}, "selectionMode": "ALL",
    "filters": [{"path": "State.Name", "values": ["running"]}]}},
  "actions": {
    "stop": {"actionId": "aws:ec2:stop-instances", "description": "power", "targets": {"Instances": "one"},
      "parameters": {"startInstancesAfterDuration": "PT1M"}},
    "wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}, "startAfter": ["stop"]}},
  "logConfiguration": {"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:x:*"}},
  "experimentOptions": {"accountTargeting": "single-account", "emptyTargetResolutionMode": "skip"}
}`

// with returns a request with one value put at a path, or taken away if it is nil.
func with(t *testing.T, value any, path ...string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(right), &all); err != nil {
		t.Fatal(err)
	}
	at := all
	for _, name := range path[:len(path)-1] {
		at = at[name].(map[string]any)
	}
	if last := path[len(path)-1]; value == nil {
		delete(at, last)
	} else {
		at[last] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

type object = map[string]any

// wrongFields are templates of which one field is wrong: the refusal names it.
var wrongFields = []struct {
	names string
	value any
	path  []string
}{
	{"description", "", []string{"description"}},
	{"description", strings.Repeat("x", 513), []string{"description"}},
	{"description", 5, []string{"description"}},
	{"roleArn", "role", []string{"roleArn"}},
	{"roleArn", "arn:aws:iam::1:role/" + strings.Repeat("x", 2048), []string{"roleArn"}},
	{"roleArn", object{}, []string{"roleArn"}},
	{"stopConditions", []any{}, []string{"stopConditions"}},
	{"stopConditions", []any{object{"source": "weather"}}, []string{"stopConditions"}},
	{"stopConditions", []any{object{"source": "aws:cloudwatch:alarm", "value": "x"}}, []string{"stopConditions"}},
	{"stopConditions", []any{object{"source": "none", "value": "x"}}, []string{"stopConditions"}},
	{"stopConditions", "none", []string{"stopConditions"}},
	{"targets", []any{}, []string{"targets"}},
	{"targets.two", object{"resourceType": "aws:ec2:instance", "selectionMode": "ALL", "resourceTags": object{"a": "b"}}, []string{"targets", "two"}},
	{"targets.a b", object{"resourceType": "aws:ec2:instance", "selectionMode": "ALL", "resourceTags": object{"a": "b"}}, []string{"targets", "a b"}},
	{"targets.one.resourceType", "aws:rds:db", []string{"targets", "one", "resourceType"}},
	{"targets.one", []any{"arn:aws:ec2:us-east-1:123456789012:instance/i-1"}, []string{"targets", "one", "resourceArns"}},
	{"resourceArns", 7, []string{"targets", "one", "resourceArns"}},
	{"targets.one", nil, []string{"targets", "one", "resourceTags"}},
	{"resourceTags", []any{"Name"}, []string{"targets", "one", "resourceTags"}},
	{"targets.one.selectionMode", "SOME", []string{"targets", "one", "selectionMode"}},
	{"targets.one.selectionMode", "PERCENT(101)", []string{"targets", "one", "selectionMode"}},
	{"targets.one.filters", []any{object{"path": "Architecture", "values": []any{"x"}}}, []string{"targets", "one", "filters"}},
	{"targets.one.filters", []any{object{"path": "State.Name"}}, []string{"targets", "one", "filters"}},
	{"filters", "running", []string{"targets", "one", "filters"}},
	{"targets.one.parameters", object{"vpc": "vpc-1"}, []string{"targets", "one", "parameters"}},
	{"resourceGroup", "x", []string{"targets", "one", "resourceGroup"}},
	{"actions", object{}, []string{"actions"}},
	{"actions", []any{}, []string{"actions"}},
	{"actions.wait.actionId", "aws:rds:failover-db-cluster", []string{"actions", "wait", "actionId"}},
	{"actions.stop.description", strings.Repeat("x", 513), []string{"actions", "stop", "description"}},
	{"actions.stop.parameters.startInstancesAfterDuration", object{"startInstancesAfterDuration": "5m"}, []string{"actions", "stop", "parameters"}},
	{"actions.stop.parameters.completeIfInstancesTerminated", object{"completeIfInstancesTerminated": "maybe"}, []string{"actions", "stop", "parameters"}},
	{"actions.stop.parameters", object{"force": "true"}, []string{"actions", "stop", "parameters"}},
	{"parameters", object{"duration": 60}, []string{"actions", "wait", "parameters"}},
	{"actions.wait.parameters.duration", object{"duration": "PT13H"}, []string{"actions", "wait", "parameters"}},
	{"actions.stop.targets", object{"Instances": "nobody"}, []string{"actions", "stop", "targets"}},
	{"actions.stop.targets", object{"Roles": "one"}, []string{"actions", "stop", "targets"}},
	{"actions.stop.targets", nil, []string{"actions", "stop", "targets"}},
	{"actions.wait.startAfter", []any{"never"}, []string{"actions", "wait", "startAfter"}},
	{"startAfter", "stop", []string{"actions", "wait", "startAfter"}},
	{"startAfter", []any{"wait"}, []string{"actions", "wait", "startAfter"}},
	{"logConfiguration.logSchemaVersion", object{"cloudWatchLogsConfiguration": object{"logGroupArn": "arn:aws:logs:us-east-1:123456789012:log-group:x:*"}}, []string{"logConfiguration"}},
	{"logConfiguration.logSchemaVersion", 3, []string{"logConfiguration", "logSchemaVersion"}},
	{"logConfiguration", object{"logSchemaVersion": 2}, []string{"logConfiguration"}},
	{"logConfiguration.cloudWatchLogsConfiguration.logGroupArn", object{"logGroupArn": "x"}, []string{"logConfiguration", "cloudWatchLogsConfiguration"}},
	{"logConfiguration.s3Configuration.bucketName", object{"bucketName": "x"}, []string{"logConfiguration", "s3Configuration"}},
	{"experimentOptions.accountTargeting", "multi-account", []string{"experimentOptions", "accountTargeting"}},
	{"experimentOptions.emptyTargetResolutionMode", "maybe", []string{"experimentOptions", "emptyTargetResolutionMode"}},
	{"experimentOptions.actionsMode", "run-all", []string{"experimentOptions", "actionsMode"}},
	{"experimentReportConfiguration", object{"preExperimentDuration": "PT20M"}, []string{"experimentReportConfiguration"}},
	{"tagz", object{}, []string{"tagz"}},
}

// TestEveryWrongFieldIsNamed: by a ValidationException, when a template is made and
// when it is changed, and nothing is changed by it.
func TestEveryWrongFieldIsNamed(t *testing.T) {
	a := newAPI(t)
	for _, x := range wrongFields {
		a.refused(400, "ValidationException", x.names, "POST", "/experimentTemplates", with(t, x.value, x.path...))
	}
	for _, x := range []struct {
		names string
		value any
		path  []string
	}{
		{"clientToken", "", []string{"clientToken"}}, {"clientToken", "a b", []string{"clientToken"}}, {"clientToken", nil, []string{"clientToken"}},
		{"tags", object{"aws:x": "y"}, []string{"tags"}}, {"tags", object{"": "y"}, []string{"tags"}}, {"tags", "x", []string{"tags"}},
		{"description", nil, []string{"description"}}, {"roleArn", nil, []string{"roleArn"}}, {"stopConditions", nil, []string{"stopConditions"}},
		{"actions", nil, []string{"actions"}},
	} {
		a.refused(400, "ValidationException", x.names, "POST", "/experimentTemplates", with(t, x.value, x.path...))
	}
	for _, body := range []string{"", "[]", "{", `"x"`, right + right, strings.Repeat("[", 20_000)} {
		a.refused(400, "ValidationException", "", "POST", "/experimentTemplates", body)
	}
	if all := a.lab.State().ExperimentTemplates(); len(all) != 0 {
		t.Fatalf("refusals have made %d templates", len(all))
	}

	id := a.made("POST", "/experimentTemplates", right)["experimentTemplate"].(object)["id"].(string)
	was := a.made("GET", "/experimentTemplates/"+id, "")
	for _, x := range wrongFields {
		if x.value == nil {
			continue // not said is not changed
		}
		var one map[string]any
		if err := json.Unmarshal([]byte(with(t, x.value, x.path...)), &one); err != nil {
			t.Fatal(err)
		}
		delete(one, "clientToken")
		delete(one, "tags")
		body, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		a.refused(400, "ValidationException", x.names, "PATCH", "/experimentTemplates/"+id, string(body))
	}
	if now := a.made("GET", "/experimentTemplates/"+id, ""); !reflect.DeepEqual(now, was) {
		t.Errorf("refusals have changed the template from %v to %v", was, now)
	}
}

func TestStartsThatAreWrong(t *testing.T) {
	a := newAPI(t)
	id := a.made("POST", "/experimentTemplates", right)["experimentTemplate"].(object)["id"].(string)
	const at = "/experiments"
	a.refused(400, "ValidationException", "clientToken", "POST", at, `{"experimentTemplateId": "`+id+`"}`)
	a.refused(404, "ResourceNotFoundException", "EXT0", "POST", at, `{"clientToken": "1", "experimentTemplateId": "EXT0"}`)
	a.refused(404, "ResourceNotFoundException", "", "POST", at, `{"clientToken": "1"}`)
	a.refused(400, "ValidationException", "experimentOptions.actionsMode", "POST", at,
		`{"clientToken": "1", "experimentTemplateId": "`+id+`", "experimentOptions": {"actionsMode": "some"}}`)
	a.refused(400, "ValidationException", "experimentOptions", "POST", at,
		`{"clientToken": "1", "experimentTemplateId": "`+id+`", "experimentOptions": {"accountTargeting": "single-account"}}`)
	a.refused(400, "ValidationException", "tags", "POST", at, `{"clientToken": "1", "experimentTemplateId": "`+id+`", "tags": {"aws:x": ""}}`)
	a.refused(404, "ResourceNotFoundException", "EXP0", "DELETE", at+"/EXP0", "")
	a.refused(400, "ValidationException", "maxResults", "GET", at+"?maxResults=0", "")
	a.refused(400, "ValidationException", "nextToken", "GET", at+"?nextToken=x", "")
	a.refused(404, "UnknownOperationException", "/experimentz", "GET", "/experimentz", "")
	a.refused(404, "ResourceNotFoundException", "arn:x", "GET", "/tags/arn:x", "")
	if all := a.lab.State().Experiments(); len(all) != 0 {
		t.Errorf("refusals have started %d experiments", len(all))
	}
	body := `{"clientToken": "1", "experimentTemplateId": "` + id + `", "experimentOptions": {"actionsMode": "skip-all"}}`
	x := a.made("POST", at, body)["experiment"].(object)
	if again := a.made("POST", at, body)["experiment"].(object); again["id"] != x["id"] {
		t.Errorf("one token has started %v and %v", x["id"], again["id"])
	}
	if got := x["experimentOptions"].(object)["actionsMode"]; got != "skip-all" || x["experimentTemplateId"] != id {
		t.Errorf("started is %v", x)
	}
	a.refused(409, "ConflictException", "", "POST", at, `{"clientToken": "1", "experimentTemplateId": "`+id+`"}`)
}

// TestTemplatesGoRound: what was said is shown, and changed in part.
func TestTemplatesGoRound(t *testing.T) {
	a := newAPI(t)
	shown := a.made("POST", "/experimentTemplates", right)["experimentTemplate"].(object)
	var said object
	if err := json.Unmarshal([]byte(right), &said); err != nil {
		t.Fatal(err)
	}
	delete(said, "clientToken")
	for name, want := range said {
		if !reflect.DeepEqual(shown[name], want) {
			t.Errorf("%s is %v, want %v", name, shown[name], want)
		}
	}
	at := "/experimentTemplates/" + shown["id"].(string)
	changed := a.made("PATCH", at, `{"description": "other"}`)["experimentTemplate"].(object)
	if changed["description"] != "other" || !reflect.DeepEqual(changed["actions"], said["actions"]) {
		t.Errorf("changed to %v", changed)
	}
	if list := a.made("GET", "/experimentTemplates", "")["experimentTemplates"].([]any); len(list) != 1 || list[0].(object)["actions"] != nil {
		t.Errorf("listed are %v", list)
	}
	a.made("DELETE", at, "")
	a.refused(404, "ResourceNotFoundException", "", "GET", at, "")
}

// TestRefuseAnswersFISAlone: in its own form, and leaves what is for others.
func TestRefuseAnswersFISAlone(t *testing.T) {
	app := fiber.New()
	app.Use(func(c *fiber.Ctx) error {
		if Refuse(c, 503, "starting") {
			return nil
		}
		return c.SendStatus(fiber.StatusTeapot)
	})
	r := httptest.NewRequest("GET", "/experiments", nil)
	r.Header.Set("Authorization", signature)
	got, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(got.Body)
	if got.StatusCode != 503 || got.Header.Get("X-Amzn-Errortype") != codeUnavailable || string(text) != `{"message":"starting"}` {
		t.Errorf("%d %v %s", got.StatusCode, got.Header, text)
	}
	r.Header.Set("Authorization", strings.Replace(signature, "/fis/", "/ec2/", 1))
	if got, err := app.Test(r, -1); err != nil || got.StatusCode != fiber.StatusTeapot {
		t.Errorf("for EC2: %v, %v", got, err)
	}
}
