// Command banquet is a feature store: it reads definitions, writes a registry,
// materializes features into an online store and serves them over gRPC and HTTP.
// It has the commands and files of Feast.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // time zones, also in a container without files
)

// version is set by the linker.
var version = "0.1.0"

func main() {
	// Libraries write messages here that nobody can act on, with bytes of a store's responses.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once. One that comes with the first is not a second
	// wish: programs such as timeout send it to the process and to its group.
	context.AfterFunc(ctx, func() { time.AfterFunc(patience/8, stop) })
	code := runUntil(ctx, system{
		args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr,
		env: os.LookupEnv, terminal: isTerminal(os.Stdout), errTerminal: isTerminal(os.Stderr),
	})
	stop()
	os.Exit(code)
}
