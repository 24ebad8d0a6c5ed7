package definitions

import (
	"slices"

	"github.com/banquet-fs/banquet/definitions/python"
)

// client is a FeatureStore, as scripts beside the definitions use it. Its reads
// are unknown values without definitions; methods that return definitions, or
// change the registry, are refused.
type client struct{}

// Kinds lists the classes of a client.
func (client) Kinds() []string { return []string{"FeatureStore"} }

// Attr returns the attributes that give no definitions.
func (client) Attr(name string) (any, bool) {
	result := &python.Unknown{Why: "FeatureStore." + name, Trust: python.Harmless}
	switch name {
	case "config", "project", "repo_path":
		return result, true
	}
	return &python.Builtin{Name: name, Call: func(*python.Call) (any, error) { return result, nil }}, slices.Contains([]string{
		"version", "get_online_features", "get_online_features_async", "get_historical_features", "get_saved_dataset", "create_saved_dataset",
		"retrieve_online_documents", "retrieve_online_documents_v2", "refresh_registry", "materialize", "materialize_incremental", "push", "push_async",
		"write_to_online_store", "write_to_offline_store", "write_logged_features", "validate_logged_features", "serve", "initialize", "close",
	}, name)
}

func newClient(*python.Call) (any, error) { return client{}, nil }
