//go:build !linux

package main

// releaseStartupPages does nothing where pages are not told apart.
func releaseStartupPages() {}
