package dynamo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// The rules of AWS for tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// Check tests whether the service responds, and finds table names and tags that
// it would reject.
func (s *Store) Check(ctx context.Context, tables []stores.TableSpec) ([]stores.Finding, error) {
	one := int32(1)
	_, err := s.admin.ListTables(ctx, &dynamodb.ListTablesInput{Limit: &one})
	if err = s.fault(ctx, err, stores.Table{}); err != nil {
		if fault.KindOf(err) != fault.Denied || isCredentials(fault.Cause(err)) {
			return nil, err
		}
		// Listing tables needs a right of its own, which a role may lack.
	}
	findings := stores.Collisions(tables, s.name, func(n string) string { return n })
	legal := regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)
	for _, spec := range tables {
		if name := s.name(spec.Table); !legal.MatchString(name) {
			findings = append(findings, stores.Finding{Table: spec.Table, Refused: true, Text: fmt.Sprintf(
				"DynamoDB rejects the table name %q: allowed are 3 to 255 characters of a-z A-Z 0-9 _ . - (this one has %d); rename feature view %s", name, utf8.RuneCountInString(name), spec.Table.View)})
		}
		if _, left := s.tags(spec); len(left) > 0 {
			findings = append(findings, stores.Finding{Table: spec.Table, Text: fmt.Sprintf(
				"feature view %s: AWS rejects these tags; they stay only in the registry: %s", spec.Table.View, strings.Join(left, ", "))})
		}
	}
	return findings, nil
}

// tags returns the tags of a table that AWS accepts, and the keys of the others.
// Accepted are the first fifty by key with legal characters and lengths.
func (s *Store) tags(spec stores.TableSpec) (tags map[string]string, left []string) {
	all := maps.Clone(s.opt.Tags)
	if all == nil {
		all = map[string]string{}
	}
	for k, v := range spec.Tags {
		if v == "" && all[k] != "" {
			continue // an empty tag of the view does not hide the configured one
		}
		all[k] = v
	}
	legal := regexp.MustCompile(`^[\pL\pZ\pN_.:/=+\-@]*$`)
	tags = map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		v := all[k]
		ok := k != "" && utf8.RuneCountInString(k) <= maxTagKey && utf8.RuneCountInString(v) <= maxTagValue &&
			legal.MatchString(k) && legal.MatchString(v) && !strings.HasPrefix(strings.ToLower(k), "aws:") && len(tags) < maxTags
		if !ok {
			left = append(left, k)
			continue
		}
		tags[k] = v
	}
	return tags, left
}

// Update creates, tags and removes tables.
func (s *Store) Update(ctx context.Context, keep []stores.TableSpec, drop []stores.Table) ([]stores.Finding, error) {
	errs := make([]error, len(keep)+len(drop))
	findings := make([]*stores.Finding, len(keep))
	var group errgroup.Group
	group.SetLimit(8)
	for i, spec := range keep {
		group.Go(func() error {
			findings[i], errs[i] = s.ensure(ctx, spec)
			return nil
		})
	}
	for i, t := range drop {
		group.Go(func() error {
			errs[len(keep)+i] = s.drop(ctx, t)
			return nil
		})
	}
	_ = group.Wait()
	var out []stores.Finding
	for _, f := range findings {
		if f != nil {
			out = append(out, *f)
		}
	}
	for _, err := range errs {
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// ensure creates a missing table, or updates the tags of an existing one.
func (s *Store) ensure(ctx context.Context, spec stores.TableSpec) (*stores.Finding, error) {
	name := s.name(spec.Table)
	tags, _ := s.tags(spec)
	out, err := s.admin.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	switch {
	case err == nil:
		if out.Table.TableStatus != types.TableStatusActive {
			if err := s.waitActive(ctx, name, spec.Table); err != nil {
				return nil, err
			}
		}
		return s.retag(ctx, *out.Table.TableArn, tags, spec.Table)
	case !errors.As(err, &missing):
		return nil, s.fault(ctx, err, spec.Table)
	}
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: ptr("entity_id"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: ptr("entity_id"), AttributeType: types.ScalarAttributeTypeS}},
		Tags:                 sdkTags(tags),
	}
	_, err = s.admin.CreateTable(ctx, in)
	var inUse *types.ResourceInUseException
	if err != nil && !errors.As(err, &inUse) {
		return nil, s.fault(ctx, err, spec.Table)
	}
	return nil, s.waitActive(ctx, name, spec.Table)
}

func ptr(s string) *string { return &s }

func sdkTags(tags map[string]string) []types.Tag {
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: ptr(k), Value: ptr(tags[k])})
	}
	return out
}

// waitActive waits until a table is usable.
func (s *Store) waitActive(ctx context.Context, name string, table stores.Table) error {
	waiter := dynamodb.NewTableExistsWaiter(s.admin, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 5*time.Second
	})
	err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 5*time.Minute)
	return s.fault(ctx, err, table)
}

// retag updates the tags. Without the right to do so they stay as they are, which
// is only a warning.
func (s *Store) retag(ctx context.Context, arn string, want map[string]string, table stores.Table) (*stores.Finding, error) {
	have := map[string]string{}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}
	for {
		out, err := s.admin.ListTagsOfResource(ctx, in)
		if err != nil {
			return s.tagFinding(ctx, err, table)
		}
		for _, t := range out.Tags {
			have[*t.Key] = *t.Value
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	set, gone := map[string]string{}, []string{}
	for k, v := range want {
		if old, ok := have[k]; !ok || old != v {
			set[k] = v
		}
	}
	for k := range have {
		if _, ok := want[k]; !ok && !strings.HasPrefix(strings.ToLower(k), "aws:") {
			gone = append(gone, k)
		}
	}
	if len(gone) > 0 {
		if _, err := s.admin.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: gone}); err != nil {
			return s.tagFinding(ctx, err, table)
		}
	}
	if len(set) > 0 {
		if _, err := s.admin.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: sdkTags(set)}); err != nil {
			return s.tagFinding(ctx, err, table)
		}
	}
	return nil, nil
}

func (s *Store) tagFinding(ctx context.Context, err error, table stores.Table) (*stores.Finding, error) {
	err = s.fault(ctx, err, table)
	if k := fault.KindOf(err); k == fault.Unavailable || k == fault.TimedOut || k == fault.Canceled || k == fault.Overloaded {
		return nil, err
	}
	return &stores.Finding{Table: table, Text: "the tags of DynamoDB table " + s.name(table) + " were not changed: " + fault.Of(err).Text}, nil
}

// drop removes a table and waits until it is gone.
func (s *Store) drop(ctx context.Context, table stores.Table) error {
	name := s.name(table)
	_, err := s.admin.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return s.fault(ctx, err, table)
	}
	waiter := dynamodb.NewTableNotExistsWaiter(s.admin, func(o *dynamodb.TableNotExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 5*time.Second
	})
	return s.fault(ctx, waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 5*time.Minute), table)
}
