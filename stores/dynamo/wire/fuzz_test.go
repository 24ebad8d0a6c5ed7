package wire_test

import (
	"testing"

	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// FuzzRefusal checks that the parser of refusals never panics and always returns
// an error.
func FuzzRefusal(f *testing.F) {
	f.Add(400, []byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no","Item":{"event_ts":{"S":"2024"}}}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if wire.Refusal(status, body) == nil {
			t.Error("a refusal is not an error")
		}
	})
}
