package registry_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	registrypb "github.com/banquet-fs/banquet/gen/feast/registry"
	"github.com/banquet-fs/banquet/registry"
)

// clients are calls that an unmodified SDK has sent to Feast's registry server, and the
// registries that this server has written.
var clients = filepath.Join("..", "testdata", "golden", "remote_clients")

// replay makes the recorded changes of a file in a registry.
func replay(t *testing.T, reg *core.Registry, name string, now time.Time) {
	t.Helper()
	f, err := os.Open(filepath.Join(clients, "registry_calls", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var call struct {
			Method  string `json:"method"`
			Request string `json:"request_base64"`
			Code    string `json:"code"`
			Details string `json:"details"`
		}
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			t.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(call.Request)
		if err != nil {
			t.Fatal(err)
		}
		err = change(reg, call.Method, b, now)
		if call.Code != "OK" && strings.Contains(call.Method, "/Delete") {
			if fault.KindOf(err) != fault.NotFound || !strings.Contains(call.Details, strconv.Quote(err.Error())) {
				t.Errorf("%s: %s: %v; Feast says %s", name, call.Method, err, call.Details)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %v", name, call.Method, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// change makes the change of one call. A call that reads is none.
func change(reg *core.Registry, method string, b []byte, now time.Time) error {
	put := func(project string, m proto.Message) error {
		_, err := registry.Put(reg, project, m, now)
		return err
	}
	remove := func(k registry.Kind, project, name string) error {
		_, err := registry.Delete(reg, project, k, name)
		return err
	}
	name := method[strings.LastIndex(method, "/")+1:]
	calls := map[string]struct {
		request proto.Message
		do      func(m proto.Message) error
	}{
		"ApplyProject": {&registrypb.ApplyProjectRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.ApplyProjectRequest)
			return put(r.GetProject().GetSpec().GetName(), r.GetProject())
		}},
		"ApplyDataSource": {&registrypb.ApplyDataSourceRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.ApplyDataSourceRequest)
			return put(r.GetProject(), r.GetDataSource())
		}},
		"ApplyEntity": {&registrypb.ApplyEntityRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.ApplyEntityRequest)
			return put(r.GetProject(), r.GetEntity())
		}},
		"ApplyFeatureService": {&registrypb.ApplyFeatureServiceRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.ApplyFeatureServiceRequest)
			return put(r.GetProject(), r.GetFeatureService())
		}},
		"ApplyFeatureView": {&registrypb.ApplyFeatureViewRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.ApplyFeatureViewRequest)
			for _, v := range []proto.Message{r.GetFeatureView(), r.GetOnDemandFeatureView(), r.GetStreamFeatureView(), r.GetLabelView()} {
				if v.ProtoReflect().IsValid() {
					return put(r.GetProject(), v)
				}
			}
			return fmt.Errorf("no view in %v", r)
		}},
		"ApplyMaterialization": {&registrypb.ApplyMaterializationRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.ApplyMaterializationRequest)
			return registry.RecordMaterialization(reg, r.GetProject(), r.GetFeatureView().GetSpec().GetName(), r.GetStartDate().AsTime(), r.GetEndDate().AsTime(), now)
		}},
		"DeleteFeatureService": {&registrypb.DeleteFeatureServiceRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.DeleteFeatureServiceRequest)
			return remove(registry.KindFeatureService, r.GetProject(), r.GetName())
		}},
		"DeleteFeatureView": {&registrypb.DeleteFeatureViewRequest{}, func(m proto.Message) error {
			r, _ := m.(*registrypb.DeleteFeatureViewRequest)
			return remove(registry.KindFeatureView, r.GetProject(), r.GetName())
		}},
	}
	c, ok := calls[name]
	if !ok {
		if strings.HasPrefix(name, "Apply") || strings.HasPrefix(name, "Delete") {
			return fmt.Errorf("%s is not replayed", name)
		}
		return nil
	}
	if err := proto.Unmarshal(b, c.request); err != nil {
		return err
	}
	return c.do(c.request)
}

// recordedBy reads a registry that Feast's server has written.
func recordedBy(t *testing.T, name string) *core.Registry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(clients, name))
	if err != nil {
		t.Fatal(err)
	}
	reg := &core.Registry{}
	if err := proto.Unmarshal(b, reg); err != nil {
		t.Fatal(err)
	}
	return reg
}

// equalObjects compares two registries, but for times, ids, the order of objects, and
// pickles, which Feast's server makes again with its own Python.
func equalObjects(t *testing.T, what string, want, got *core.Registry) {
	t.Helper()
	plain := func(reg *core.Registry) []registry.Row {
		rows := registry.Rows(reg)
		rows = slices.DeleteFunc(rows, func(r registry.Row) bool { return r.List == "" })
		for i, r := range rows {
			rows[i].Message = proto.Clone(r.Message)
			if v, ok := rows[i].Message.(*core.FeatureViewVersionRecord); ok {
				view := registry.Key{List: v.GetFeatureViewType() + "s"}.New()
				if err := proto.Unmarshal(v.FeatureViewProto, view); err != nil {
					t.Fatal(err)
				}
				rows[i].Message = view
			}
		}
		return rows
	}
	a, b := plain(want), plain(got)
	if diff := cmp.Diff(a, b, protocmp.Transform(), protocmp.IgnoreMessages(&timestamppb.Timestamp{}), protocmp.IgnoreDefaultScalars(),
		protocmp.IgnoreFields(&core.UserDefinedFunctionV2{}, "body"), protocmp.IgnoreFields(&core.UserDefinedFunction{}, "body")); diff != "" {
		t.Errorf("%s (-Feast +banquet)\n%s", what, diff)
	}
}

// The changes that a client of Feast sends, one object at a time, make the registry that
// Feast's server has made of them.
func TestChangesOfAClient(t *testing.T) {
	reg := &core.Registry{}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	replay(t, reg, "01_apply", now)
	equalObjects(t, "after apply", recordedBy(t, "registry_after_apply.db"), reg)
	before := proto.CloneOf(reg)
	replay(t, reg, "02_apply_unchanged", now.Add(time.Hour))
	if put, gone := registry.RowChanges(before, reg); len(put)+len(gone) > 0 {
		t.Errorf("the same objects, applied again, change %v and remove %v", put, gone)
	}
	replay(t, reg, "09_materialize", now)
	replay(t, reg, "10_incremental", now)
	after := proto.CloneOf(reg)
	for _, v := range after.GetFeatureViews() {
		if s := v.GetSpec().GetStreamSource(); s != nil {
			s.DataSourceClassType = "" // Feast loses it when it changes the state of a view
		}
	}
	equalObjects(t, "after materialize", recordedBy(t, "registry_after_materialize.db"), after)
	replay(t, reg, "14_disable", now)
	if got := disabledViews(reg); len(got) != 1 {
		t.Errorf("after 14_disable %v are disabled", got)
	}
	replay(t, reg, "15_enable", now)
	if got := disabledViews(reg); len(got) > 0 {
		t.Errorf("after 15_enable %v are disabled", got)
	}
	before = proto.CloneOf(reg)
	replay(t, reg, "30_sdk_calls", now) // deletes a service, and a view that does not exist
	if put, gone := registry.RowChanges(before, reg); len(put) > 0 || len(gone) != 1 || gone[0].Name != "credit_model_v2" {
		t.Errorf("changed are %v, removed %v", put, gone)
	}
}

func disabledViews(reg *core.Registry) (names []string) {
	for _, v := range reg.GetFeatureViews() {
		if v.GetSpec().GetDisabled() {
			names = append(names, v.GetSpec().GetName())
		}
	}
	return names
}
