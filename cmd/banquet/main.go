// Command banquet is a feature store: it reads definitions, keeps a registry,
// materializes features into an online store and serves them over gRPC and HTTP.
// It takes Feast's commands and files.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // zones of zoned timestamps, also in an empty container
)

// version is set by the linker.
var version = "0.1.0"

func main() {
	// Libraries write here what nobody can act on, with bytes of a store's answers in it.
	log.SetOutput(io.Discard)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process, whatever it waits for
	code := run(ctx, system{
		args: os.Args[1:], in: os.Stdin, out: os.Stdout, err: os.Stderr,
		env: os.LookupEnv, terminal: isTerminal(os.Stdout), errTerminal: isTerminal(os.Stderr),
	})
	stop()
	os.Exit(code)
}
