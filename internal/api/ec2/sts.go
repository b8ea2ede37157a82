package ec2

import (
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strings"
	"sync"
	"time"

	"enilab/internal/api/ec2/query"
)

const (
	stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	// maxSessions bounds the temporary credentials that are remembered. When
	// it is reached the oldest are forgotten, and refused from then on.
	maxSessions = 1000
	// Life of temporary credentials (STS API reference, AssumeRole).
	defaultSession  = time.Hour
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
)

// stsAction answers one action: the parameters are STS's own, which are not in
// EC2's model.
type stsAction func(a *API, who caller, in *stsInput) (result, error)

var stsActions = map[string]stsAction{
	"GetCallerIdentity": (*API).getCallerIdentity,
	"AssumeRole":        (*API).assumeRole,
}

// stsInput is what AssumeRole takes here. GetCallerIdentity takes nothing.
type stsInput struct {
	roleArn, roleSessionName *string
	durationSeconds          *int
}

func (in *stsInput) decode(action string, n *query.Node) error {
	var d query.Decoder
	for i := range n.Children {
		c := &n.Children[i]
		switch {
		case action == "AssumeRole" && c.Name == "RoleArn":
			in.roleArn = d.String(c)
		case action == "AssumeRole" && c.Name == "RoleSessionName":
			in.roleSessionName = d.String(c)
		case action == "AssumeRole" && c.Name == "DurationSeconds":
			in.durationSeconds = d.Int(c)
		default:
			d.Unknown(c)
		}
	}
	return d.Err()
}

func (a *API) serveSTS(r *request, who caller, action string, root *query.Node, b []byte) ([]byte, error) {
	f, ok := stsActions[action]
	if !ok {
		return b, query.Refuse("InvalidAction", "Could not find operation %s for version %s", clip(action), stsVersion)
	}
	var in stsInput
	if err := in.decode(action, root); err != nil {
		return b, err
	}
	out, err := f(a, who, &in)
	if err != nil {
		return b, err
	}
	b = append(b, "<"+action+`Response xmlns="`+stsNamespace+`"><`+action+"Result>"...)
	b = out.AppendXML(b)
	b = append(b, "</"+action+"Result><ResponseMetadata>"...)
	b = query.AppendString(b, "RequestId", &r.id)
	return append(b, "</ResponseMetadata></"+action+"Response>"...), nil
}

type identity struct{ account, arn, userID string }

func (i *identity) AppendXML(b []byte) []byte {
	b = query.AppendString(b, "Arn", &i.arn)
	b = query.AppendString(b, "UserId", &i.userID)
	return query.AppendString(b, "Account", &i.account)
}

func (a *API) getCallerIdentity(who caller, _ *stsInput) (result, error) {
	return &identity{a.opt.Account, who.arn, who.userID}, nil
}

// session is what AssumeRole has given.
type session struct {
	key, secret, token string
	expires            time.Time
	who                caller
}

func (s *session) AppendXML(b []byte) []byte {
	b = append(b, "<Credentials>"...)
	b = query.AppendString(b, "AccessKeyId", &s.key)
	b = query.AppendString(b, "SecretAccessKey", &s.secret)
	b = query.AppendString(b, "SessionToken", &s.token)
	b = query.AppendTime(b, "Expiration", &s.expires)
	b = append(b, "</Credentials><AssumedRoleUser>"...)
	b = query.AppendString(b, "AssumedRoleId", &s.who.userID)
	b = query.AppendString(b, "Arn", &s.who.arn)
	return append(b, "</AssumedRoleUser>"...)
}

var (
	roleArn     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(\d{12}):role/([\w+=,.@/-]{1,512})$`)
	sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// assumeRole gives temporary credentials for any role of any name: enilab has
// no policies that could forbid it.
func (a *API) assumeRole(_ caller, in *stsInput) (result, error) {
	name := query.Value(in.roleSessionName)
	role := roleArn.FindStringSubmatch(query.Value(in.roleArn))
	life := defaultSession
	if in.durationSeconds != nil {
		life = time.Duration(*in.durationSeconds) * time.Second
	}
	switch {
	case role == nil:
		return nil, query.Refuse("ValidationError", "%s is invalid", clip(query.Value(in.roleArn)))
	case !sessionName.MatchString(name):
		return nil, query.Refuse("ValidationError",
			"Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}", clip(name))
	case life < shortestSession || life > longestSession:
		return nil, query.Refuse("ValidationError", "The requested DurationSeconds must be %.0f to %.0f",
			shortestSession.Seconds(), longestSession.Seconds())
	}
	var random [64]byte
	a.opt.Random(random[:])
	base := role[2][strings.LastIndexByte(role[2], '/')+1:]
	s := &session{
		key:     "ASIA" + strings.ToUpper(hex.EncodeToString(random[:8])),
		secret:  base64.RawStdEncoding.EncodeToString(random[8:38]),
		token:   base64.StdEncoding.EncodeToString(random[38:]),
		expires: a.opt.Now().Add(life).UTC().Truncate(time.Second),
		who: caller{
			role:   role[0],
			arn:    "arn:aws:sts::" + role[1] + ":assumed-role/" + base + "/" + name,
			userID: "AROA" + strings.ToUpper(hex.EncodeToString(random[30:38])) + ":" + name,
		},
	}
	a.sessions.add(s)
	return s, nil
}

// sessions are the temporary credentials by access key.
type sessions struct {
	mu    sync.Mutex
	byKey map[string]*session // guarded by mu
	order []string            // guarded by mu; keys, oldest first
}

func newSessions() *sessions { return &sessions{byKey: make(map[string]*session)} }

func (s *sessions) add(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.order) == maxSessions {
		delete(s.byKey, s.order[0])
		s.order = append(s.order[:0], s.order[1:]...)
	}
	s.byKey[n.key] = n
	s.order = append(s.order, n.key)
}

func (s *sessions) find(key string) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byKey[key]
}
