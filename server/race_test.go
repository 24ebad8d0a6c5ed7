//go:build race

package server

// racing reports whether the race detector is on. Pools drop items on purpose then,
// and allocations cannot be compared.
const racing = true
