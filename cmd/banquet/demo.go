package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/server"
)

func (a *app) demoCommand() *cobra.Command {
	var once bool
	var dir string
	f := serveFlags{host: "127.0.0.1", adminHost: "127.0.0.1"}
	cmd := &cobra.Command{
		Use: "demo", Short: "Create a credit-scoring repository, load it, serve it and send requests", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), &f, dir, once) },
	}
	cmd.Flags().BoolVar(&once, "once", false, "end after the first responses")
	cmd.Flags().StringVar(&dir, "dir", "", "create the repository in this directory and keep it; the default is a temporary directory")
	cmd.Flags().IntVarP(&f.port, "port", "p", 0, "port of HTTP; 0 picks a free one")
	cmd.Flags().IntVar(&f.grpc, "grpc-port", 0, "port of gRPC; 0 picks a free one")
	cmd.Flags().IntVar(&f.admin, "admin-port", 0, "port of metrics and health; 0 picks a free one")
	return cmd
}

// step prints a step of the demo.
func (a *app) step(format string, args ...any) {
	fmt.Fprintf(a.out, "%s %s\n", a.green("▸"), fmt.Sprintf(format, args...))
}

func (a *app) demo(ctx context.Context, f *serveFlags, dir string, once bool) error {
	if dir == "" {
		temp, err := os.MkdirTemp("", "banquet-demo-")
		if err != nil {
			return fault.New(fault.Denied, "no temporary directory can be created; name a directory with --dir").Because(err)
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	repo := filepath.Join(dir, "feature_repo")
	a.step("init: a credit-scoring repository in %s", repo)
	if err := writeTemplate(repo, "credit_scoring"); err != nil {
		return err
	}
	a.dir, a.file = repo, ""
	if err := a.demoFill(ctx); err != nil {
		return err
	}
	s, r, err := a.newServer(ctx, f)
	if err != nil {
		return err
	}
	defer r.close()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	a.drains()
	done := make(chan error, 1)
	go func() { done <- s.Run(serving) }()
	at := s.Addresses()
	a.step("serve: gRPC %s, HTTP %s, admin %s", at.GRPC, at.HTTP, at.Admin)
	if err := a.demoAsk(ctx, at); err != nil {
		return err
	}
	if once {
		stop()
		return <-done
	}
	fmt.Fprintln(a.out, "\nServing until Ctrl-C.")
	return <-done
}

// demoFill applies the definitions and materializes all data.
func (a *app) demoFill(ctx context.Context) error {
	r, err := a.open(ctx, false)
	if err != nil {
		return err
	}
	defer r.close()
	repo, err := r.definitions(ctx)
	if err != nil {
		return err
	}
	applier, err := r.applier(ctx, repo, skips{source: true}, "demo")
	if err != nil {
		return err
	}
	if _, err := applier.Apply(ctx, &repo.Objects, apply.Observer{}); err != nil {
		return err
	}
	a.step("apply: %d entities, %d feature views, %d feature service", len(repo.Objects.Entities), len(repo.Objects.FeatureViews), len(repo.Objects.FeatureServices))
	off, err := r.offlineStore("demo")
	if err != nil {
		return err
	}
	m := ingest.New(ingest.Options{
		Storage: r.storage, Project: r.config.Project, Offline: off, Online: r.online, KeyVersion: r.config.KeyVersion, Log: a.log,
	})
	results, err := m.Materialize(ctx, ingest.Request{Start: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)})
	for _, res := range results {
		a.step("materialize: %s, %d rows of %d read", res.View, res.Written, res.Read)
	}
	return err
}

// demoAsk sends requests over REST and gRPC, and prints commands for more.
func (a *app) demoAsk(ctx context.Context, at server.Addresses) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body := fmt.Sprintf(`{"features":["zipcode_features:city","zipcode_features:population","credit_history:credit_card_due"],"entities":{"zipcode":[%d],"dob_ssn":["%s"]}}`, demoZipcode, demoSSN)
	rest, err := askREST(ctx, "http://"+at.HTTP+"/v1/online-features", body)
	if err != nil {
		return err
	}
	a.step("the features of zipcode %d and dob_ssn %s:", demoZipcode, demoSSN)
	if err := a.writeAnswer(rest); err != nil {
		return err
	}
	a.step("as REST returns them:\n%s", rest)
	answer, err := askGRPC(ctx, at.GRPC)
	if err != nil {
		return err
	}
	a.step("all features of the service credit_model over gRPC:\n%s", answer)
	fmt.Fprintf(a.out, "\nMore requests:\n  curl -s http://%s/v1/online-features -d '%s'\n", at.HTTP, body)
	fmt.Fprintf(a.out, "  grpcurl -plaintext -d '{\"feature_service\":\"credit_model\",\"entities\":{\"zipcode\":{\"val\":[{\"int64_val\":%d}]},\"dob_ssn\":{\"val\":[{\"string_val\":\"%s\"}]}}}' %s banquet.v1.FeatureService/GetOnlineFeatures\n",
		demoZipcode, demoSSN, at.GRPC)
	return nil
}

// writeAnswer writes a response of REST as a table.
func (a *app) writeAnswer(rest string) error {
	var answer struct {
		Results []struct {
			Values   []any    `json:"values"`
			Statuses []string `json:"statuses"`
			Times    []string `json:"event_timestamps"`
		} `json:"results"`
		Metadata struct {
			Names []string `json:"feature_names"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(rest), &answer); err != nil || len(answer.Results) != len(answer.Metadata.Names) {
		return fault.New(fault.Internal, "the response cannot be read").Because(err)
	}
	var rows [][]string
	for i, r := range answer.Results {
		for row, v := range r.Values {
			if name := answer.Metadata.Names[i]; name != "zipcode" && name != "dob_ssn" {
				rows = append(rows, []string{name, fmt.Sprint(v), r.Statuses[row], r.Times[row]})
			}
		}
	}
	writeTable(a.out, []string{"FEATURE", "VALUE", "STATUS", "EVENT TIME"}, rows)
	return nil
}

func askREST(ctx context.Context, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return "", fault.New(fault.Internal, "the request cannot be created").Because(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fault.New(fault.Unavailable, "%s does not respond", url).Because(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return "", fault.New(fault.Unavailable, "%s responds with %s: %s", url, resp.Status, b).Because(err)
	}
	return string(b), nil
}

func askGRPC(ctx context.Context, address string) (string, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return "", fault.New(fault.Internal, "no client for %s can be created", address).Because(err)
	}
	defer conn.Close()
	resp, err := banquetv1.NewFeatureServiceClient(conn).GetOnlineFeatures(ctx, &banquetv1.GetOnlineFeaturesRequest{
		Kind: &banquetv1.GetOnlineFeaturesRequest_FeatureService{FeatureService: "credit_model"},
		Entities: map[string]*types.RepeatedValue{
			"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: demoZipcode}}}},
			"dob_ssn": {Val: []*types.Value{{Val: &types.Value_StringVal{StringVal: demoSSN}}}},
		},
	})
	if err != nil {
		return "", fault.New(fault.Unavailable, "%s responds with an error: %v", address, err).Because(err)
	}
	b, err := protojson.Marshal(resp)
	if err != nil {
		return "", fault.New(fault.Internal, "the response cannot be printed").Because(err)
	}
	return string(b), nil
}
