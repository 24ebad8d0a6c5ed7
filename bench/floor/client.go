package floor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strconv"
	"sync"
	"time"
)

// Client calls DynamoDB over connections of its own. It is safe for concurrent use.
type Client struct {
	addr   string
	key    []byte
	day    string
	mu     sync.Mutex
	free   []*hconn
	region string
	access string
	secret string
}

type hconn struct {
	c net.Conn
	r *bufio.Reader
}

// NewClient makes a client of the store at an address, without TLS.
func NewClient(addr, region, access, secret string) *Client {
	return &Client{addr: addr, region: region, access: access, secret: secret}
}

func hm(k []byte, s string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(s))
	return h.Sum(nil)
}

var bufs = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}

// body writes the body of one BatchGetItem.
func (r *req) body(body []byte, call []part) []byte {
	body = append(body, `{"RequestItems":{`...)
	for i, pt := range call {
		v := r.t.views[pt.v]
		ids := r.cols[r.col[pt.v]].ids
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, '"')
		body = append(body, v.table...)
		body = append(body, `":{`...)
		body = append(body, v.proj...)
		body = append(body, `,"Keys":[`...)
		for k := pt.lo; k < pt.hi; k++ {
			if k > pt.lo {
				body = append(body, ',')
			}
			body = append(body, `{"entity_id":{"S":"`...)
			body = append(body, ids[32*k:32*k+32]...)
			body = append(body, `"}}`...)
		}
		body = append(body, `]}`...)
	}
	return append(body, `}}`...)
}

// request writes the whole HTTP request of an operation with the given body.
func (c *Client) request(out []byte, operation string, body []byte) []byte {
	now := time.Now().UTC()
	amz := now.Format("20060102T150405Z")
	day := amz[:8]
	c.mu.Lock()
	if c.day != day {
		c.key = hm(hm(hm(hm([]byte("AWS4"+c.secret), day), c.region), "dynamodb"), "aws4_request")
		c.day = day
	}
	key := c.key
	c.mu.Unlock()
	ph := sha256.Sum256(body)
	var cr [512]byte
	q := append(cr[:0], "POST\n/\n\ncontent-type:application/x-amz-json-1.0\nhost:"...)
	q = append(q, c.addr...)
	q = append(q, "\nx-amz-date:"...)
	q = append(q, amz...)
	q = append(q, "\nx-amz-target:DynamoDB_20120810."...)
	q = append(q, operation...)
	q = append(q, "\n\ncontent-type;host;x-amz-date;x-amz-target\n"...)
	q = hex.AppendEncode(q, ph[:])
	ch := sha256.Sum256(q)
	var sb [256]byte
	s := append(sb[:0], "AWS4-HMAC-SHA256\n"...)
	s = append(s, amz...)
	s = append(s, '\n')
	s = append(s, day...)
	s = append(s, '/')
	s = append(s, c.region...)
	s = append(s, "/dynamodb/aws4_request\n"...)
	s = hex.AppendEncode(s, ch[:])
	h := hmac.New(sha256.New, key)
	h.Write(s)
	sig := h.Sum(nil)
	out = append(out, "POST / HTTP/1.1\r\nHost: "...)
	out = append(out, c.addr...)
	out = append(out, "\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810."...)
	out = append(out, operation...)
	out = append(out, "\r\nX-Amz-Date: "...)
	out = append(out, amz...)
	out = append(out, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential="...)
	out = append(out, c.access...)
	out = append(out, '/')
	out = append(out, day...)
	out = append(out, '/')
	out = append(out, c.region...)
	out = append(out, "/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="...)
	out = hex.AppendEncode(out, sig)
	out = append(out, "\r\nContent-Length: "...)
	out = strconv.AppendInt(out, int64(len(body)), 10)
	out = append(out, "\r\n\r\n"...)
	return append(out, body...)
}

func (c *Client) get(ctx context.Context) (*hconn, error) {
	c.mu.Lock()
	if n := len(c.free); n > 0 {
		h := c.free[n-1]
		c.free = c.free[:n-1]
		c.mu.Unlock()
		return h, nil
	}
	c.mu.Unlock()
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, err
	}
	return &hconn{nc, bufio.NewReaderSize(nc, 16<<10)}, nil
}

func readFull(r *bufio.Reader, b []byte) error {
	for n := 0; n < len(b); {
		k, err := r.Read(b[n:])
		if err != nil {
			return err
		}
		n += k
	}
	return nil
}

// fields reads the header fields of a response: the length of its body and its
// checksum, if it has one.
func (h *hconn) fields() (length int, crc uint64, hasCRC bool, err error) {
	length = -1
	for {
		line, err := h.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, false, err
		}
		if len(line) <= 2 {
			break
		}
		switch {
		case len(line) > 16 && bytes.EqualFold(line[:15], []byte("content-length:")):
			length, _ = strconv.Atoi(string(bytes.TrimSpace(line[15:])))
		case len(line) > 13 && bytes.EqualFold(line[:12], []byte("x-amz-crc32:")):
			crc, _ = strconv.ParseUint(string(bytes.TrimSpace(line[12:])), 10, 32)
			hasCRC = true
		}
	}
	if length < 0 {
		return 0, 0, false, errors.New("no content length")
	}
	return length, crc, hasCRC, nil
}

// do sends one BatchGetItem and passes the verified body to f; the body's memory is reused afterwards.
func (c *Client) do(ctx context.Context, r *req, call []part, f func(body []byte) error) error {
	bp := bufs.Get().(*[]byte)
	defer bufs.Put(bp)
	*bp = r.body((*bp)[:0], call)
	return c.Call(ctx, "BatchGetItem", *bp, f)
}

// Call sends one call of an operation of DynamoDB and passes the verified body of the
// response to f; its memory is reused afterwards.
func (c *Client) Call(ctx context.Context, operation string, body []byte, f func(body []byte) error) error {
	h, err := c.get(ctx)
	if err != nil {
		return err
	}
	rp := bufs.Get().(*[]byte)
	*rp = c.request((*rp)[:0], operation, body)
	_, err = h.c.Write(*rp)
	bufs.Put(rp)
	if err != nil {
		return err
	}
	line, err := h.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 || string(line[9:12]) != "200" {
		return fmt.Errorf("status %s", line)
	}
	cl, crc, hasCRC, err := h.fields()
	if err != nil {
		return err
	}
	bp := bufs.Get().(*[]byte)
	if cap(*bp) < cl {
		*bp = make([]byte, 0, cl+cl/4)
	}
	got := (*bp)[:cl]
	if err := readFull(h.r, got); err != nil {
		return err
	}
	c.mu.Lock()
	c.free = append(c.free, h)
	c.mu.Unlock()
	if hasCRC && uint64(crc32.ChecksumIEEE(got)) != crc {
		return errors.New("crc")
	}
	err = f(got)
	bufs.Put(bp)
	return err
}

// fetch sends all calls of a request, in parallel if there are several.
func (c *Client) fetch(ctx context.Context, r *req) error {
	if len(r.calls) == 1 {
		return c.do(ctx, r, r.calls[0], func(b []byte) error { return r.scan(0, b) })
	}
	errs := make([]error, len(r.calls))
	var wg sync.WaitGroup
	for i := range r.calls {
		wg.Go(func() {
			errs[i] = c.do(ctx, r, r.calls[i], func(b []byte) error { return r.scan(i, b) })
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
