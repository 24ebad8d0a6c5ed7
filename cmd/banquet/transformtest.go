package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/value"
)

func (a *app) transformCommand() *cobra.Command {
	parent := &cobra.Command{
		Use: "transform", Short: "Run functions of on-demand feature views",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }, Args: noArgs,
	}
	var input, format string
	test := &cobra.Command{
		Use: "test VIEW", Short: "Run the function of an applied on-demand feature view on rows of JSON, and show how it was read",
		Args: oneArg("the name of an on-demand feature view"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "table" && format != "json" {
				return usage("--output %q: want table or json", format)
			}
			if input == "" {
				return usage("want --input FILE, or --input - for standard input")
			}
			return a.testTransform(cmd.Context(), args[0], input, format == "json")
		},
	}
	test.Flags().StringVarP(&input, "input", "i", "", "JSON file with the inputs: a list of objects, an object of lists, or an object in each line; - is standard input")
	test.Flags().StringVarP(&format, "output", "o", "table", "table, or json: a list of objects")
	parent.AddCommand(test)
	return parent
}

// testTransform runs the function of a view. The function's text and inputs go to standard
// error, so that standard output has the result alone.
func (a *app) testTransform(ctx context.Context, name, input string, asJSON bool) error {
	r, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer r.close()
	project, err := r.project(ctx)
	if err != nil {
		return err
	}
	service, err := r.functions()
	if err != nil {
		return err
	}
	p, err := compiledView(project, name, service)
	if err != nil {
		return err
	}
	fmt.Fprint(a.err, p.String())
	columns, err := a.inputRows(input)
	if err != nil {
		return err
	}
	if input == "-" {
		input = "standard input"
	}
	b, err := filled(p, columns, input)
	if err != nil {
		return err
	}
	defer p.Release(b)
	if err := p.Run(ctx, b); err != nil {
		return err
	}
	return a.writeOutputs(p, b, asJSON)
}

// compiledView compiles the function of an applied on-demand view.
func compiledView(project *registry.Project, name string, service transform.Service) (*transform.Program, error) {
	v, err := project.View(name)
	if err != nil {
		return nil, err
	}
	if v.OnDemand == nil {
		return nil, fault.New(fault.Invalid, "%s is not an on-demand feature view, and has no function", name).About("feature view", name, project.Name)
	}
	keys, others := project.FunctionKeys(v)
	return transform.CompileFor(service, v.OnDemand, keys, others)
}

// inputRows reads the rows of a JSON file.
func (a *app) inputRows(path string) ([]ingest.Column, error) {
	in := a.in
	if path != "-" {
		f, err := os.Open(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, fault.New(fault.NotFound, "the file %s does not exist", path).Because(err)
		case err != nil:
			return nil, unreadable(path, err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, jsonBytes+1))
	switch {
	case err != nil:
		return nil, unreadable(path, err)
	case len(b) > jsonBytes:
		return nil, fault.New(fault.TooLarge, "%s is larger than %d MiB; test with fewer rows", path, jsonBytes>>20)
	}
	var columns []ingest.Column
	for chunk, err := range jsonChunks(path, bytes.NewReader(b)) {
		switch {
		case err != nil:
			return nil, err
		case columns != nil:
			return nil, fault.New(fault.TooLarge, "%s has more than %d rows; test with fewer", path, jsonChunk)
		}
		columns = chunk
	}
	if columns == nil {
		return nil, fault.New(fault.Invalid, "%s has no rows", path)
	}
	return columns, nil
}

// filled gives the rows to a function.
func filled(p *transform.Program, columns []ingest.Column, path string) (*transform.Batch, error) {
	found := make([]*ingest.Column, len(p.Inputs()))
	rows := 1
	for i, in := range p.Inputs() {
		at := slices.IndexFunc(columns, func(c ingest.Column) bool {
			return c.Name == in.Name || in.View != "" && c.Name == in.View+"__"+in.Name
		})
		if at < 0 {
			return nil, fault.New(fault.Invalid, "%s: the rows have no column %q, which the function reads", path, in.Name)
		}
		found[i] = &columns[at]
	}
	for _, c := range columns {
		if !c.Scalar {
			rows = c.Cells.Len()
			break
		}
	}
	b := p.Acquire(rows)
	var scratch []byte
	for i, in := range p.Inputs() {
		if n := found[i].Cells.Len(); !found[i].Scalar && n != rows {
			return nil, fault.New(fault.Invalid, "%s: column %q has %d values, others have %d", path, found[i].Name, n, rows)
		}
		for row := range rows {
			from := row
			if found[i].Scalar {
				from = 0
			}
			var err error
			if scratch, err = found[i].Cells.Append(scratch[:0], from, in.Type, value.Exact); err == nil {
				err = b.SetValue(i, row, scratch)
			}
			if err != nil {
				return nil, fault.New(fault.Invalid, "%s: column %q, row %d: %s", path, found[i].Name, row, fault.Of(err).Text).Because(err)
			}
		}
	}
	return b, nil
}

// writeOutputs writes what a function made.
func (a *app) writeOutputs(p *transform.Program, b *transform.Batch, asJSON bool) error {
	header := make([]string, len(p.Outputs()))
	rows := make([][]string, b.Rows())
	for row := range rows {
		for i, o := range p.Outputs() {
			header[i] = o.Name
			v, err := b.AppendValue(nil, i, row)
			if err != nil {
				return err
			}
			text := []byte("null")
			if len(v) > 0 {
				if text, err = value.AppendOwnJSON(nil, v); err != nil {
					return err
				}
			}
			rows[row] = append(rows[row], string(text))
		}
	}
	if !asJSON {
		writeTable(a.out, header, rows)
		return nil
	}
	var out strings.Builder
	for i, row := range rows {
		out.WriteString([]string{"[\n    {", ",\n    {"}[min(i, 1)])
		for n, cell := range row {
			out.WriteString([]string{"", ", "}[min(n, 1)])
			out.Write(value.AppendQuoted(nil, header[n]))
			out.WriteString(": " + cell)
		}
		out.WriteString("}")
	}
	fmt.Fprintln(a.out, out.String()+"\n]")
	return nil
}
