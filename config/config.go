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

// hidden is printed instead of a secret.
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

// Config is a feature_store.yaml with its defaults. It has the settings that banquet
// uses; Sections has all keys.
type Config struct {
	Project            string
	ProjectDescription string
	Provider           string
	Registry           Registry
	Online             OnlineStore
	Offline            OfflineStore
	Auth               Auth
	KeyVersion         int
	Materialization    Materialize
	// TransformationService is the host and port of Feast's transformation service; empty
	// if there is none.
	TransformationService string
	Banquet               Banquet
	// Dir is the feature repository.
	Dir string
	// File is the file's path, or another name of the text's origin.
	File string
	// engine is the type of the batch engine, lines are the lines of the keys by path.
	engine   string
	lines    map[string]int
	quiet    quiet
	quality  quality
	warnings []string
}

// quiet are the settings of Feast that have no effect, and that a message is about.
type quiet struct {
	server                                                 string
	lineage, mlflow, featureLogs, audit, auditMetrics, mcp bool
}

// quality is the monitoring of data quality.
type quality struct{ baseline bool }

// Registry says where the registry is stored.
type Registry struct {
	Type      string
	Path      string
	StoreType string
	Versioned bool
}

// OnlineStore is one of the online stores; the section of its Type is set. Type
// may name a store that banquet does not have: see OnlineBuilt.
type OnlineStore struct {
	Type     string
	SQLite   SQLite
	DynamoDB DynamoDB
	Postgres Postgres
}

// Vectors are the settings of an online store that can store vectors for search.
type Vectors struct{ Enabled, OpenAI bool }

// SQLite is online_store of type sqlite.
type SQLite struct {
	Path    string
	Vectors Vectors
}

// DynamoDB is online_store of type dynamodb.
type DynamoDB struct {
	BatchSize     int
	Endpoint      string
	Region        string
	TableTemplate string
	Consistent    bool
	Tags          map[string]string
	ConnectTime   float64 // seconds
	ReadTime      float64 // seconds
}

// Postgres is an online or offline store of type postgres.
type Postgres struct {
	MinConn        int
	MaxConn        int
	Host           string
	Port           int
	Database       string
	Schema         string
	User           string
	Password       Secret
	SSLMode        string
	SSLKey         string
	SSLCert        string
	SSLRootCert    string
	KeepalivesIdle int // seconds
	Vectors        Vectors
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

// Auth says how callers authenticate.
type Auth struct {
	Type string
}

// Materialize is the materialization section.
type Materialize struct {
	BatchSize int
}

// Banquet is banquet's own section.
type Banquet struct {
	Definitions BanquetDefinitions
	DynamoDB    BanquetDynamo
	Serving     BanquetServing
	HTTP        BanquetHTTP
	Materialize BanquetMaterialize
	Offline     BanquetOffline
	Limits      Limits
}

// BanquetDefinitions says how the files of the repository are read.
type BanquetDefinitions struct {
	Python Python
}

// Python says whether Python reads the definitions, and which: empty for the
// native reader, AnyPython, a path, or a name that is looked up in PATH.
type Python string

// AnyPython is python3, else python, from PATH.
const AnyPython Python = "true"

// BanquetDynamo chooses the client for reads and writes.
type BanquetDynamo struct {
	Client string
}

// BanquetServing configures the serving of requests.
type BanquetServing struct {
	TTL      string
	Deadline Duration
}

// BanquetOffline configures what clients may do with the offline store.
type BanquetOffline struct {
	// SQLTimeout bounds the SQL of a client, Timeout a whole request and, apart from it, the
	// upload of its table; 0 means no bound.
	SQLTimeout Duration
	Timeout    Duration
	// Unregistered lets clients name any table, not only registered data sources.
	Unregistered bool
}

// BanquetHTTP says which statuses Feast's HTTP routes return.
type BanquetHTTP struct {
	Status string
}

// BanquetMaterialize bounds the materializations that a server runs on request: Runs
// at once, and Queue asynchronous ones that wait.
type BanquetMaterialize struct {
	Runs  int
	Queue int
}

// Limits bound requests; 0 means no limit.
type Limits struct {
	Cells       int
	Rows        int
	Features    int
	BodyBytes   int
	Concurrency int
	Queue       int
	// WriteConcurrency bounds the pushes and writes that run, and WriteQueue those that
	// wait; they do not count for Concurrency and Queue.
	WriteConcurrency int
	WriteQueue       int
	// StoreBytes bounds the bytes of the online store's responses for one request,
	// StoreBytesTotal those for all requests in flight.
	StoreBytes      int
	StoreBytesTotal int
	// OfflineConcurrency bounds the requests of the offline store that run, and apart
	// from these the uploads that arrive; OfflineQueue bounds those that wait for either,
	// OfflineBytes all uploaded tables together.
	OfflineConcurrency int
	OfflineQueue       int
	OfflineBytes       int
}

// Duration is a time span written as Go does: 10s, 250ms.
type Duration time.Duration

// Default is the configuration with all defaults; project and registry have none.
func Default() *Config {
	c := &Config{Online: OnlineStore{Type: "sqlite"}, Offline: OfflineStore{Type: "dask"}}
	for _, s := range Sections(c) {
		for _, k := range s.Keys {
			k.setDefault()
		}
	}
	return c
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
