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
	_ "time/tzdata" // time zones, also in a container without files
)

// version is set by the linker.
var version = "0.1.0"

func main() {
	// Libraries write messages here that nobody can act on, with bytes of a store's responses.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	code := runUntil(ctx, system{
		args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr,
		env: os.LookupEnv, terminal: isTerminal(os.Stdout), errTerminal: isTerminal(os.Stderr),
	})
	stop()
	os.Exit(code)
}
