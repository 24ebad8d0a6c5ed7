package offline

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// Kinds of data sources.
const (
	asQuery = "query" // SELECT * FROM the table, as in the registry that Feast wrote
	asTable = "table"
	asFile  = "file"
)

// repository writes a feature repository whose data sources are of a kind, with an
// offline store and the online store at an address.
func (r *run) repository(name, kind, offlineStore string) (dir string, err error) {
	dir = filepath.Join(r.Work, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	var reg core.Registry
	if err := proto.Unmarshal(r.Registry, &reg); err != nil {
		return "", err
	}
	for _, v := range reg.GetFeatureViews() {
		if err := r.source(v.GetSpec().GetBatchSource(), kind); err != nil {
			return "", err
		}
	}
	for _, s := range reg.GetDataSources() {
		if err := r.source(s, kind); err != nil {
			return "", err
		}
	}
	raw, err := proto.Marshal(&reg)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "registry.db"), raw, 0o644); err != nil {
		return "", err
	}
	yaml := fmt.Sprintf(`project: %s
provider: aws
registry:
  registry_type: file
  path: registry.db
online_store:
  type: dynamodb
  region: %s
  endpoint_url: http://%s
offline_store: {%s}
entity_key_serialization_version: 3
`, dataset.Project, dataset.Region, r.Store, offlineStore)
	return dir, os.WriteFile(filepath.Join(dir, "feature_store.yaml"), []byte(yaml), 0o644)
}

func (r *run) source(s *core.DataSource, kind string) error {
	switch kind {
	case asTable:
		text, err := json.Marshal(map[string]string{"name": s.GetName(), "query": "", "table": s.GetName()})
		if err != nil {
			return err
		}
		s.GetCustomOptions().Configuration = text
	case asFile:
		s.Type, s.DataSourceClassType = core.DataSource_BATCH_FILE, "feast.infra.offline_stores.file_source.FileSource"
		s.Options = &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{
			Uri: filepath.Join(r.data, s.GetName()+".parquet"), FileFormat: &core.FileFormat{Format: &core.FileFormat_ParquetFormat_{ParquetFormat: &core.FileFormat_ParquetFormat{}}},
		}}
	}
	return nil
}

// store is the offline store of a database.
func (r *run) store(database string) string {
	return fmt.Sprintf("type: postgres, host: localhost, port: %s, database: %s, db_schema: public, user: %s, password: %s, sslmode: disable", r.pg.port, database, login, password)
}
