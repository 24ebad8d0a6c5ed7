package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/value"
)

func (a *app) getCommand() *cobra.Command {
	var entities, features []string
	cmd := &cobra.Command{
		Use: "get-online-features", Short: "Read features of one entity from the online store", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(entities) == 0 || len(features) == 0 {
				return usage("want --entities KEY=VALUE and --features VIEW:FEATURE, each once or more")
			}
			return a.get(cmd.Context(), entities, features)
		},
	}
	a.ownShorthand(cmd, "feature-store-yaml", &a.file)
	cmd.Flags().StringArrayVarP(&entities, "entities", "e", nil, "a join key or a field of request data, and its value: key=value; may be repeated")
	cmd.Flags().StringArrayVarP(&features, "features", "f", nil, "a feature reference, view:feature; may be repeated")
	return cmd
}

func (a *app) get(ctx context.Context, entities, features []string) error {
	req := &serving.Request{Features: features, TTL: serving.IgnoreTTL}
	for _, e := range entities {
		key, v, ok := strings.Cut(e, "=")
		if !ok || strings.Contains(v, "=") {
			return fault.New(fault.Invalid, "Invalid entity format: %s. Please use KEY=VALUE", e)
		}
		req.Columns = append(req.Columns, serving.Column{Name: key, JSON: [][]byte{value.AppendQuoted(nil, v)}})
	}
	r, err := a.open(ctx, true)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.servingBuilt(); err != nil {
		return err
	}
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	service, err := r.serving(ctx, func() *registry.Snapshot { return snapshot }, nil)
	if err != nil {
		return err
	}
	resp, err := service.GetOnlineFeatures(ctx, req)
	if err != nil {
		return err
	}
	defer resp.Release()
	return a.writeFeatures(resp)
}

// writeFeatures writes a response as Feast's command does: a JSON object of name and
// list, indented by four.
func (a *app) writeFeatures(resp *serving.Response) error {
	var b strings.Builder
	b.WriteString("{\n")
	for i := range resp.Columns() {
		c := resp.Column(i)
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "    %s: [\n", value.AppendQuoted(nil, c.Name))
		for row := range resp.Rows() {
			v, _ := c.At(row)
			text, err := value.AppendOwnJSON(nil, v)
			if err != nil {
				return err
			}
			comma := ","
			if row == resp.Rows()-1 {
				comma = ""
			}
			fmt.Fprintf(&b, "        %s%s\n", text, comma)
		}
		b.WriteString("    ]")
	}
	b.WriteString("\n}\n")
	_, err := fmt.Fprint(a.out, b.String())
	return err
}
