package server

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/server/flight"
	"github.com/banquet-fs/banquet/training"
)

// work runs one piece of work of the offline store: in a slot, within the time limit.
func (f *flightService) work(ctx context.Context, limit time.Duration, do func(context.Context, *training.Service) error) error {
	if err := f.working.acquire(ctx); err != nil {
		return err
	}
	defer f.working.release()
	if own := f.opt.OfflineLimits.Timeout; limit <= 0 || own > 0 && own < limit {
		limit = own
	}
	if limit > 0 {
		bounded, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = bounded
	}
	if f.opt.Training == nil {
		return fault.New(fault.Unimplemented, "this server has no offline store")
	}
	service, err := f.opt.Training(ctx)
	if err != nil {
		return err
	}
	return callersMistake(do(ctx, service))
}

// callersMistake makes faults of the offline store the caller's where they are not an
// outage: here the caller names tables, columns and SQL. As an outage, Feast's client would
// repeat the call.
func callersMistake(err error) error {
	f := fault.Of(err)
	if err == nil || f.Whose != fault.Stored {
		return err
	}
	switch f.Kind {
	case fault.NotFound, fault.Invalid, fault.Denied:
		out := *f
		out.Whose, out.Object = fault.Request, fault.Object{} // of the store, not of the registry
		return out.Because(err)
	}
	return err
}

// read runs a call that has a result and sends it.
func (f *flightService) read(ctx context.Context, c *flight.Command, u *flight.Upload, send func(*gen.FlightData) error) error {
	return f.work(ctx, 0, func(ctx context.Context, s *training.Service) error {
		if c.API == flight.Columns {
			return f.columns(ctx, s, c, send)
		}
		return f.rows(ctx, s, c.API, c, u, func(r array.RecordReader) error { return flight.Send(r, send) })
	})
}

// rows runs a call that returns rows. The reader is valid while do runs.
func (f *flightService) rows(ctx context.Context, s *training.Service, api string, c *flight.Command, u *flight.Upload, do func(array.RecordReader) error) error {
	var set *training.Set
	var err error
	switch api {
	case flight.Historical:
		var req training.Request
		if req, err = c.Training(!u.Mock); err != nil {
			return err
		}
		if !u.Mock {
			if req.Rows, err = u.Reader(); err != nil {
				return err
			}
			defer req.Rows.Release()
		}
		set, err = s.Historical(ctx, req)
	case flight.PullAll, flight.PullLatest:
		var pull training.Pull
		if pull, err = c.Pull(api == flight.PullLatest); err != nil {
			return err
		}
		set, err = s.Pull(ctx, pull)
	default:
		return fault.New(fault.Invalid, "retrieve_func %q is not a call that returns rows", api)
	}
	if err != nil {
		return err
	}
	defer set.Close()
	return do(set)
}

// write runs a call without a result.
func (f *flightService) write(ctx context.Context, c *flight.Command, u *flight.Upload) error {
	switch c.API {
	case flight.Validate:
		return f.work(ctx, 0, func(ctx context.Context, s *training.Service) error {
			source, err := c.DataSource()
			if err != nil {
				return err
			}
			_, err = s.Columns(ctx, source)
			return err
		})
	case flight.Write:
		view, err := c.View()
		if err != nil {
			return err
		}
		return f.work(ctx, 0, func(ctx context.Context, s *training.Service) error {
			rows, err := u.Reader()
			if err != nil {
				return err
			}
			defer rows.Release()
			_, err = s.Append(ctx, c.Project, view, rows)
			return err
		})
	case flight.Persist:
		name, overwrite, limit, err := c.Target()
		if err != nil {
			return err
		}
		return f.work(ctx, limit, func(ctx context.Context, s *training.Service) error {
			return f.rows(ctx, s, c.Retrieve, c, u, func(r array.RecordReader) error {
				_, err := s.Save(ctx, name, r, overwrite)
				return err
			})
		})
	}
	return fault.New(fault.Unimplemented, "%s is not supported: banquet keeps no log of served features", c.API)
}

// columns sends the names and types of a data source's columns, as Feast names the types.
func (f *flightService) columns(ctx context.Context, s *training.Service, c *flight.Command, send func(*gen.FlightData) error) error {
	source, err := c.DataSource()
	if err != nil {
		return err
	}
	columns, err := s.Columns(ctx, source)
	if err != nil {
		return err
	}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "type", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, column := range columns {
		for i, text := range []string{column.Name, column.Native} {
			if err := b.Field(i).AppendValueFromString(text); err != nil {
				return fault.New(fault.Internal, "a list of columns cannot be made").Because(err)
			}
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{batch})
	if err != nil {
		return fault.New(fault.Internal, "a list of columns cannot be made").Because(err)
	}
	defer r.Release()
	return flight.Send(r, send)
}

// maxFlightText bounds the message in an error of Feast's: quotes and other characters
// are escaped, first in JSON, then in the header.
const maxFlightText = 1 << 10

// flightStatus turns an error into a status. Feast's client finds the text after "Flight
// error: " and raises the class in it.
func flightStatus(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return s.Err()
	}
	f := serverSide(err)
	class := flightClass(f)
	if class == "" {
		return toStatus(err)
	}
	text := appendASCII(nil, bounded(f.Text, maxFlightText))
	return status.Error(outcomes(f.Kind).grpc, fmt.Sprintf(`Flight error: {"module": "feast.errors", "class": "%s", "message": %s}`, class, text))
}

// flightClass is the class of feast.errors that Feast's offline server raises for a
// fault, empty where it raises one of Python's own.
func flightClass(f *fault.Error) string {
	switch {
	case f.Reason == fault.RequestDataUnset:
		return "RequestDataNotFoundInEntityDfException"
	case f.Reason == fault.TimeUnset:
		return "EntityTimestampInferenceException"
	case f.Kind == fault.NotFound && f.Object.Kind == "data source":
		return "DataSourceObjectNotFoundException"
	case f.Kind == fault.Conflict && f.Object.Kind == "saved dataset":
		return "SavedDatasetLocationAlreadyExists"
	}
	return feastClass(f)
}
