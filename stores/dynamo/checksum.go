package dynamo

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/banquet-fs/banquet/fault"
)

// maxBody bounds an answer; DynamoDB's own limit is 16 MB of data.
const maxBody = 64 << 20

// verifyChecksum makes the SDK compare every answer with its checksum. By
// itself it only logs a mismatch and hands out the wrong bytes.
func verifyChecksum(stack *middleware.Stack) error {
	m := middleware.DeserializeMiddlewareFunc("banquet.checksum", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, meta, err := next.HandleDeserialize(ctx, in)
		if err != nil {
			return out, meta, err
		}
		if resp, ok := out.RawResponse.(*smithyhttp.Response); ok {
			err = checkBody(resp)
		}
		return out, meta, err
	})
	return stack.Deserialize.Insert(m, "OperationDeserializer", middleware.After)
}

// checkBody reads an answer to its end and compares it with its checksum.
func checkBody(resp *smithyhttp.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return damagedBy(err)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != int64(len(b)) {
		return damagedBy(fmt.Errorf("%d bytes of %d", len(b), resp.ContentLength))
	}
	if text := resp.Header.Get("X-Amz-Crc32"); text != "" {
		want, err := strconv.ParseUint(text, 10, 32)
		if got := crc32.ChecksumIEEE(b); err != nil || got != uint32(want) {
			return damagedBy(fmt.Errorf("checksum %d, want %s", got, text))
		}
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(b), resp.Body}
	return nil
}

func damagedBy(why error) error {
	return &damaged{fault.New(fault.Unavailable, "an answer of DynamoDB arrived damaged").Because(why)}
}

// damaged is an answer that arrived broken; asking again may bring a good one.
type damaged struct{ fault *fault.Error }

func (d *damaged) Error() string { return d.fault.Error() }

func (d *damaged) Unwrap() error { return d.fault }

// RetryableError tells the SDK's retryer.
func (d *damaged) RetryableError() bool { return true }
