package dynamotest

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// tag is a tag in wire form.
type tag struct{ Key, Value string }

func (s *Server) admin(op string, body []byte, f Faults) (any, error) {
	var in struct {
		TableName, ResourceArn string
		Tags                   []tag
		TagKeys                []string
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	name := in.TableName
	if _, n, ok := strings.Cut(in.ResourceArn, "table/"); ok {
		name = n
	}
	switch op {
	case "ListTables":
		return map[string]any{"TableNames": slices.Sorted(maps.Keys(s.tables))}, nil
	case "CreateTable":
		return s.createTable(name, in.Tags)
	}
	t, err := s.table(name, f)
	if err != nil {
		return nil, err
	}
	switch op {
	case "DescribeTable":
		return map[string]any{"Table": describe(name, t)}, nil
	case "DeleteTable":
		delete(s.tables, name)
		return map[string]any{"TableDescription": describe(name, t)}, nil
	case "ListTagsOfResource":
		list := []tag{}
		for _, k := range slices.Sorted(maps.Keys(t.tags)) {
			list = append(list, tag{k, t.tags[k]})
		}
		return map[string]any{"Tags": list}, nil
	case "TagResource":
		if err := checkTags(in.Tags); err != nil {
			return nil, err
		}
		for _, g := range in.Tags {
			t.tags[g.Key] = g.Value
		}
		return map[string]any{}, nil
	case "UntagResource":
		for _, k := range in.TagKeys {
			delete(t.tags, k)
		}
		return map[string]any{}, nil
	}
	return nil, &refusal{status: 400, kind: "com.amazon.coral.service#UnknownOperationException", text: op}
}

func describe(name string, t *table) map[string]any {
	return map[string]any{
		"TableName": name, "TableStatus": "ACTIVE", "TableArn": "arn:aws:dynamodb:local:000000000000:table/" + name, "ItemCount": len(t.items),
		"KeySchema": []any{map[string]string{"AttributeName": "entity_id", "KeyType": "HASH"}},
	}
}

func (s *Server) createTable(name string, tags []tag) (any, error) {
	if !regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`).MatchString(name) {
		return nil, invalid("Invalid table/index name")
	}
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if s.tables[name] != nil {
		return nil, &refusal{status: 400, kind: "com.amazonaws.dynamodb.v20120810#ResourceInUseException", text: "Table already exists: " + name}
	}
	t := newTable()
	for _, g := range tags {
		t.tags[g.Key] = g.Value
	}
	s.tables[name] = t
	return map[string]any{"TableDescription": describe(name, t)}, nil
}

// checkTags checks tags against AWS's rules.
func checkTags(tags []tag) error {
	legal := regexp.MustCompile(`^[\pL\pZ\pN_.:/=+\-@]*$`)
	if len(tags) > 50 {
		return invalid("Too many tags")
	}
	for _, g := range tags {
		switch {
		case g.Key == "" || utf8.RuneCountInString(g.Key) > 128 || !legal.MatchString(g.Key) || strings.HasPrefix(strings.ToLower(g.Key), "aws:"):
			return invalid("The tag key is not valid: %s", g.Key)
		case utf8.RuneCountInString(g.Value) > 256 || !legal.MatchString(g.Value):
			return invalid("The tag value is not valid: %s", g.Value)
		}
	}
	return nil
}
