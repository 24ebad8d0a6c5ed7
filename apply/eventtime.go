package apply

import (
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

// eventTimes infers the timestamp_field of every source without one from its columns,
// also for copies in views and other sources.
func (in *inference) eventTimes(o *registry.Objects) error {
	var sources []*core.DataSource
	sources = append(sources, o.DataSources...)
	for _, v := range o.FeatureViews {
		sources = append(sources, v.GetSpec().GetBatchSource(), v.GetSpec().GetStreamSource().GetBatchSource())
	}
	for _, v := range o.StreamFeatureViews {
		sources = append(sources, v.GetSpec().GetBatchSource(), v.GetSpec().GetStreamSource().GetBatchSource())
	}
	for _, v := range o.LabelViews {
		sources = append(sources, v.GetSpec().GetSource())
	}
	for _, s := range sources {
		if err := in.timeColumn(s); err != nil {
			return err
		}
	}
	for _, v := range o.FeatureViews {
		in.streams(v.GetSpec().GetStreamSource())
	}
	for _, v := range o.StreamFeatureViews {
		in.streams(v.GetSpec().GetStreamSource())
	}
	return nil
}

// timeColumn infers the event time of a source: the only timestamp column of a file.
func (in *inference) timeColumn(source *core.DataSource) error {
	if source == nil || source.GetType() == core.DataSource_REQUEST_SOURCE {
		return nil
	}
	if source.GetType() == core.DataSource_PUSH_SOURCE {
		err := in.timeColumn(source.GetBatchSource())
		in.streams(source)
		return err
	}
	if source.GetBatchSource() != nil {
		if err := in.timeColumn(source.GetBatchSource()); err != nil {
			return err
		}
	}
	if source.GetTimestampField() != "" {
		return nil
	}
	refuse := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "data source "+source.GetName()+": "+format+"; set timestamp_field", args...).About("data source", source.GetName(), source.GetProject())
	}
	if source.GetType() != core.DataSource_BATCH_FILE {
		return refuse("it has no timestamp_field, which is inferred for files only")
	}
	id := identity(source)
	columns, err := in.of(source)
	if err != nil {
		return err
	}
	var times []string
	for _, c := range columns {
		if c.Type == types.ValueType_UNIX_TIMESTAMP {
			times = append(times, c.Name)
		}
	}
	switch len(times) {
	case 0:
		return refuse("its event time is unknown: it has no timestamp column")
	case 1:
		source.TimestampField, in.times[id] = times[0], times[0]
		in.known[identity(source)] = columns
		return nil
	}
	return refuse("its event time is unknown: it has the timestamp columns %s", strings.Join(times, " and "))
}

// streams sets the event time of a stream source or push source to that of its batch
// source.
func (in *inference) streams(source *core.DataSource) {
	batch := source.GetBatchSource()
	if batch == nil {
		return
	}
	in.settle(batch)
	if source.GetType() == core.DataSource_PUSH_SOURCE {
		source.TimestampField = batch.GetTimestampField()
	}
}

// settle sets the inferred event time in a copy of a source.
func (in *inference) settle(source *core.DataSource) {
	if source != nil && source.GetTimestampField() == "" {
		source.TimestampField = in.times[identity(source)]
	}
}
