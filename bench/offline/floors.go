package offline

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/banquet-fs/banquet/bench/floor"
)

// Floor runs one of the floors, which the benchmark starts as processes.
func Floor(ctx context.Context, args []string, client func(addr string) *floor.Client) error {
	switch {
	case len(args) == 3 && args[0] == "join-floor":
		rows, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return joinFloor(ctx, os.Stdout, args[1], rows)
	case len(args) == 2 && args[0] == "read-floor":
		for _, t := range []*table{zipcodes(), credits()} {
			if err := readFile(ctx, filepath.Join(args[1], t.name+".parquet")); err != nil {
				return err
			}
		}
		return nil
	case len(args) == 5 && args[0] == "write-floor":
		rows, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		connections, err := strconv.Atoi(args[4])
		if err != nil {
			return err
		}
		return writeFloor(ctx, client(args[2]), args[1], rows, connections)
	}
	return fmt.Errorf("no floor %q", args)
}

// readFile reads a Parquet file and does nothing with it.
func readFile(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := file.NewParquetReader(f)
	if err != nil {
		return err
	}
	r, err := pqarrow.NewFileReader(p, pqarrow.ArrowReadProperties{BatchSize: batch}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	rows, err := r.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return err
	}
	defer rows.Release()
	for rows.Next() {
	}
	return rows.Err()
}
