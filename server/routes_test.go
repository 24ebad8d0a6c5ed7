package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/server"
)

// ask sends a request and returns the response, without following redirects.
func ask(t *testing.T, method, url, body string) (code int, header http.Header, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	read, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(read)
}

func TestPathsAndMethods(t *testing.T) {
	s := start(t, credit)
	project := "/v1/projects/" + credit.project
	for _, c := range []struct {
		method, path string
		code         int
		header, want string
		says         string
	}{
		{"GET", "/v1/online-features", 405, "Allow", "POST", `"code":12`},
		{"PUT", project + "/online-features:stream", 405, "Allow", "POST", `"code":12`},
		{"GET", "/get-online-features", 405, "Allow", "POST", `{"detail":"Method Not Allowed"}`},
		{"POST", "/v1/projects", 405, "Allow", "GET, HEAD", `"code":12`},
		{"DELETE", project + "/feature-views/zipcode_features", 405, "Allow", "GET, HEAD", `"code":12`},
		{"HEAD", "/v1/projects", 200, "", "", ""},
		{"GET", "/v1/projects/", 404, "", "", `"code":5`},
		{"GET", project + "//feature-views", 404, "", "", `"code":5`},
		{"GET", project + "/feature-services/x%2Fy", 404, "", "", "x/y"},
		{"GET", project + "/feature-services/x%252Fy%25", 404, "", "", "x%2Fy%"},
		{"GET", project + "/feature-services/x%252Fz", 404, "", "", "x%2Fz"},
		{"GET", project + "/feature-services/%C3%A9%20", 404, "", "", "é "},
		{"POST", "/get-online-features/?a=b&c=//d", 307, "Location", "/get-online-features?a=b&c=//d", ""},
		{"POST", "//get-online-features/", 404, "", "", ""},
		{"POST", "/v1/projects/a%2Fb/online-features", 404, "", "", "a/b"},
	} {
		code, header, text := ask(t, c.method, "http://"+s.at.HTTP+c.path, `{"features":["zipcode_features:city"],"entities":{"zipcode":[1]}}`)
		if code != c.code || c.header != "" && header.Get(c.header) != c.want || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: %d %v %s", c.method, c.path, code, header, text)
		}
	}
}

// The response is JSON, whatever names and strings the request contains.
func TestErrorsAreJSON(t *testing.T) {
	s := start(t, credit)
	for _, body := range []string{
		`{"entities": {"\u0007": 1}}`, `{"features": ["zipcode_features:\\u003c"], "entities": {"zipcode": [1]}}`, `{"entities": {"123": 5}}`,
		`{"entities": NaN}`, `{"entities": {"a": -Infinity}}`, `{"features": [{"a": [NaN, "x\u2028"]}], "entities": {}}`, `{"feature_service": "\u0000\u001f<&>\u2028", "entities": {"zipcode": [1]}}`,
		`{"features": ["a\"b:c"], "entities": {"zipcode": [1]}}`, `{"x": "` + strings.Repeat("é", 5000) + `"}`, `"` + strings.Repeat("a", 5000) + `"`, "\x07", `{"\u0007`, `{"a": "\ud800"}`,
		`{"entities": {"` + strings.Repeat(`\u0001`, 5000) + `": 5}}`, `{"features": ["` + strings.Repeat("é", 5000) + `:c"], "entities": {"zipcode": [1]}}`,
		`{"features": ["zipcode_features:` + strings.Repeat("é", 5000) + `"], "entities": {"zipcode": [1]}}`, `{"features": ["zipcode_features:city"], "entities": {"zipcode": ["` + strings.Repeat("x", 5000) + `"]}}`,
	} {
		for _, path := range []string{"/get-online-features", "/v1/online-features", "/v1/online-features:stream"} {
			code, _, text := ask(t, "POST", "http://"+s.at.HTTP+path, body)
			if code < 400 || !json.Valid([]byte(text)) {
				t.Errorf("%s %s: %d %s", path, body, code, text)
			}
			if len(text) > 16<<10 {
				t.Errorf("%s: the response has %d bytes for a request of %d", path, len(text), len(body))
			}
		}
	}
	_, _, text := ask(t, "POST", "http://"+s.at.HTTP+"/get-online-features", `{"entities": {"123": 5}}`)
	if !strings.Contains(text, `"loc":["body","entities","123"]`) {
		t.Errorf("a column called 123: %s", text)
	}
}

// A client whose body is too large gets the error, even if it first sends all of it.
func TestTooLargeIsRead(t *testing.T) {
	f := credit
	f.change = func(o *server.Options) { o.BodyBytes = 100 << 10 }
	s := start(t, f)
	const size = 8 << 20
	for name, length := range map[string]string{"announced": fmt.Sprintf("Content-Length: %d\r\n", size), "in chunks": "Transfer-Encoding: chunked\r\n"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.at.HTTP)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(conn, "POST /v1/online-features HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n", length)
		body := strings.Repeat("a", size)
		if name == "in chunks" {
			body = fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", size, body)
		}
		if _, err := io.WriteString(conn, body); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(text), "banquet.limits.body_bytes") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
}
