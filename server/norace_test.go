//go:build !race

package server

// racing says that the race detector is on.
const racing = false
