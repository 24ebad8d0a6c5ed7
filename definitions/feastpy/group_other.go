//go:build !unix

package feastpy

import "os/exec"

// ownGroup leaves the default: only the process itself is killed.
func ownGroup(*exec.Cmd) {}
