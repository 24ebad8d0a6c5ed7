package main

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/spf13/cobra"

	"github.com/banquet-fs/banquet/fault"
)

//go:embed template
var templates embed.FS

func (a *app) initCommand() *cobra.Command {
	var name string
	var minimal bool
	cmd := &cobra.Command{
		Use: "init [PROJECT_DIRECTORY]", Short: "Create a new feature repository with definitions and example data", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "credit_scoring"
			if len(args) == 1 {
				dir = args[0]
			}
			if dir == "" {
				return usage("want the name of a directory, got an empty one")
			}
			if name != "credit_scoring" && name != "local" {
				return usage("--template %s; there is credit_scoring", name)
			}
			return a.init(dir)
		},
	}
	cmd.Flags().StringVarP(&name, "template", "t", "credit_scoring", "kind of repository")
	cmd.Flags().BoolVarP(&minimal, "minimal", "m", false, "accepted for compatibility with Feast; the template is already small")
	_ = cmd.Flags().MarkHidden("minimal")
	return cmd
}

func (a *app) init(dir string) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fault.New(fault.Invalid, "%s is not a directory", dir).Because(err)
	}
	repo := filepath.Join(abs, "feature_repo")
	if _, err := os.Stat(filepath.Join(repo, "feature_store.yaml")); err == nil {
		return fault.New(fault.Invalid, "%s already contains a feature repository; choose another directory", abs)
	}
	fmt.Fprintf(a.out, "\nCreating a new feature repository in %s.\n\n", a.green(abs))
	if err := writeTemplate(repo, projectName(filepath.Base(abs))); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "  cd %s\n  banquet apply\n  banquet materialize 2023-01-01 2025-01-01\n  banquet get-historical-features --entity-df data/loans.parquet --feature-service credit_model -o training.parquet\n  banquet serve\n", repo)
	return nil
}

// projectName makes a valid project name from the name of a directory.
func projectName(dir string) string {
	name := strings.Trim(regexp.MustCompile(`[^A-Za-z0-9_]+`).ReplaceAllString(dir, "_"), "_")
	if name == "" {
		return "credit_scoring"
	}
	return name
}

// writeTemplate writes the template into a directory, with its data.
func writeTemplate(repo, project string) error {
	refuse := func(err error) error {
		return fault.New(fault.Denied, "the repository cannot be written to %s", repo).Because(err)
	}
	if err := os.MkdirAll(filepath.Join(repo, "data"), 0o755); err != nil {
		return refuse(err)
	}
	for _, name := range []string{"features.py", "feature_store.yaml"} {
		b, err := templates.ReadFile("template/" + name)
		if err != nil {
			return fault.New(fault.Internal, "the template lacks %s", name).Because(err)
		}
		text := strings.ReplaceAll(string(b), "my_project", project)
		if err := os.WriteFile(filepath.Join(repo, name), []byte(text), 0o644); err != nil {
			return refuse(err)
		}
	}
	for name, rows := range map[string]func() arrow.RecordBatch{"zipcode_features": zipcodes, "credit_history": histories, "loans": loans} {
		if err := writeParquet(filepath.Join(repo, "data", name+".parquet"), rows()); err != nil {
			return refuse(err)
		}
	}
	return nil
}

func writeParquet(path string, batch arrow.RecordBatch) error {
	defer batch.Release()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(batch.Schema(), f, parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		_ = f.Close()
		return err
	}
	if err := w.Write(batch); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close() // closes the file
}

// The applicant of the examples is always in the data.
const (
	demoZipcode = 76104
	demoSSN     = "19530219_5179"
)

func stamps() (event, created arrow.Field) {
	t := &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
	return arrow.Field{Name: "event_timestamp", Type: t}, arrow.Field{Name: "created_timestamp", Type: t}
}

// moments are the events of each entity: the days of 2024 on which it changed.
func moments(r *rand.Rand) []time.Time {
	out := make([]time.Time, 1+r.IntN(3))
	for i := range out {
		out[i] = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(364*24*3600)) * time.Second)
	}
	return out
}

// zipcodes generates data about postal codes, the same each time.
func zipcodes() arrow.RecordBatch {
	event, created := stamps()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "zipcode", Type: arrow.PrimitiveTypes.Int64},
		{Name: "city", Type: arrow.BinaryTypes.String},
		{Name: "state", Type: arrow.BinaryTypes.String},
		{Name: "location_type", Type: arrow.BinaryTypes.String},
		{Name: "tax_returns_filed", Type: arrow.PrimitiveTypes.Int64},
		{Name: "population", Type: arrow.PrimitiveTypes.Int64},
		{Name: "total_wages", Type: arrow.PrimitiveTypes.Int64},
		event, created,
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	r := rand.New(rand.NewPCG(1, 2))
	cities := []string{"FORT WORTH", "DALLAS", "AUSTIN", "HOUSTON", "EL PASO", "PLANO", "WACO", "LUBBOCK"}
	for i := range 2000 {
		zip := int64(75000 + i)
		for _, at := range moments(r) {
			people := int64(500 + r.IntN(60000))
			returns := people * int64(40+r.IntN(20)) / 100
			city := cities[r.IntN(len(cities))]
			if zip == demoZipcode {
				city = cities[0]
			}
			row(b, at, zip, city, "TX", "PRIMARY", returns, people, returns*int64(30000+r.IntN(50000)))
		}
	}
	return b.NewRecordBatch()
}

// histories generates credit histories, the same each time.
func histories() arrow.RecordBatch {
	event, created := stamps()
	fields := []arrow.Field{{Name: "dob_ssn", Type: arrow.BinaryTypes.String}}
	for _, n := range []string{"credit_card_due", "mortgage_due", "student_loan_due", "vehicle_loan_due", "hard_pulls", "missed_payments_2y", "missed_payments_1y", "missed_payments_6m", "bankruptcies"} {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.PrimitiveTypes.Int64})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(append(fields, event, created), nil))
	defer b.Release()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 2000 {
		ssn := fmt.Sprintf("%04d%02d%02d_%04d", 1940+r.IntN(65), 1+r.IntN(12), 1+r.IntN(28), r.IntN(10000))
		if i == 0 {
			ssn = demoSSN
		}
		for _, at := range moments(r) {
			row(b, at, ssn, int64(r.IntN(10000)), int64(r.IntN(900000)), int64(r.IntN(60000)), int64(r.IntN(40000)), int64(r.IntN(10)),
				int64(r.IntN(8)), int64(r.IntN(4)), int64(r.IntN(2)), int64(r.IntN(2)))
		}
	}
	return b.NewRecordBatch()
}

// loans generates entity rows of a training set, the same each time: loans of people
// with a credit history, some weeks after an event of it, and whether they were repaid.
func loans() arrow.RecordBatch {
	people := histories()
	defer people.Release()
	ssns, events := people.Column(0).(*array.String), people.Column(int(people.NumCols()-2)).(*array.Timestamp)
	event, _ := stamps()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "zipcode", Type: arrow.PrimitiveTypes.Int64},
		{Name: "dob_ssn", Type: arrow.BinaryTypes.String},
		{Name: "loan_amount", Type: arrow.PrimitiveTypes.Int64},
		{Name: "repaid", Type: arrow.PrimitiveTypes.Int64},
		event,
	}, nil))
	defer b.Release()
	r := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		i := r.IntN(int(people.NumRows()))
		b.Field(0).(*array.Int64Builder).Append(int64(75000 + r.IntN(2000)))
		b.Field(1).(*array.StringBuilder).Append(ssns.Value(i))
		b.Field(2).(*array.Int64Builder).Append(int64(1000 * (1 + r.IntN(40))))
		b.Field(3).(*array.Int64Builder).Append(int64(r.IntN(2)))
		at := time.UnixMicro(int64(events.Value(i))).Add(time.Duration(1+r.IntN(60)) * 24 * time.Hour)
		b.Field(4).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMicro()))
	}
	return b.NewRecordBatch()
}

// row appends a row: cells, then the event time and a created time soon after.
func row(b *array.RecordBuilder, at time.Time, cells ...any) {
	for i, c := range cells {
		switch v := c.(type) {
		case int64:
			b.Field(i).(*array.Int64Builder).Append(v)
		case string:
			b.Field(i).(*array.StringBuilder).Append(v)
		}
	}
	b.Field(len(cells)).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMicro()))
	b.Field(len(cells) + 1).(*array.TimestampBuilder).Append(arrow.Timestamp(at.Add(90 * time.Second).UnixMicro()))
}
