package registry

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// RecordMaterialization appends a window to a view's materialization
// intervals and sets its state to AVAILABLE_ONLINE, as Feast does after a run. An end
// after now becomes now; a window that is then reversed is not recorded.
func RecordMaterialization(reg *core.Registry, project, view string, start, end, now time.Time) error {
	if end.After(now) {
		end = now
	}
	if start.After(end) {
		return ErrNoChange
	}
	meta := viewMeta(reg, project, view)
	if meta == nil {
		return fault.New(fault.NotFound, "Feature view %s no longer exists in project %s; its window is not recorded", view, project).
			About("feature view", view, project)
	}
	meta.MaterializationIntervals = append(meta.MaterializationIntervals, &core.MaterializationInterval{
		StartTime: moment(start), EndTime: moment(end),
	})
	meta.State = core.FeatureViewState_AVAILABLE_ONLINE
	meta.LastUpdatedTimestamp = moment(now)
	return nil
}

func viewMeta(reg *core.Registry, project, view string) *core.FeatureViewMeta {
	for _, v := range reg.GetFeatureViews() {
		if v.GetSpec().GetName() == view && v.GetSpec().GetProject() == project {
			if v.Meta == nil {
				v.Meta = &core.FeatureViewMeta{}
			}
			return v.Meta
		}
	}
	for _, v := range reg.GetStreamFeatureViews() {
		if v.GetSpec().GetName() == view && v.GetSpec().GetProject() == project {
			if v.Meta == nil {
				v.Meta = &core.FeatureViewMeta{}
			}
			return v.Meta
		}
	}
	return nil
}

// moment is a time as Feast keeps it: Python's datetime has microseconds, so that a
// finer time would be another one once Feast has written the registry.
func moment(t time.Time) *timestamppb.Timestamp { return timestamppb.New(t.Truncate(time.Microsecond)) }
