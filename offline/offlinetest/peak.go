package offlinetest

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// PeakMemory begins to measure the most memory that the process has, and returns
// what tells it in bytes; 0 where the system does not.
func PeakMemory(t testing.TB) func() int64 {
	t.Helper()
	debug.FreeOSMemory()
	if os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) != nil {
		return func() int64 { return 0 }
	}
	return func() int64 {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return 0
		}
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		size, _, _ := strings.Cut(rest, "kB")
		n, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
		if err != nil {
			return 0
		}
		return n << 10
	}
}
