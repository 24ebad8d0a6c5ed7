package server

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
)

// rowsCall is a request that writes over HTTP in the pipeline.
type rowsCall struct {
	onlineCall
	push   bool
	own    bool // of banquet's own API
	method string
	read   func(c *rowsCall) (*rowsForm, error)
	reply  func(report ingest.Report) ([]byte, error)
	form   *rowsForm
	out    []byte
}

func (s *web) newRowsCall(w http.ResponseWriter, r *http.Request, push bool) *rowsCall {
	c := &rowsCall{onlineCall: onlineCall{web: s, w: w, r: r, budget: s.pipeline.writeBodies, start: time.Now()}, push: push, method: methodWrite}
	if push {
		c.method = methodPush
	}
	return c
}

// feastRows is Feast's POST /push and POST /write-to-online-store.
func (s *web) feastRows(w http.ResponseWriter, r *http.Request) {
	c := s.newRowsCall(w, r, r.URL.Path == "/push")
	defer c.release()
	c.read = func(c *rowsCall) (*rowsForm, error) {
		return parseFeastRows(c.raw, c.Header("Content-Type"), c.push, s.pipeline.limits)
	}
	c.reply = func(ingest.Report) ([]byte, error) { return nil, nil }
	switch err := c.run(); {
	case err != nil:
		s.feastError(w, writeMistake(err, c))
	case c.push:
		w.Header()["Content-Length"] = []string{"0"}
		w.WriteHeader(http.StatusOK)
	default:
		writeJSON(w, http.StatusOK, []byte("null"))
	}
}

// writeMistake is an error as Feast's routes name it: /write-to-online-store looks for any
// kind of object with the name.
func writeMistake(err error, c *rowsCall) error {
	f := fault.Of(err)
	if c.push || f.Kind != fault.NotFound || f.Object.Kind != "feature view" {
		return err
	}
	return fault.New(fault.NotFound, "Can't recognize feast object with a name %s", f.Object.Name).About("feast object", f.Object.Name, f.Object.Project).Because(err)
}

// banquetRows is banquet's POST /v1/push and POST /v1/write.
func (s *web) banquetRows(w http.ResponseWriter, r *http.Request, project string, push bool) {
	c := s.newRowsCall(w, r, push)
	defer c.release()
	c.pathProject, c.own = project, true
	c.read = func(c *rowsCall) (*rowsForm, error) {
		if err := c.checkPlain(); err != nil {
			return nil, err
		}
		return parseRows(c.raw, c.push, false, s.pipeline.limits)
	}
	c.reply = func(report ingest.Report) ([]byte, error) {
		if c.push {
			return messageJSON(pushResponse(report))
		}
		return messageJSON(writeResponse(report))
	}
	if err := c.run(); err != nil {
		writeStatus(w, err)
		return
	}
	writeJSON(w, http.StatusOK, c.out)
}

// messageJSON is a message in protobuf's JSON.
func messageJSON(m proto.Message) ([]byte, error) {
	b, err := protojson.Marshal(m)
	if err != nil {
		return nil, fault.New(fault.Internal, "the response cannot be encoded").Because(err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil { // protojson's blanks are arbitrary
		return nil, fault.New(fault.Internal, "the response cannot be encoded").Because(err)
	}
	return out.Bytes(), nil
}

func (c *rowsCall) run() error {
	ctx, cancel, err := deadline(c.r)
	defer cancel()
	if err != nil {
		c.web.pipeline.record(ctx, c.method, c.start, err)
		return err
	}
	return c.web.pipeline.write(ctx, c.method, c)
}

func (c *rowsCall) project() string { return c.form.project }

func (c *rowsCall) decode(context.Context) (err error) {
	if c.form, err = c.read(c); err == nil {
		err = c.form.inProject(c.pathProject)
	}
	return err
}

// inProject sets the project to that of the path.
func (f *rowsForm) inProject(path string) error {
	if path != "" && f.project != "" && f.project != path {
		return fault.New(fault.Invalid, "the path names project %s, the body %s", path, f.project)
	}
	if path != "" {
		f.project = path
	}
	return nil
}

func (c *rowsCall) respond(ctx context.Context) error {
	r, err := c.form.request(c.push, c.own)
	if err != nil {
		return err
	}
	report, err := c.web.writer.run(ctx, r)
	if err = r.unlessReported(err, report); err != nil {
		return err
	}
	c.out, err = c.reply(report)
	return err
}
