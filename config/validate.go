package config

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// validate checks what depends on several keys, and that banquet supports the values.
func (d *decoder) validate(c *Config) {
	d.project(c)
	d.checkRegistry(c)
	switch c.Auth.Type {
	case "no_auth":
	case "kubernetes", "oidc":
		d.fault(d.line("auth.type"), "auth.type", c.Auth.Type+" is not built yet; serve behind a proxy that authenticates, with type: no_auth")
	default:
		d.fault(d.line("auth.type"), "auth.type", "want no_auth, not "+strconv.Quote(c.Auth.Type))
	}
	if !slices.Contains([]string{"local", "gcp", "aws", "azure", "unity_catalog", "chronon"}, c.Provider) && !strings.Contains(c.Provider, ".") {
		d.fault(d.line("provider"), "provider", fmt.Sprintf("unknown provider %q; want local, gcp, aws or azure", c.Provider))
	}
	if c.Online.Type == "postgres" {
		d.postgres("online_store", &c.Online.Postgres)
	}
	if c.Offline.Type == "postgres" {
		d.postgres("offline_store", &c.Offline.Postgres)
	}
	if c.Online.Type == "dynamodb" {
		d.dynamo(&c.Online.DynamoDB)
	}
	if at := c.TransformationService; at != "" && !hostPort(at) {
		const path = "feature_server.transformation_service_endpoint"
		d.fault(d.line(path), path, "want host:port, such as localhost:6569, not "+strconv.Quote(withoutUser(at)))
	}
	for _, key := range []string{"mcp_enabled", "mcp_server_name", "mcp_server_version", "mcp_transport"} {
		path := "feature_server." + key
		if at, given := d.lines[path]; given && c.quiet.server != "mcp" {
			d.fault(at, path, "unknown key; it belongs to type: mcp")
		}
	}
}

// hostPort reports whether a text is a host and the number of a port.
func hostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	n, notNumber := strconv.Atoi(port)
	return err == nil && notNumber == nil && n > 0 && n <= 65535 && host != "" && !strings.ContainsAny(host, "/@% ")
}

func (d *decoder) dynamo(c *DynamoDB) {
	const template, endpoint = "online_store.table_name_template", "online_store.endpoint_url"
	switch rest := strings.NewReplacer("{project}", "", "{table_name}", "").Replace(c.TableTemplate); {
	case !strings.Contains(c.TableTemplate, "{table_name}"):
		d.fault(d.line(template), template, "must contain {table_name}: otherwise all views would share one table")
	case strings.ContainsAny(rest, "{}"):
		d.fault(d.line(template), template, "may contain {project} and {table_name}, and no other braces")
	}
	if c.Endpoint == "" {
		return
	}
	if u, err := url.Parse(c.Endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		d.fault(d.line(endpoint), endpoint, "want a URL such as http://localhost:8000, not "+strconv.Quote(withoutUser(c.Endpoint)))
	}
}

// withoutUser removes the user and the password of a URL.
func withoutUser(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	scheme, _, ok := strings.Cut(text[:at], "://")
	if !ok {
		return hidden + text[at:]
	}
	return scheme + "://" + hidden + text[at:]
}

func (d *decoder) postgres(section string, p *Postgres) {
	if p.MaxConn > 0 && p.MinConn > p.MaxConn {
		d.fault(d.line(section+".min_conn"), section+".min_conn", "want no more than max_conn")
	}
	if p.Port > 65535 {
		d.fault(d.line(section+".port"), section+".port", "want 1 to 65535")
	}
}

func (d *decoder) project(c *Config) {
	line := d.line("project")
	switch {
	case c.Project == "" && d.faulty("project"):
	case c.Project == "":
		d.fault(line, "project", "is missing; name the project, in letters, digits and _")
	case !regexp.MustCompile(`^[\pL\pN][\pL\pN_]*$`).MatchString(c.Project):
		d.fault(line, "project", "want letters, digits and _, not starting with _ and without hyphens: it becomes part of table names")
	}
}

// checkRegistry accepts a file registry and refuses all others by name: a registry in
// another place must never be treated as an empty file.
func (d *decoder) checkRegistry(c *Config) {
	const remedy = "; keep the registry in a file (registry: registry.db), or run this with Feast"
	at := d.line("registry.path")
	path := c.Registry.Path
	switch {
	case slices.Contains([]string{"sql", "remote", "snowflake.registry"}, c.Registry.Type):
		d.fault(d.line("registry.registry_type"), "registry.registry_type", c.Registry.Type+" registries are not built yet"+remedy)
	case c.Registry.Type != "file":
		d.fault(d.line("registry.registry_type"), "registry.registry_type", fmt.Sprintf("unknown registry type %q", c.Registry.Type)+remedy)
	case !slices.Contains([]string{"", "FileRegistryStore", "feast.infra.registry.file.FileRegistryStore"}, c.Registry.StoreType):
		d.fault(d.line("registry.registry_store_type"), "registry.registry_store_type", c.Registry.StoreType+" is not built into banquet, which has FileRegistryStore"+remedy)
	case path == "" && (d.faulty("registry") || d.faulty("registry.path")):
	case path == "":
		d.fault(at, "registry", "is missing; give the path of a file, such as registry.db")
	case strings.Contains(path, "://") && !strings.HasPrefix(path, "file://"):
		scheme, _, _ := strings.Cut(path, "://")
		d.fault(at, "registry", scheme+":// registries are not built yet"+remedy)
	}
	c.Registry.Path = strings.TrimPrefix(path, "file://")
}
