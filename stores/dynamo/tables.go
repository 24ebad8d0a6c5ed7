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

// legalName is the form of DynamoDB's table names.
var legalName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,255}$`)

// legalTag is the form of the keys and values of AWS's tags.
var legalTag = regexp.MustCompile(`^[\pL\pZ\pN_.:/=+\-@]*$`)

// tableCalls is how many tables are looked at, or changed, at a time.
const tableCalls = 8

// Plan compares the tables with what there is, and finds names and tags that the
// service would reject.
func (s *Store) Plan(ctx context.Context, tables stores.Tables) (stores.TablePlan, error) {
	var p stores.TablePlan
	if err := s.responds(ctx); err != nil {
		return p, err
	}
	p.Findings = stores.Collisions(tables, s.name, func(n string) string { return n })
	refused := make([]bool, len(tables.Keep))
	for i, spec := range tables.Keep {
		if name := s.name(spec.Table); !legalName.MatchString(name) {
			refused[i] = true
			p.Findings = append(p.Findings, stores.Finding{Table: spec.Table, Refused: true, Text: fmt.Sprintf(
				"DynamoDB rejects the table name %q: allowed are 3 to 255 characters of a-z A-Z 0-9 _ . - (this one has %d); rename feature view %s", name, utf8.RuneCountInString(name), spec.Table.View)})
		}
		if _, left := s.tags(spec); len(left) > 0 {
			p.Findings = append(p.Findings, stores.Finding{Table: spec.Table, Text: fmt.Sprintf(
				"feature view %s: AWS rejects these tags; they stay only in the registry: %s", spec.Table.View, strings.Join(left, ", "))})
		}
	}
	looks := make([]look, len(tables.Keep)+len(tables.Drop))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(tableCalls)
	for i, spec := range tables.Keep {
		if !refused[i] {
			group.Go(func() (err error) {
				looks[i], err = s.lookAt(ctx, spec)
				return err
			})
		}
	}
	for i, t := range tables.Drop {
		group.Go(func() error {
			there, _, err := s.describe(ctx, t)
			if there != nil {
				looks[len(tables.Keep)+i].change = &stores.Change{Action: stores.Drop, Spec: stores.TableSpec{Table: t}, Name: s.name(t)}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return p, err
	}
	for _, l := range looks {
		if l.change != nil {
			p.Changes = append(p.Changes, *l.change)
		}
		if l.finding != nil {
			p.Findings = append(p.Findings, *l.finding)
		}
	}
	return p, nil
}

// responds tests whether the service responds.
func (s *Store) responds(ctx context.Context) error {
	one := int32(1)
	_, err := s.admin.ListTables(ctx, &dynamodb.ListTablesInput{Limit: &one})
	if err = s.fault(ctx, err, stores.Table{}); err != nil {
		if fault.KindOf(err) != fault.Denied || isCredentials(fault.Cause(err)) {
			return err
		}
		// Listing tables needs a right of its own, which a role may lack.
	}
	return nil
}

// look is what Plan finds about one table.
type look struct {
	change  *stores.Change
	finding *stores.Finding
}

// lookAt compares a table with its spec.
func (s *Store) lookAt(ctx context.Context, spec stores.TableSpec) (look, error) {
	table, _, err := s.describe(ctx, spec.Table)
	if err != nil {
		return look{}, err
	}
	change := stores.Change{Action: stores.Create, Spec: spec, Name: s.name(spec.Table)}
	if table == nil {
		return look{change: &change}, nil
	}
	if key := table.KeySchema; len(key) != 1 || key[0].AttributeName == nil || *key[0].AttributeName != "entity_id" {
		return look{finding: &stores.Finding{Table: spec.Table, Refused: true, Text: fmt.Sprintf(
			"DynamoDB table %s of feature view %s has another key than entity_id; it belongs to something else: rename the feature view, or the project", change.Name, spec.Table.View)}}, nil
	}
	want, _ := s.tags(spec)
	set, gone, err := s.tagChanges(ctx, *table.TableArn, want)
	if err != nil {
		finding, err := s.tagFinding(ctx, err, spec.Table)
		return look{finding: finding}, err
	}
	if len(set)+len(gone) == 0 {
		return look{}, nil
	}
	names := slices.Sorted(maps.Keys(set))
	for _, name := range gone {
		names = append(names, name+" (removed)")
	}
	change.Action, change.Detail = stores.Alter, "tags "+strings.Join(names, ", ")
	return look{change: &change}, nil
}

// describe returns a table, nil if it does not exist, or is being removed.
func (s *Store) describe(ctx context.Context, t stores.Table) (table *types.TableDescription, leaving bool, err error) {
	name := s.name(t)
	out, err := s.admin.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return nil, false, nil
	case err != nil:
		return nil, false, s.fault(ctx, err, t)
	case out.Table.TableStatus == types.TableStatusDeleting:
		return nil, true, nil
	}
	return out.Table, false, nil
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
	tags = map[string]string{}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		v := all[k]
		ok := k != "" && utf8.RuneCountInString(k) <= maxTagKey && utf8.RuneCountInString(v) <= maxTagValue &&
			legalTag.MatchString(k) && legalTag.MatchString(v) && !strings.HasPrefix(strings.ToLower(k), "aws:") && len(tags) < maxTags
		if !ok {
			left = append(left, k)
			continue
		}
		tags[k] = v
	}
	return tags, left
}

// Do creates, tags and removes tables.
func (s *Store) Do(ctx context.Context, changes []stores.Change) ([]stores.Finding, error) {
	errs := make([]error, len(changes))
	findings := make([]*stores.Finding, len(changes))
	var group errgroup.Group
	group.SetLimit(tableCalls)
	for i, c := range changes {
		group.Go(func() error {
			if c.Action == stores.Drop {
				errs[i] = s.drop(ctx, c.Spec.Table)
			} else {
				findings[i], errs[i] = s.ensure(ctx, c.Spec)
			}
			return nil
		})
	}
	_ = group.Wait() // failures are in errs
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
	table, leaving, err := s.describe(ctx, spec.Table)
	switch {
	case err != nil:
		return nil, err
	case table != nil:
		if table.TableStatus != types.TableStatusActive {
			if err := s.waitActive(ctx, name, spec.Table); err != nil {
				return nil, err
			}
		}
		return s.retag(ctx, *table.TableArn, tags, spec.Table)
	case leaving:
		if err := s.waitGone(ctx, name, spec.Table); err != nil {
			return nil, err
		}
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
	set, gone, err := s.tagChanges(ctx, arn, want)
	if err == nil && len(gone) > 0 {
		_, err = s.admin.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: gone})
	}
	if err == nil && len(set) > 0 {
		_, err = s.admin.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: sdkTags(set)})
	}
	if err != nil {
		return s.tagFinding(ctx, err, table)
	}
	return nil, nil
}

// tagChanges compares the tags of a table with what they should be.
func (s *Store) tagChanges(ctx context.Context, arn string, want map[string]string) (set map[string]string, gone []string, err error) {
	have := map[string]string{}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}
	for {
		out, err := s.admin.ListTagsOfResource(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		for _, t := range out.Tags {
			have[*t.Key] = *t.Value
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	set = map[string]string{}
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
	slices.Sort(gone)
	return set, gone, nil
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
	return s.waitGone(ctx, name, table)
}

// waitGone waits until a table does not exist any more.
func (s *Store) waitGone(ctx context.Context, name string, table stores.Table) error {
	waiter := dynamodb.NewTableNotExistsWaiter(s.admin, func(o *dynamodb.TableNotExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 5*time.Second
	})
	return s.fault(ctx, waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, 5*time.Minute), table)
}
