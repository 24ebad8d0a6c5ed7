//go:build race

package server

// racing says that the race detector is on: its pools forget on purpose, so
// that allocations tell nothing.
const racing = true
