//go:build !linux

package main

// releaseStartupPages does nothing on other systems.
func releaseStartupPages() {}
