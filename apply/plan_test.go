package apply_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// dynamoLog is a DynamoDB that logs the calls which change tables.
type dynamoLog struct {
	*dynamotest.Server
	mu    sync.Mutex
	calls []string
}

func (l *dynamoLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct{ TableName, ResourceArn string }
	_ = json.Unmarshal(body, &in)
	name := in.TableName + in.ResourceArn[strings.LastIndexByte(in.ResourceArn, '/')+1:]
	l.mu.Lock()
	switch op {
	case "CreateTable":
		l.calls = append(l.calls, "create "+name)
	case "DeleteTable":
		l.calls = append(l.calls, "drop "+name)
	case "TagResource", "UntagResource":
		l.calls = append(l.calls, "alter "+name)
	case "UpdateTable", "UpdateTimeToLive":
		l.calls = append(l.calls, op+" "+name)
	}
	l.mu.Unlock()
	l.Server.ServeHTTP(w, r)
}

// take returns the calls since the last time, sorted; several calls may change the tags
// of one table.
func (l *dynamoLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.calls = nil
	slices.Sort(calls)
	return slices.Compact(calls)
}

// edits are a repository that changes at random.
type edits struct {
	random *rand.Rand
	views  map[string]*core.FeatureView
	tags   map[string]string // of the online store's configuration
}

var viewNames = []string{"a", "b", "c", "d", "e"}

// edit changes the repository, or the tables behind its back.
func (e *edits) edit(server *dynamotest.Server) string {
	name := viewNames[e.random.IntN(len(viewNames))]
	v, defined := e.views[name]
	switch action := e.random.IntN(8); {
	case action == 0:
		delete(e.views, name)
		return "remove " + name
	case action == 1:
		server.Drop("p." + name)
		return "drop the table of " + name + " by hand"
	case action == 2:
		e.tags = map[string]string{"team": []string{"risk", "lending"}[e.random.IntN(2)]}
		return "tags of the configuration"
	case action == 3:
		return "nothing"
	case !defined:
		e.views[name] = viewNamed(name)
		return "define " + name
	case action == 4:
		v.Spec.Tags = map[string]string{"owner": fmt.Sprint(e.random.IntN(3)), "bad*key": "x"}
		return "tags of " + name
	case action == 5:
		v.Spec.Online = !v.Spec.Online
		return "online of " + name
	case action == 6:
		v.Spec.Tags = nil
		return "no tags of " + name
	}
	v.Spec.Features = append(v.Spec.Features, &core.FeatureSpecV2{Name: fmt.Sprint("f", len(v.Spec.Features)), ValueType: 4})
	return "a feature of " + name
}

func (e *edits) objects() *registry.Objects {
	o := &registry.Objects{}
	for _, name := range slices.Sorted(maps.Keys(e.views)) {
		o.FeatureViews = append(o.FeatureViews, proto.CloneOf(e.views[name]))
	}
	return o
}

// A plan lists the calls that change tables, and only those: an apply makes them, and
// after it there is nothing to plan.
func TestAPlanListsTheCallsThatAnApplyMakes(t *testing.T) {
	server := &dynamoLog{Server: dynamotest.New()}
	at := httptest.NewServer(server)
	defer at.Close()
	aws, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: at.URL})
	if err != nil {
		t.Fatal(err)
	}
	storage := file.New(filepath.Join(t.TempDir(), "registry.db"))
	e := &edits{random: rand.New(rand.NewPCG(3, 4)), views: map[string]*core.FeatureView{"a": viewNamed("a")}}
	changed := 0
	for i := range 120 {
		what := e.edit(server.Server)
		online := dynamo.Open(dynamo.Options{AWS: aws, Tags: e.tags})
		applier := apply.New(apply.Options{Storage: storage, Project: "p", Online: online, AllowDeletions: true})
		p, err := applier.Plan(t.Context(), e.objects())
		if err != nil {
			t.Fatalf("edit %d, %s: %v", i, what, err)
		}
		if calls := server.take(); len(calls) > 0 {
			t.Fatalf("edit %d, %s: the plan makes %v", i, what, calls)
		}
		if _, err := applier.Apply(t.Context(), e.objects(), apply.Observer{}); err != nil {
			t.Fatalf("edit %d, %s: %v", i, what, err)
		}
		planned := texts(p.Tables)
		if made := server.take(); !slices.Equal(made, planned) {
			t.Errorf("edit %d, %s: planned %v, made %v", i, what, planned, made)
		}
		if len(planned) > 0 {
			changed++
		}
		after, err := applier.Plan(t.Context(), e.objects())
		if err != nil || !after.Nothing() {
			t.Errorf("edit %d, %s: after the apply the plan is %+v, %v", i, what, after, err)
		}
		_ = online.Close()
	}
	if changed < 40 {
		t.Errorf("only %d edits changed a table", changed)
	}
}

func texts(changes []stores.Change) []string {
	var list []string
	for _, c := range changes {
		list = append(list, []string{"create ", "alter ", "drop "}[c.Action]+c.Name)
	}
	slices.Sort(list)
	return list
}
