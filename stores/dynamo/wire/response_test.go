package wire

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/valyala/fasthttp"
)

// FuzzRead compares our reading of responses with fasthttp's, which does not count
// bytes: both accept the same responses, and leave the same bytes unread.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nmore",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-A: b\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 101\r\n\r\n",
		"HTTP/1.1 204 No Content\r\n\r\nx",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\nuntil the end",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ours, theirs := bufio.NewReader(bytes.NewReader(text)), bufio.NewReader(bytes.NewReader(text))
		var r Response
		var want fasthttp.Response
		err, wantErr := r.read(ours, nil), want.ReadLimitBody(theirs, maxBody)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, and %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(r.http.Body(), want.Body()) || r.http.StatusCode() != want.StatusCode() {
			t.Errorf("%d %q, want %d %q", r.http.StatusCode(), r.http.Body(), want.StatusCode(), want.Body())
		}
		if ours.Buffered() != theirs.Buffered() {
			t.Errorf("%d bytes are left, want %d", ours.Buffered(), theirs.Buffered())
		}
	})
}
