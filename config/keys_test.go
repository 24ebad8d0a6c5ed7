package config

import (
	"reflect"
	"slices"
)

// Keys lists every key that is read, as section.key; a store's keys are under
// online_store or offline_store and its type. A test compares the documentation
// with it.
func Keys() []string {
	var keys []string
	collect(reflect.TypeFor[Config](), "", &keys)
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "online_store" || k == "offline_store" })
	for _, s := range []struct {
		path string
		t    reflect.Type
	}{
		{"online_store(sqlite)", reflect.TypeFor[SQLite]()},
		{"online_store(dynamodb)", reflect.TypeFor[DynamoDB]()},
		{"offline_store(postgres)", reflect.TypeFor[Postgres]()},
	} {
		collect(s.t, s.path, &keys)
	}
	slices.Sort(keys)
	return keys
}

func collect(t reflect.Type, path string, keys *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "" || tag == "-" {
			continue
		}
		key := join(path, tag)
		if f.Type.Kind() == reflect.Struct && tag != "online_store" && tag != "offline_store" {
			collect(f.Type, key, keys)
			continue
		}
		*keys = append(*keys, key)
	}
}
