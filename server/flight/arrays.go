package flight

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/arrowipc"
)

// uploadable refuses types of columns that no data frame has and that cannot be checked.
func uploadable(column string, t arrow.DataType) error {
	if arrowipc.Checkable(t) {
		return nil
	}
	return fault.New(fault.Invalid, "column %s of the uploaded table has the Arrow type %s, which is not supported; convert it to numbers, text, times or lists of them", column, t)
}

// unreadable is the error of an upload whose metadata is refused.
func unreadable(err error) error {
	var r *arrowipc.RefusalError
	switch {
	case !errors.As(err, &r):
		return damaged(err)
	case r.TooLarge:
		return fault.New(fault.TooLarge, "the uploaded table cannot be read: %s; upload fewer columns", r.Text)
	}
	return fault.New(fault.Invalid, "the uploaded table cannot be read: %s", r.Text)
}

func damaged(cause error) error {
	return fault.New(fault.Invalid, "the uploaded table is not a valid stream of Arrow record batches").Because(cause)
}
