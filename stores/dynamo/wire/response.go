package wire

import (
	"bufio"
	"errors"
	"hash/crc32"
	"net/http"
	"strconv"
	"sync"

	"github.com/valyala/fasthttp"

	"github.com/banquet-fs/banquet/stores"
)

// maxBody bounds a response; DynamoDB's own limit is 16 MB of data.
const maxBody = 64 << 20

// keptBody bounds the memory that a pooled response keeps.
const keptBody = 4 << 20

// Response is a response of the service.
type Response struct {
	// Body is valid until Release. Its reader may overwrite it.
	Body []byte
	http fasthttp.Response
}

var responses = sync.Pool{New: func() any { return new(Response) }}

// Release returns the memory to the pool.
func (r *Response) Release() {
	spoil(r.Body)
	r.Body = nil
	r.http.ReleaseBody(keptBody)
	r.http.Reset()
	responses.Put(r)
}

// maxInterim bounds the interim responses, such as 100 Continue, before the
// response.
const maxInterim = 100

func interim(status int) bool {
	return status >= http.StatusContinue && status < http.StatusOK && status != http.StatusSwitchingProtocols
}

// read reads a response. Its bytes are counted before memory is allocated for them.
func (r *Response) read(from *bufio.Reader, meter *stores.Meter) error {
	r.http.KeepBodyBuffer = true
	h := &r.http.Header
	for n := 0; ; n++ {
		if err := h.Read(from); err != nil {
			return err
		}
		if !interim(h.StatusCode()) {
			break
		}
		if n == maxInterim {
			return errBroken
		}
	}
	switch h.StatusCode() {
	case http.StatusSwitchingProtocols, http.StatusNoContent, http.StatusNotModified:
		return nil // no body
	}
	length := h.ContentLength()
	if length > 0 && length <= maxBody {
		if err := meter.Count(length); err != nil {
			return err
		}
	}
	if err := r.http.ReadBody(from, maxBody); err != nil {
		return err
	}
	if length >= 0 {
		return nil
	}
	if length == -1 { // in chunks
		if err := h.ReadTrailer(from); err != nil {
			return err
		}
	}
	return meter.Count(len(r.http.Body()))
}

// check verifies the body's checksum, and turns a refusal into an error.
func (r *Response) check() error {
	r.Body = r.http.Body()
	if text := r.http.Header.Peek("X-Amz-Crc32"); len(text) > 0 {
		want, err := strconv.ParseUint(string(text), 10, 32)
		if got := crc32.ChecksumIEEE(r.Body); err != nil || got != uint32(want) {
			return Damaged(errors.New("checksum " + strconv.FormatUint(uint64(got), 10) + ", want " + string(text)))
		}
	}
	if status := r.http.StatusCode(); status != http.StatusOK {
		return Refusal(status, r.Body)
	}
	return nil
}
