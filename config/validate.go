package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// validate checks what is decoded, against itself and against what banquet has.
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
	for _, section := range []struct {
		name string
		p    *Postgres
	}{{"online_store", &c.Online.Postgres}, {"offline_store", &c.Offline.Postgres}} {
		if section.p.Type != "postgres" {
			continue
		}
		d.postgres(section.name, section.p, line)
	}
	if t := c.Online.DynamoDB.TableTemplate; c.Online.Type == "dynamodb" && !strings.Contains(t, "{table_name}") {
		d.fault(line("online_store", "table_name_template"), "online_store.table_name_template", "want {table_name} in it: all views would share one table")
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

func (d *decoder) checkRegistry(c *Config, line func(...string) int) {
	at := line("registry")
	path := c.Registry.Path
	switch {
	case c.Registry.Type != "file":
		what := "unknown registry type " + c.Registry.Type
		if slices.Contains([]string{"sql", "remote", "snowflake.registry"}, c.Registry.Type) {
			what = c.Registry.Type + " registries are not built yet"
		}
		d.fault(line("registry", "registry_type"), "registry.registry_type", what+"; banquet has file")
	case path == "":
		d.fault(at, "registry", "is missing; give the path of a file, such as registry.db")
	case strings.Contains(path, "://") && !strings.HasPrefix(path, "file://"):
		scheme, _, _ := strings.Cut(path, "://")
		d.fault(at, "registry", scheme+":// registries are not built yet; give the path of a file")
	}
	c.Registry.Path = strings.TrimPrefix(path, "file://")
}
