package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/training"
)

// entityInput is where the entity rows of a request come from.
type entityInput struct {
	rows array.RecordReader
	path string // of a file
}

func (in *entityInput) close() {
	if in.rows != nil {
		in.rows.Release()
	}
}

// looksLikeSQL matches a text that can only be SQL: a query, or a comment before one.
var looksLikeSQL = regexp.MustCompile(`(?is)^\s*(--|/\*|\(|(select|with|values|table)(\s|\(|\*|"|'|-|$))`)

// entityRows opens the entity rows and adds them to the request.
func (f *historicalFlags) entityRows(ctx context.Context, service *training.Service, req *training.Request) (*entityInput, error) {
	in := &entityInput{}
	kinds, err := service.EntityTypes(*req)
	if err != nil {
		return nil, err
	}
	switch {
	case f.dataframe != "":
		in.rows, err = jsonRows(f.dataframe, kinds)
	case f.entities == "":
		return in, nil
	case !isFile(f.entities) && looksLikeSQL.MatchString(f.entities):
		req.SQL = f.entities
		return in, nil
	case parquet.IsTable(f.entities):
		in.path = f.entities
		if err = exists(f.entities); err == nil {
			in.rows, err = parquet.Table(ctx, f.entities, kinds)
		}
	default:
		return nil, fault.New(fault.Invalid, "--entity-df %q is neither SQL nor the name of a .parquet, .csv or .arrow file", shortened(f.entities))
	}
	if err != nil {
		return nil, err
	}
	req.Rows = in.rows
	return in, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func exists(path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "the file of entity rows %s does not exist", path).Because(err)
	}
	return nil
}

// shortened cuts a long text of the command line for a message.
func shortened(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
