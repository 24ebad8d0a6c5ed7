//go:build !race

package server

// racing reports whether the race detector is on.
const racing = false
