package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// validate checks the decoded values, and that banquet supports them.
func (d *decoder) validate(root *yaml.Node, c *Config) {
	line := func(keys ...string) int {
		n, at := root, 1
		for _, k := range keys {
			if n = child(n, k); n == nil {
				return at
			}
			at = n.Line
		}
		return at
	}
	d.project(c, line("project"))
	d.checkRegistry(c, line)
	oneOf := func(at int, path, v string, allowed ...string) {
		if !slices.Contains(allowed, v) {
			d.fault(at, path, "want one of "+strings.Join(allowed, ", ")+", not "+v)
		}
	}
	if c.Auth.Type == "kubernetes" || c.Auth.Type == "oidc" {
		d.fault(line("auth", "type"), "auth.type", c.Auth.Type+" is not built yet; serve behind a proxy that authenticates, with type: no_auth")
	} else {
		oneOf(line("auth", "type"), "auth.type", c.Auth.Type, "no_auth")
	}
	oneOf(line("banquet", "dynamodb", "client"), "banquet.dynamodb.client", c.Banquet.DynamoDB.Client, "direct", "sdk")
	oneOf(line("banquet", "serving", "ttl"), "banquet.serving.ttl", c.Banquet.Serving.TTL, "", "mark", "ignore", "null")
	oneOf(line("banquet", "http", "status"), "banquet.http.status", c.Banquet.HTTP.Status, "", "feast")
	if c.Banquet.Materialize.Runs == 0 {
		d.fault(line("banquet", "materialize", "runs"), "banquet.materialize.runs", "want 1 or more")
	}
	if !slices.Contains([]string{"local", "gcp", "aws", "azure", "unity_catalog"}, c.Provider) && !strings.Contains(c.Provider, ".") {
		d.fault(line("provider"), "provider", fmt.Sprintf("unknown provider %q; want local, gcp, aws or azure", c.Provider))
	}
	if c.Online.Type == "postgres" {
		d.postgres("online_store", &c.Online.Postgres, line)
	}
	if c.Offline.Type == "postgres" {
		d.postgres("offline_store", &c.Offline.Postgres, line)
	}
	if t := c.Online.DynamoDB.TableTemplate; c.Online.Type == "dynamodb" && !strings.Contains(t, "{table_name}") {
		d.fault(line("online_store", "table_name_template"), "online_store.table_name_template", "must contain {table_name}: otherwise all views would share one table")
	}
	if c.Online.Type == "dynamodb" && c.Online.DynamoDB.BatchSize == 0 {
		d.fault(line("online_store", "batch_size"), "online_store.batch_size", "want 1 or more")
	}
}

func (d *decoder) postgres(section string, p *Postgres, line func(...string) int) {
	for _, need := range []struct{ key, v string }{{"host", p.Host}, {"database", p.Database}, {"user", p.User}} {
		if need.v == "" {
			d.fault(line(section), section+"."+need.key, "is missing")
		}
	}
	if !slices.Contains([]string{"", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"}, p.SSLMode) {
		d.fault(line(section, "sslmode"), section+".sslmode", "want disable, allow, prefer, require, verify-ca or verify-full")
	}
	if p.MaxConn > 0 && p.MinConn > p.MaxConn {
		d.fault(line(section, "min_conn"), section+".min_conn", "want no more than max_conn")
	}
	if p.Port < 1 || p.Port > 65535 {
		d.fault(line(section, "port"), section+".port", "want 1 to 65535")
	}
}

func (d *decoder) project(c *Config, line int) {
	switch {
	case c.Project == "":
		d.fault(line, "project", "is missing; name the project, in letters, digits and _")
	case !regexp.MustCompile(`^[\pL\pN][\pL\pN_]*$`).MatchString(c.Project):
		d.fault(line, "project", "want letters, digits and _, not starting with _ and without hyphens: it becomes part of table names")
	}
}

// checkRegistry accepts a file registry and refuses all others by name: a registry in
// another place must never be treated as an empty file.
func (d *decoder) checkRegistry(c *Config, line func(...string) int) {
	const remedy = "; keep the registry in a file (registry: registry.db), or run this with Feast"
	at := line("registry")
	path := c.Registry.Path
	switch {
	case slices.Contains([]string{"sql", "remote", "snowflake.registry"}, c.Registry.Type):
		d.fault(line("registry", "registry_type"), "registry.registry_type", c.Registry.Type+" registries are not built yet"+remedy)
	case c.Registry.Type != "file":
		d.fault(line("registry", "registry_type"), "registry.registry_type", fmt.Sprintf("unknown registry type %q", c.Registry.Type)+remedy)
	case !slices.Contains([]string{"", "FileRegistryStore", "feast.infra.registry.file.FileRegistryStore"}, c.Registry.StoreType):
		d.fault(line("registry", "registry_store_type"), "registry.registry_store_type", c.Registry.StoreType+" is not built into banquet, which has FileRegistryStore"+remedy)
	case path == "":
		d.fault(at, "registry", "is missing; give the path of a file, such as registry.db")
	case strings.Contains(path, "://") && !strings.HasPrefix(path, "file://"):
		if n := line("registry", "path"); n > at {
			at = n
		}
		scheme, _, _ := strings.Cut(path, "://")
		d.fault(at, "registry", scheme+":// registries are not built yet"+remedy)
	}
	c.Registry.Path = strings.TrimPrefix(path, "file://")
}
