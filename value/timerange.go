package value

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// The first and the last second that Python's datetime can be.
const firstTime, lastTime = -62135596800, 253402300799

// CheckTimes refuses a UNIX_TIMESTAMP, or a list or a set of them, outside the years 1 to
// 9999. Feast's SDK makes a datetime of each, and cannot read a response with such a time,
// or any of its other features. The null time is none of them.
func CheckTimes(b []byte) error {
	switch Kind(b) {
	case types.ValueType_UNIX_TIMESTAMP:
		seconds, ok := Int64(b)
		if !ok {
			return corrupt("a cut number")
		}
		return checkTime(seconds)
	case types.ValueType_UNIX_TIMESTAMP_LIST, types.ValueType_UNIX_TIMESTAMP_SET:
		_, _, content, _, err := field(b)
		if err != nil {
			return err
		}
		at := 0
		return each(content, func(_ protowire.Type, numbers []byte) error { // packed or not
			for len(numbers) > 0 {
				v, n := uvarint(numbers)
				if n == 0 {
					return corrupt("a cut list of numbers")
				}
				if err := checkTime(int64(v)); err != nil {
					return inElement(at, err)
				}
				numbers = numbers[n:]
				at++
			}
			return nil
		})
	}
	return nil
}

func checkTime(seconds int64) error {
	if seconds == noTime || seconds >= firstTime && seconds <= lastTime {
		return nil
	}
	return fault.New(fault.Invalid, "%d seconds from 1970 are outside the years 1 to 9999, and clients of Feast cannot read such a time; a UNIX_TIMESTAMP is in seconds, not in milliseconds", seconds)
}
