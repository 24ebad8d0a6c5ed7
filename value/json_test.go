package value_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// Before there were time zones, offsets had seconds, and Python writes them.
func TestZonedTimestampsOfLocalMeanTime(t *testing.T) {
	for zone, want := range map[string]string{
		"Asia/Tokyo":       `"1874-12-08T03:58:59+09:18:59"`,
		"America/New_York": `"1874-12-07T13:43:58-04:56:02"`,
		"UTC":              `"1874-12-07T18:40:00+00:00"`,
	} {
		b, err := proto.Marshal(&types.Value{Val: &types.Value_ZonedTimestampVal{ZonedTimestampVal: &types.ZonedTimestamp{UnixTimestamp: -3000000000, Zone: zone}}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := value.AppendJSON(nil, b); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", zone, got, err, want)
		}
	}
}
