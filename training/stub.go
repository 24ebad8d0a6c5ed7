package training

import (
	"context"

	"github.com/banquet-fs/banquet/fault"
)

// Historical is not there yet.
func (s *Service) Historical(context.Context, Request) (*Set, error) {
	return nil, fault.New(fault.Unimplemented, "training sets are not supported yet")
}
