package dynamotest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// StartFixed starts a server that responds to every call with what answer
// returns, and returns its address: for responses that no real server sends.
func StartFixed(tb testing.TB, answer func(request []byte) []byte) string {
	tb.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write(answer(body))
	}))
	tb.Cleanup(h.Close)
	return h.URL
}
