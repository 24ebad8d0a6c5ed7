package registry

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// records lists the version records of a view.
func (a *applier) records(view string) []*core.FeatureViewVersionRecord {
	var records []*core.FeatureViewVersionRecord
	for _, r := range a.registry.GetFeatureViewVersionHistory().GetRecords() {
		if r.GetProjectId() == a.project && r.GetFeatureViewName() == view {
			records = append(records, r)
		}
	}
	return records
}

func (a *applier) record(k kind, view object, number int32) error {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(view.m.Interface())
	if err != nil {
		return fault.New(fault.Internal, "%s %s cannot be serialized", k.noun, view.name()).Because(err)
	}
	if a.registry.FeatureViewVersionHistory == nil {
		a.registry.FeatureViewVersionHistory = &core.FeatureViewVersionHistory{}
	}
	h := a.registry.FeatureViewVersionHistory
	h.Records = append(h.Records, &core.FeatureViewVersionRecord{
		FeatureViewName: view.name(), ProjectId: a.project, VersionNumber: number, FeatureViewType: k.history,
		FeatureViewProto: b, CreatedTimestamp: moment(a.now), VersionId: uuid.NewString(),
	})
	return nil
}

// openRecord reads the view of a version record.
func openRecord(r *core.FeatureViewVersionRecord) (object, error) {
	var m proto.Message
	switch r.GetFeatureViewType() {
	case "stream_feature_view":
		m = new(core.StreamFeatureView)
	case "on_demand_feature_view":
		m = new(core.OnDemandFeatureView)
	case "label_view":
		m = new(core.LabelView)
	default:
		m = new(core.FeatureView)
	}
	if err := proto.Unmarshal(r.GetFeatureViewProto(), m); err != nil {
		return object{}, fault.New(fault.Invalid, "version v%d of feature view %s in project %s cannot be read from the registry",
			r.GetVersionNumber(), r.GetFeatureViewName(), r.GetProjectId()).About("feature view", r.GetFeatureViewName(), r.GetProjectId()).Because(err)
	}
	return objectOf(m), nil
}

// dropHistory removes the versions of a view. A view of another kind that has taken its
// name keeps its own.
func (a *applier) dropHistory(k kind, view string) {
	a.keepHistory(func(r *core.FeatureViewVersionRecord) bool {
		return r.GetFeatureViewName() != view || r.GetFeatureViewType() != k.history
	})
}

// dropAllHistory removes the versions of all views of the project.
func (a *applier) dropAllHistory() {
	a.keepHistory(func(*core.FeatureViewVersionRecord) bool { return false })
}

// keepHistory keeps the records of the project that keep accepts.
func (a *applier) keepHistory(keep func(*core.FeatureViewVersionRecord) bool) {
	if h := a.registry.GetFeatureViewVersionHistory(); h != nil {
		h.Records = slices.DeleteFunc(h.Records, func(r *core.FeatureViewVersionRecord) bool {
			return r.GetProjectId() == a.project && !keep(r)
		})
	}
}

// ParseVersion reads the version that a definition of a view names: -1 for the latest.
func ParseVersion(text string) (int32, error) {
	lower := strings.ToLower(text)
	if lower == "" || lower == "latest" {
		return -1, nil
	}
	digits, ok := strings.CutPrefix(lower, "version")
	if !ok {
		digits, ok = strings.CutPrefix(lower, "v")
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil {
		return -1, fault.New(fault.Invalid, "Invalid version string '%s'. Expected 'latest', 'vN', or 'versionN' (e.g. 'v2', 'version3').", text)
	}
	return int32(n), nil
}

// pin returns the version that a definition names: -1 for the latest.
func pin(view object) int32 {
	n, _ := ParseVersion(text(view.spec(), "version")) // checked by checkNames
	return n
}

// firstVersion records a new view as v0, or as the version that it names.
func (a *applier) firstVersion(k kind, view object) error {
	number := max(pin(view), 0)
	setInt(view.meta(), "current_version_number", number)
	return a.record(k, view, number)
}

// pinned returns the recorded definition if the new definition names an existing
// version. The new definition must then equal that version or the current definition.
func (a *applier) pinned(k kind, old, next object) (object, error) {
	number := pin(next)
	if number < 0 {
		return object{}, nil
	}
	for _, r := range a.records(next.name()) {
		if r.GetVersionNumber() != number {
			continue
		}
		m := next.m.New()
		if err := proto.Unmarshal(r.GetFeatureViewProto(), m.Interface()); err != nil {
			return object{}, fault.New(fault.Invalid, "version v%d of %s %s cannot be read from the registry", number, k.noun, next.name()).Because(err)
		}
		back := object{m}
		if !k.sameSchema(next, back) && !k.sameSchema(next, old) {
			return object{}, fault.New(fault.Conflict, "%s %s is pinned to v%d and its definition has changed, too; do only one of the two", k.noun, next.name(), number).
				About("feature view", next.name(), a.project)
		}
		back.setProject(a.project)
		back.spec().Set(back.spec().Descriptor().Fields().ByName("version"), protoreflect.ValueOfString(text(next.spec(), "version")))
		return back, nil
	}
	return object{}, nil
}

// updateView copies the state that a changed view keeps, and records a new version if
// the schema has changed.
func (a *applier) updateView(k kind, old, next object) error {
	meta := next.meta()
	copyField(meta, old.meta(), "materialization_intervals")
	if k.sameSchema(old, next) {
		if stateOf(next) == 0 {
			copyField(meta, old.meta(), "state")
		}
		for _, name := range []protoreflect.Name{"version_id", "current_version_number"} {
			if f := meta.Descriptor().Fields().ByName(name); f != nil {
				meta.Clear(f) // a client may send what it has read
			}
			copyField(meta, old.meta(), name)
		}
		return nil
	}
	records := a.records(next.name())
	if len(records) == 0 {
		if err := a.record(k, old, 0); err != nil {
			return err
		}
		records = a.records(next.name())
	}
	number := int32(0)
	for _, r := range records {
		if r.GetVersionNumber() == pin(next) {
			setInt(meta, "current_version_number", pin(next))
			return nil
		}
		number = max(number, r.GetVersionNumber()+1)
	}
	if p := pin(next); p >= 0 {
		number = p
	}
	setInt(meta, "current_version_number", number)
	next.stamp(old.created(), a.now)
	return a.record(k, next, number)
}

// stateOf is the state of a view: 0 if it has none.
func stateOf(view object) protoreflect.EnumNumber {
	f := view.m.Descriptor().Fields().ByName("meta")
	if f == nil || !view.m.Has(f) {
		return 0
	}
	meta := view.m.Get(f).Message()
	if f = meta.Descriptor().Fields().ByName("state"); f == nil {
		return 0
	}
	return meta.Get(f).Enum()
}

// takeState gives a view the state that a client has sent with the same definition, and
// reports whether it had another.
func takeState(old, next object) bool {
	if state := stateOf(next); state == 0 || state == stateOf(old) {
		return false
	}
	copyField(old.meta(), next.meta(), "state")
	return true
}

// recordOnly records a changed view as its newest version, unless it is that already,
// and leaves the current definition as it is.
func (a *applier) recordOnly(k kind, old, next object) error {
	if records := a.records(next.name()); len(records) > 0 {
		newest := slices.MaxFunc(records, func(x, y *core.FeatureViewVersionRecord) int {
			return cmp.Compare(x.GetVersionNumber(), y.GetVersionNumber())
		})
		last := object{next.m.New()}
		if err := proto.Unmarshal(newest.GetFeatureViewProto(), last.m.Interface()); err == nil && k.sameSchema(last, next) {
			return nil
		}
	}
	if err := a.updateView(k, old, next); err != nil {
		return err
	}
	number := next.meta().Get(next.meta().Descriptor().Fields().ByName("current_version_number")).Int()
	a.changes = append(a.changes, Change{Action: Created, Kind: "version of " + k.noun, Name: next.name() + "@v" + strconv.FormatInt(number, 10)})
	return nil
}

func setInt(m protoreflect.Message, name protoreflect.Name, v int32) {
	if f := m.Descriptor().Fields().ByName(name); f != nil && v != 0 {
		m.Set(f, protoreflect.ValueOfInt32(v))
	}
}

func copyField(to, from protoreflect.Message, name protoreflect.Name) {
	f := to.Descriptor().Fields().ByName(name)
	if f == nil || !from.Has(f) {
		return
	}
	to.Set(f, from.Get(f))
}
