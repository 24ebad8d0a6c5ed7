package wire

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/banquet-fs/banquet/stores"
)

// VerifyChecksum makes the SDK verify the checksum of every response. By default
// it only logs a mismatch and returns the wrong bytes.
func VerifyChecksum(stack *middleware.Stack) error {
	m := middleware.DeserializeMiddlewareFunc("banquet.checksum", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, meta, err := next.HandleDeserialize(ctx, in)
		if err != nil {
			return out, meta, err
		}
		if resp, ok := out.RawResponse.(*smithyhttp.Response); ok {
			err = checkBody(ctx, resp)
		}
		return out, meta, err
	})
	return stack.Deserialize.Insert(m, "OperationDeserializer", middleware.After)
}

type meterKey struct{}

// Metered makes the meter count the SDK's responses to calls of the context.
func Metered(ctx context.Context, meter *stores.Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, meter)
}

// checkBody reads a response to its end and verifies its checksum.
func checkBody(ctx context.Context, resp *smithyhttp.Response) error {
	meter, _ := ctx.Value(meterKey{}).(*stores.Meter)
	if err := meter.Count(int(min(max(resp.ContentLength, 0), maxBody))); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return Damaged(err)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != int64(len(b)) {
		return Damaged(fmt.Errorf("%d bytes of %d", len(b), resp.ContentLength))
	}
	if text := resp.Header.Get("X-Amz-Crc32"); text != "" {
		want, err := strconv.ParseUint(text, 10, 32)
		if got := crc32.ChecksumIEEE(b); err != nil || got != uint32(want) {
			return Damaged(fmt.Errorf("checksum %d, want %s", got, text))
		}
	}
	if resp.ContentLength < 0 {
		if err := meter.Count(len(b)); err != nil {
			return err
		}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(b), resp.Body}
	return nil
}
