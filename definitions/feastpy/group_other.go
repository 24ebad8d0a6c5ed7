//go:build !unix

package feastpy

import "os/exec"

// ownGroup leaves the default: the process alone is killed.
func ownGroup(*exec.Cmd) {}
