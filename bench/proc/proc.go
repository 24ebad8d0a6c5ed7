// Package proc reads the CPU time and memory of processes from Linux's /proc.
package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticks is USER_HZ, the unit of CPU time in /proc: 100 on every Linux that Go
// supports.
const ticks = 100

// Fields of /proc/PID/stat, counted from the state.
const (
	parent    = 1
	userTime  = 11 // followed by system time and both of children that have ended
	residents = 21
)

// tree is the process and its live descendants.
func tree(pid int) []int {
	children := map[int][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		p, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if f := stat(p); f != nil {
			pp, _ := strconv.Atoi(f[parent])
			children[pp] = append(children[pp], p)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

// stat is nil when the process has ended.
func stat(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, after, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')'):]), " ")
	return strings.Fields(after)
}

// CPU is the user and system seconds of a process and its descendants, including
// children that have ended.
func CPU(pid int) (seconds float64) {
	for _, p := range tree(pid) {
		if f := stat(p); f != nil {
			seconds += sum(f[userTime : userTime+4])
		}
	}
	return seconds
}

// Resident is the resident memory of a process and its descendants in MB; pages
// that forks share count in each.
func Resident(pid int) (mb float64) {
	for _, p := range tree(pid) {
		if f := stat(p); f != nil {
			pages, _ := strconv.ParseFloat(f[residents], 64)
			mb += pages * float64(os.Getpagesize()) / (1 << 20)
		}
	}
	return mb
}

// Busy is the CPU seconds in which the machine was not idle.
func Busy() float64 {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	if len(f) < 9 {
		return 0
	}
	return sum(f[1:4]) + sum(f[6:9]) // without idle and waiting for disks
}

func sum(fields []string) (seconds float64) {
	for _, x := range fields {
		v, _ := strconv.ParseFloat(x, 64)
		seconds += v / ticks
	}
	return seconds
}

// Peak is the highest resident memory that a process has had, in MB; 0 when it has ended.
// The kernel's rusage of an ended child is no substitute: it includes the memory of the
// parent before it started the program.
func Peak(pid int) float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(b), "VmHWM:")
	kb, _, _ := strings.Cut(after, "kB")
	n, _ := strconv.ParseFloat(strings.TrimSpace(kb), 64)
	return n / 1024
}
