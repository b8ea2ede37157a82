package calls

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Quote writes one word for a POSIX shell.
func Quote(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Curl writes a call of the admin API, to a path with its query.
func Curl(endpoint, method, path, body string) string {
	line := "curl"
	if method != "GET" && (method != "POST" || body == "") {
		line += " -X " + method
	}
	line += " " + Quote(endpoint+path)
	if body != "" {
		line += " -H 'content-type: application/json' -d " + Quote(body)
	}
	return line
}

// AWS writes a call of EC2 for the AWS CLI. request is a pointer to a structure
// whose fields have the names that the service's model gives its members.
func AWS(endpoint, region, action string, request any) string {
	words := []string{"aws", "ec2", kebab(action)}
	v := reflect.Indirect(reflect.ValueOf(request))
	for i := range v.NumField() {
		words = append(words, flag(action, v.Type().Field(i).Name, v.Field(i))...)
	}
	if region != "" {
		words = append(words, "--region", region)
	}
	return strings.Join(append(words, "--endpoint-url", Quote(endpoint)), " ")
}

// flag is a member as the CLI takes it: structures as JSON.
func flag(action, member string, v reflect.Value) []string {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil(), v.Kind() == reflect.Slice && v.Len() == 0:
		return nil
	case action == "RunInstances" && member == "MinCount":
		return nil // the CLI has one word for both
	}
	name := "--" + kebab(member)
	if action == "RunInstances" && member == "MaxCount" {
		name = "--count"
	}
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Bool && v.Bool():
		return []string{name}
	case v.Kind() == reflect.Bool && member == "Egress": // the CLI's own word for it
		return []string{"--ingress"}
	case v.Kind() == reflect.Bool:
		return []string{"--no-" + kebab(member)}
	case v.Kind() == reflect.Slice && scalar(v.Type().Elem()) && v.Type().Elem().Kind() != reflect.Uint8:
		words := []string{name}
		for i := range v.Len() {
			words = append(words, Quote(text(v.Index(i))))
		}
		return words
	case scalar(v.Type()):
		return []string{name, Quote(text(v))}
	}
	raw, err := json.Marshal(members(v))
	if err != nil {
		return nil // of maps, lists and scalars: it cannot fail
	}
	return []string{name, Quote(string(raw))}
}

func scalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		return t == reflect.TypeFor[time.Time]()
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8
	case reflect.Pointer:
		return false
	}
	return true
}

func text(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case []byte:
		return string(x)
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	return v.String()
}

// members is a value of what is given of it.
func members(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return members(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return text(v)
		}
		list := make([]any, v.Len())
		for i := range list {
			list[i] = members(v.Index(i))
		}
		return list
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return text(v)
		}
		doc := map[string]any{}
		for i := range v.NumField() {
			if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() || f.Kind() == reflect.Slice && f.Len() > 0 {
				doc[v.Type().Field(i).Name] = members(f)
			}
		}
		return doc
	}
	return v.Interface()
}

// These are how botocore makes a command of a name, and a flag.
var (
	firstCapital = regexp.MustCompile(`(.)([A-Z][a-z]+)`)
	endCapital   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

func kebab(name string) string {
	name = firstCapital.ReplaceAllString(name, "$1-$2")
	return strings.ToLower(endCapital.ReplaceAllString(name, "$1-$2"))
}
