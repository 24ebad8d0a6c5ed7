package apply

import (
	"context"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
)

// Indexer knows which indexes make training sets fast; an offline store may implement it.
type Indexer interface {
	// MissingIndex returns the statement that makes the index with which joins of a view
	// are fast, or nothing if there is one, or if none can help.
	MissingIndex(ctx context.Context, view offline.JoinView) (statement string, err error)
}

// Index is an index that a feature view lacks.
type Index struct{ View, Statement string }

// Indexes returns the indexes that the sources of feature views lack, each once. It only
// advises: what cannot be asked is left out.
func Indexes(ctx context.Context, objects *registry.Objects, indexer Indexer) []Index {
	var list []Index
	known := map[string]bool{}
	for _, v := range objects.FeatureViews {
		s := v.GetSpec()
		if s.GetBatchSource() == nil || len(s.GetSourceViews()) > 0 {
			continue
		}
		statement, err := indexer.MissingIndex(ctx, joinOf(s))
		if err == nil && statement != "" && !known[statement] {
			known[statement] = true
			list = append(list, Index{s.GetName(), statement})
		}
	}
	return list
}

// joinOf is a view as training sets join it.
func joinOf(s *core.FeatureViewSpec) offline.JoinView {
	source := s.GetBatchSource()
	original := encode.Originals(source.GetFieldMapping())
	v := offline.JoinView{
		Name: s.GetName(), Source: source, Timestamp: original(source.GetTimestampField()), TTL: s.GetTtl().AsDuration(),
	}
	if created := source.GetCreatedTimestampColumn(); created != "" {
		v.Created = original(created)
	}
	for _, f := range s.GetEntityColumns() {
		if f.GetName() != registry.DummyKey {
			v.Keys = append(v.Keys, offline.JoinKey{Column: original(f.GetName()), Entity: len(v.Keys), Type: f.GetValueType()})
		}
	}
	for _, f := range s.GetFeatures() {
		v.Features, v.Types = append(v.Features, original(f.GetName())), append(v.Types, f.GetValueType())
	}
	return v
}
