// Package config reads feature_store.yaml as Feast does, and its banquet: section. It
// reports all faults of a file at once, each with its line.
package config

import (
	"encoding"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// Secret is a text that is never printed.
type Secret string

// Hidden is printed instead of a secret.
const hidden = "****"

var (
	_ encoding.TextMarshaler = Secret("")
	_ slog.LogValuer         = Secret("")
)

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Reveal returns the secret, for the one place that needs it.
func (s Secret) Reveal() string { return string(s) }

// Config is a feature_store.yaml with its defaults.
type Config struct {
	Project            string       `yaml:"project"`
	ProjectDescription string       `yaml:"project_description"`
	Provider           string       `yaml:"provider"`
	Registry           Registry     `yaml:"registry"`
	Online             OnlineStore  `yaml:"online_store"`
	Offline            OfflineStore `yaml:"offline_store"`
	Auth               Auth         `yaml:"auth"`
	KeyVersion         int          `yaml:"entity_key_serialization_version"`
	CoerceTZAware      bool         `yaml:"coerce_tz_aware"`
	Materialization    Materialize  `yaml:"materialization"`
	BatchEngine        any          `yaml:"batch_engine"`
	FeatureServer      any          `yaml:"feature_server"`
	Embedding          any          `yaml:"embedding_model"`
	Lineage            any          `yaml:"openlineage"`
	MLflow             any          `yaml:"mlflow"`
	Quality            any          `yaml:"data_quality_monitoring"`
	RepoPath           any          `yaml:"repo_path"`
	Flags              any          `yaml:"flags"`
	Banquet            Banquet      `yaml:"banquet"`
	// Dir is the feature repository: the directory of the file.
	Dir string `yaml:"-"`
	// File is the file's path, or another name of the text's origin.
	File string `yaml:"-"`
	// engine is the type of the batch engine, lines are the lines of the parts.
	engine string
	lines  map[string]int
}

// Registry says where the registry is stored.
type Registry struct {
	Type         string `yaml:"registry_type"`
	Path         string `yaml:"path"`
	CacheTTL     int    `yaml:"cache_ttl_seconds"`
	CacheMode    string `yaml:"cache_mode"`
	StoreType    string `yaml:"registry_store_type"`
	Versioned    bool   `yaml:"enable_online_feature_view_versioning"`
	S3Additional any    `yaml:"s3_additional_kwargs"`
	Purge        bool   `yaml:"purge_feast_metadata"`
	MCP          any    `yaml:"mcp"`
}

// OnlineStore is one of the online stores; the section of its Type is set. Type
// may name a store that banquet does not have: see OnlineBuilt.
type OnlineStore struct {
	Type     string
	SQLite   SQLite
	DynamoDB DynamoDB
	Postgres Postgres
}

// SQLite is online_store of type sqlite.
type SQLite struct {
	Type       string `yaml:"type"`
	Path       string `yaml:"path"`
	TextSearch bool   `yaml:"text_search_enabled"`
	OpenAI     bool   `yaml:"enable_openai_compatible_store"`
	Vector     bool   `yaml:"vector_enabled"`
	Similarity string `yaml:"similarity"`
}

// DynamoDB is online_store of type dynamodb.
type DynamoDB struct {
	Type          string            `yaml:"type"`
	BatchSize     int               `yaml:"batch_size"`
	Endpoint      string            `yaml:"endpoint_url"`
	Region        string            `yaml:"region"`
	TableTemplate string            `yaml:"table_name_template"`
	Consistent    bool              `yaml:"consistent_reads"`
	Warmup        bool              `yaml:"warmup_connections"`
	Tags          map[string]string `yaml:"tags"`
	SessionAuth   bool              `yaml:"session_based_auth"`
	MaxWorkers    int               `yaml:"max_read_workers"`
	MaxPool       int               `yaml:"max_pool_connections"`
	Keepalive     float64           `yaml:"keepalive_timeout"`
	ConnectTime   float64           `yaml:"connect_timeout"`
	ReadTime      float64           `yaml:"read_timeout"`
	MaxAttempts   int               `yaml:"total_max_retry_attempts"`
	RetryMode     string            `yaml:"retry_mode"`
}

// Postgres is an online or offline store of type postgres.
type Postgres struct {
	Type           string `yaml:"type"`
	MinConn        int    `yaml:"min_conn"`
	MaxConn        int    `yaml:"max_conn"`
	ConnType       string `yaml:"conn_type"`
	Host           string `yaml:"host"`
	Port           int    `yaml:"port"`
	Database       string `yaml:"database"`
	Schema         string `yaml:"db_schema"`
	User           string `yaml:"user"`
	Password       Secret `yaml:"password"`
	SSLMode        string `yaml:"sslmode"`
	SSLKey         string `yaml:"sslkey_path"`
	SSLCert        string `yaml:"sslcert_path"`
	SSLRootCert    string `yaml:"sslrootcert_path"`
	KeepalivesIdle int    `yaml:"keepalives_idle"`
	OpenAI         bool   `yaml:"enable_openai_compatible_store"`
	Vector         bool   `yaml:"vector_enabled"`
	Similarity     string `yaml:"similarity"`
	SelectMode     string `yaml:"entity_select_mode"`
}

// EffectiveSSLMode is the sslmode in use. Without a setting Feast requires TLS, which a
// PostgreSQL on the same machine rarely has: there, TLS is optional.
func (p *Postgres) EffectiveSSLMode() string {
	if p.SSLMode != "" {
		return p.SSLMode
	}
	if ip := net.ParseIP(p.Host); p.Host == "" || p.Host == "localhost" || strings.HasPrefix(p.Host, "/") || ip != nil && ip.IsLoopback() {
		return "prefer"
	}
	return "require"
}

// OfflineStore is one of the offline stores. Type may name a store that banquet does
// not have: see OfflineBuilt.
type OfflineStore struct {
	Type     string
	Postgres Postgres
}

// files is offline_store of the types file and dask, which has no settings.
type files struct {
	Type string `yaml:"type"`
}

// duckDB is offline_store of type duckdb. Its staging area is used by Feast's writes
// only.
type duckDB struct {
	Type     string `yaml:"type"`
	Staging  string `yaml:"staging_location"`
	Endpoint string `yaml:"staging_location_endpoint_override"`
}

// Auth says how callers authenticate.
type Auth struct {
	Type string `yaml:"type"`
}

// Materialize is the materialization section.
type Materialize struct {
	PullLatest bool `yaml:"pull_latest_features"`
	BatchSize  int  `yaml:"online_write_batch_size"`
}

// Banquet is banquet's own section.
type Banquet struct {
	Definitions BanquetDefinitions `yaml:"definitions"`
	DynamoDB    BanquetDynamo      `yaml:"dynamodb"`
	Serving     BanquetServing     `yaml:"serving"`
	HTTP        BanquetHTTP        `yaml:"http"`
	Materialize BanquetMaterialize `yaml:"materialize"`
	Offline     BanquetOffline     `yaml:"offline"`
	Limits      Limits             `yaml:"limits"`
}

// BanquetDefinitions says how the files of the repository are read.
type BanquetDefinitions struct {
	Python Python `yaml:"python"`
}

// Python says whether Python reads the definitions, and which: empty for the
// native reader, AnyPython, a path, or a name that is looked up in PATH.
type Python string

// AnyPython is python3, else python, from PATH.
const AnyPython Python = "true"

// BanquetDynamo chooses the client for reads and writes.
type BanquetDynamo struct {
	Client string `yaml:"client"`
}

// BanquetServing configures the serving of requests.
type BanquetServing struct {
	TTL      string   `yaml:"ttl"`
	Deadline Duration `yaml:"default_deadline"`
}

// BanquetOffline configures what clients may do with the offline store.
type BanquetOffline struct {
	// SQLTimeout bounds the SQL of a client, Timeout a whole request and, apart from it, the
	// upload of its table; 0 means no bound.
	SQLTimeout Duration `yaml:"sql_timeout"`
	Timeout    Duration `yaml:"timeout"`
	// Unregistered lets clients name any table, not only registered data sources.
	Unregistered bool `yaml:"unregistered_sources"`
}

// BanquetHTTP says which statuses Feast's HTTP routes return.
type BanquetHTTP struct {
	Status string `yaml:"status"`
}

// BanquetMaterialize bounds the materializations that a server runs on request: Runs
// at once, and Queue asynchronous ones that wait.
type BanquetMaterialize struct {
	Runs  int `yaml:"runs"`
	Queue int `yaml:"queue"`
}

// Limits bound requests; 0 means no limit.
type Limits struct {
	Cells       int `yaml:"cells"`
	Rows        int `yaml:"rows"`
	Features    int `yaml:"features"`
	BodyBytes   int `yaml:"body_bytes"`
	Concurrency int `yaml:"concurrency"`
	Queue       int `yaml:"queue"`
	// StoreBytes bounds the bytes of the online store's responses for one request,
	// StoreBytesTotal those for all requests in flight.
	StoreBytes      int `yaml:"store_bytes"`
	StoreBytesTotal int `yaml:"store_bytes_total"`
	// OfflineConcurrency bounds the requests of the offline store that run, and apart
	// from these the uploads that arrive; OfflineQueue bounds those that wait for either,
	// OfflineBytes all uploaded tables together.
	OfflineConcurrency int `yaml:"offline_concurrency"`
	OfflineQueue       int `yaml:"offline_queue"`
	OfflineBytes       int `yaml:"offline_bytes"`
}

// Duration is a time span written as Go does: 10s, 250ms.
type Duration time.Duration

// Default is the configuration with all defaults; project and registry have none.
func Default() *Config {
	return &Config{
		Provider: "local", KeyVersion: 3, CoerceTZAware: true,
		Registry: Registry{Type: "file", CacheTTL: 600, CacheMode: "sync"},
		Online:   OnlineStore{Type: "sqlite", SQLite: defaultSQLite()},
		Offline:  OfflineStore{Type: "dask"},
		Auth:     Auth{Type: "no_auth"},
		Banquet: Banquet{
			DynamoDB:    BanquetDynamo{Client: "direct"},
			Serving:     BanquetServing{Deadline: Duration(10 * time.Second)},
			Offline:     BanquetOffline{SQLTimeout: Duration(10 * time.Minute), Timeout: Duration(2 * time.Hour)},
			Materialize: BanquetMaterialize{Runs: 2, Queue: 16},
			Limits: Limits{
				Cells: 5_000_000, Rows: 100_000, Features: 5_000, BodyBytes: 64 << 20, Concurrency: 1024, Queue: 1024, StoreBytes: 256 << 20, StoreBytesTotal: 1 << 30,
				OfflineConcurrency: 4, OfflineQueue: 16, OfflineBytes: 4 << 30,
			},
		},
	}
}

func defaultSQLite() SQLite {
	return SQLite{Type: "sqlite", Path: "data/online.db", Similarity: "cosine"}
}

func defaultDynamoDB() DynamoDB {
	return DynamoDB{
		Type: "dynamodb", BatchSize: 100, TableTemplate: "{project}.{table_name}", MaxWorkers: 10, MaxPool: 50, Keepalive: 30,
		ConnectTime: 5, ReadTime: 10, MaxAttempts: 3, RetryMode: "adaptive",
	}
}

func defaultPostgres() Postgres {
	return Postgres{Type: "postgres", MinConn: 1, MaxConn: 10, ConnType: "singleton", Port: 5432, Schema: "public", Similarity: "cosine", SelectMode: "temp_table"}
}

// Path resolves a path of the file, relative to the feature repository.
func (c *Config) Path(p string) string {
	if filepath.IsAbs(p) || p == "" {
		return p
	}
	return filepath.Join(c.Dir, p)
}

// String shows the stores and the registry's path, without secrets.
func (c *Config) String() string {
	return fmt.Sprintf("project %s, registry %s, online store %s, offline store %s", c.Project, c.Registry.Path, c.Online.Type, c.Offline.Type)
}
