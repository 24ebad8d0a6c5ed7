package training

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Pull asks for the rows of a registered data source.
type Pull struct {
	// Project is the project of the source; empty is that of the Options.
	Project string
	// Source is the name of a data source, of the batch source of a view, or of the
	// storage of a saved dataset.
	Source string
	// Keys and Features are columns of the source under its own names; without
	// Features all columns are returned.
	Keys, Features []string
	// Timestamp and Created are the source's columns of times; Created may be empty.
	Timestamp, Created string
	// Start and End bound the event time, both inclusive; zero is no bound.
	Start, End time.Time
	// Latest returns only the newest row of each combination of Keys; without Keys,
	// the newest row.
	Latest bool
}

// Pull streams rows of a data source: the columns of keys, features and times in this
// order, with types as in Historical. Without Features the columns are in the
// source's order.
func (s *Service) Pull(ctx context.Context, p Pull) (*Set, error) {
	project, err := s.registry(p.Project)
	if err != nil {
		return nil, err
	}
	source, err := findSource(project, p.Source)
	if err != nil {
		return nil, err
	}
	q := offline.Query{Source: source, Columns: slices.Concat(p.Keys, p.Features), Timestamp: p.Timestamp, Created: p.Created, Start: p.Start, End: p.End}
	if err := q.Check(); err != nil {
		return nil, err
	}
	order, err := s.pullColumns(ctx, project, p, &q)
	if err != nil {
		return nil, err
	}
	if p.Latest && len(p.Keys) == 0 {
		order = append(order, dummyColumn)
	}
	ctx, cancel := context.WithCancel(ctx)
	set := &Set{Features: p.Features, Timestamp: p.Timestamp, Entities: -1, close: []func(){cancel}}
	rows, err := s.read(ctx, p, q)
	if err == nil {
		err = set.arrange(rows, order, q.Types)
	}
	if err != nil {
		set.Close()
		return nil, err
	}
	return set, nil
}

func (s *Service) read(ctx context.Context, p Pull, q offline.Query) (array.RecordReader, error) {
	if !p.Latest {
		return s.opt.Source.Range(ctx, q)
	}
	keys := make([]int, len(p.Keys))
	for i := range keys {
		keys[i] = i
	}
	return s.opt.Source.Latest(ctx, q, keys)
}

// pullColumns completes the columns and types of a query. It returns the order of the
// result: indexes of the query's schema.
func (s *Service) pullColumns(ctx context.Context, project *registry.Project, p Pull, q *offline.Query) ([]int, error) {
	known := columnTypes(project, q.Source)
	var columns []offline.Column
	if len(p.Features) == 0 || slices.ContainsFunc(q.Columns, func(c string) bool { return known[c] == types.ValueType_INVALID }) {
		var err error
		if columns, err = s.opt.Source.Columns(ctx, q.Source); err != nil {
			return nil, err
		}
	}
	for _, c := range columns {
		if known[c.Name] == types.ValueType_INVALID {
			known[c.Name] = c.Type
		}
	}
	var order []int
	if len(p.Features) == 0 {
		order = allColumns(columns, q)
	} else {
		order = make([]int, 0, len(q.Columns)+2)
		for i := range len(q.Columns) + times(q) {
			order = append(order, i)
		}
	}
	for _, c := range q.Columns {
		q.Types = append(q.Types, known[c])
	}
	return order, nil
}

func times(q *offline.Query) int {
	if q.Created == "" {
		return 1
	}
	return 2
}

// allColumns makes a query of keys one of all columns, and returns their order in the
// source.
func allColumns(columns []offline.Column, q *offline.Query) []int {
	var order []int
	at := map[string]int{}
	for _, c := range columns {
		if c.Name != q.Timestamp && c.Name != q.Created && !slices.Contains(q.Columns, c.Name) {
			q.Columns = append(q.Columns, c.Name)
		}
	}
	for i, name := range q.Columns {
		at[name] = i
	}
	at[q.Timestamp] = len(q.Columns)
	if q.Created != "" {
		at[q.Created] = len(q.Columns) + 1
	}
	for _, c := range columns {
		if i, ok := at[c.Name]; ok {
			order = append(order, i)
		}
	}
	return order
}

// columnTypes are the value types that the views of a source give its columns, by the
// source's own names.
func columnTypes(project *registry.Project, source *core.DataSource) map[string]types.ValueType_Enum {
	out := map[string]types.ValueType_Enum{}
	for _, v := range project.Views() {
		if v.Batch == nil || v.Batch.GetName() != source.GetName() {
			continue
		}
		own := map[string]string{}
		for column, name := range v.Batch.GetFieldMapping() {
			own[name] = column
		}
		add := func(name string, t types.ValueType_Enum) {
			if column, ok := own[name]; ok {
				name = column
			}
			out[name] = t
		}
		for _, k := range v.JoinKeys {
			add(k.Name, k.Type)
		}
		for _, f := range v.Features {
			add(f.Name, f.Type)
		}
	}
	return out
}

// findSource finds a data source by its name.
func findSource(project *registry.Project, name string) (*core.DataSource, error) {
	for _, m := range sources(project) {
		if m.GetName() == name {
			return m, nil
		}
	}
	for _, d := range project.SavedDatasets() {
		if m := storageSource(d.GetSpec().GetStorage()); m != nil && m.GetName() == name {
			return m, nil
		}
	}
	return nil, fault.New(fault.NotFound, "Data source %s does not exist in project %s", name, project.Name).About("data source", name, project.Name)
}

// sources are the data sources of a project and the batch sources within its views. The
// batch source of a push source has its own name.
func sources(project *registry.Project) []*core.DataSource {
	var out []*core.DataSource
	add := func(m *core.DataSource) {
		if m != nil {
			out = append(out, m)
		}
	}
	for _, m := range project.DataSources() {
		add(m)
		add(m.GetBatchSource())
	}
	for _, v := range project.Views() {
		add(v.Batch)
	}
	return out
}

// storageSource is the data source of a saved dataset's storage, as Feast makes it: a
// table's or a file's own name is the name of the source.
func storageSource(s *core.SavedDatasetStorage) *core.DataSource {
	switch {
	case s.GetFileStorage() != nil:
		return &core.DataSource{
			Type: core.DataSource_BATCH_FILE, Name: s.GetFileStorage().GetUri(),
			Options: &core.DataSource_FileOptions_{FileOptions: s.GetFileStorage()},
		}
	case s.GetCustomStorage() != nil:
		var conf struct{ Name, Table string }
		if json.Unmarshal(s.GetCustomStorage().GetConfiguration(), &conf) != nil {
			return nil
		}
		name := conf.Name
		if name == "" {
			name = conf.Table
		}
		return &core.DataSource{
			Type: core.DataSource_CUSTOM_SOURCE, Name: name,
			Options: &core.DataSource_CustomOptions{CustomOptions: s.GetCustomStorage()},
		}
	}
	return nil
}

// Columns lists the columns of a data source that a client describes. It must equal a
// registered one: a client that may name any table could read any.
func (s *Service) Columns(ctx context.Context, sent *core.DataSource) ([]offline.Column, error) {
	source, err := s.known(sent)
	if err != nil {
		return nil, err
	}
	return s.opt.Source.Columns(ctx, source)
}

// known returns the registered data source that equals the sent one.
func (s *Service) known(sent *core.DataSource) (*core.DataSource, error) {
	project, err := s.registry("")
	if err != nil {
		return nil, err
	}
	named := false
	for _, m := range sources(project) {
		if reads(m, sent) {
			return m, nil
		}
		named = named || m.GetName() == sent.GetName()
	}
	if s.opt.Unregistered {
		return sent, nil
	}
	text, kind := "Data source %s is not registered in project %s; apply it first, or set banquet.offline.unregistered_sources to let clients read any table", fault.NotFound
	if named {
		text, kind = "Data source %s differs from the one that is registered in project %s; apply it first, or set banquet.offline.unregistered_sources to let clients read any table", fault.Invalid
	}
	return nil, fault.New(kind, text, sent.GetName(), project.Name).About("data source", sent.GetName(), project.Name)
}

// reads reports whether two data sources read the same rows: descriptions, owners, tags
// and times of registration do not matter.
func reads(a, b *core.DataSource) bool {
	x, y := reading(a), reading(b)
	if p, q := x.GetCustomOptions(), y.GetCustomOptions(); p != nil && q != nil && sameJSON(p.GetConfiguration(), q.GetConfiguration()) {
		p.Configuration, q.Configuration = nil, nil
	}
	return proto.Equal(x, y)
}

func reading(m *core.DataSource) *core.DataSource {
	c, ok := proto.Clone(m).(*core.DataSource)
	if !ok || c == nil {
		return nil
	}
	c.Project, c.Description, c.Owner, c.Tags, c.Meta = "", "", "", nil, nil
	if c.Type != core.DataSource_CUSTOM_SOURCE {
		c.DataSourceClassType = ""
	}
	if c.BatchSource != nil {
		c.BatchSource = reading(c.BatchSource)
	}
	return c
}

// sameJSON compares texts in JSON: the order of their keys differs between writers.
func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// Append writes rows to the batch source of a feature view and returns how many. The
// rows have exactly the columns of the source, in any order.
func (s *Service) Append(ctx context.Context, project, view string, rows array.RecordReader) (int64, error) {
	p, err := s.registry(project)
	if err != nil {
		return 0, err
	}
	v, err := p.View(view)
	if err != nil {
		return 0, err
	}
	if v.Batch == nil {
		return 0, fault.New(fault.Invalid, "Feature view '%s' has no batch_source.", view).About("feature view", view, p.Name)
	}
	if s.opt.Writer == nil {
		return 0, s.readOnly()
	}
	columns, err := s.opt.Source.Columns(ctx, v.Batch)
	if err != nil {
		return 0, err
	}
	names := make([]string, rows.Schema().NumFields())
	for i, f := range rows.Schema().Fields() {
		names[i] = f.Name
	}
	if err := offline.CheckColumns(columns, names); err != nil {
		return 0, err
	}
	if w, ok := s.opt.Writer.(offline.Declarer); ok {
		return w.AppendAs(ctx, v.Batch, rows, columnTypes(p, v.Batch))
	}
	return s.opt.Writer.Append(ctx, v.Batch, rows)
}

func (s *Service) readOnly() error {
	return fault.New(fault.Unimplemented, "this offline store cannot be written")
}

// Save writes rows to a new table or file of the given name and returns how many. With
// replace, one that an earlier Save made is replaced.
func (s *Service) Save(ctx context.Context, name string, rows array.RecordReader, replace bool) (int64, error) {
	if s.opt.Writer == nil || s.opt.Saved == nil {
		return 0, s.readOnly()
	}
	source, err := s.opt.Saved(name)
	if err != nil {
		return 0, err
	}
	n, err := s.opt.Writer.Create(ctx, source, rows, replace)
	if err != nil && fault.KindOf(err) == fault.Conflict && !replace {
		return 0, fault.New(fault.Conflict, "Saved dataset location %s already exists.", name).About("saved dataset", name, s.opt.Project).Because(err)
	}
	return n, err
}
